"""Any table by a column mapping: files and data frames give one and the same data set."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.sources import FeatureColumns, Source, Table, describe, load, load_frame
from encorec.errors import ConfigError, DataError

LOG = pl.DataFrame(
    {
        "reader": ["u2", "u1", "u2", "u1"],
        "book": [30, 10, 20, 20],
        "read_at": [datetime(2021, 8, 22, 10), datetime(2021, 8, 21), datetime(2021, 8, 20), datetime(2021, 8, 21)],
        "stars": [5, 1, 3, 2],
        "note": ["x", None, "y", "z"],
    }
)
READERS = pl.DataFrame({"reader": ["u3", "u1"], "age": [30, None], "town": ["Oslo", "Bergen"]})
BOOKS = pl.DataFrame(
    {
        "isbn": [20, 99, 10],
        "title": ["Hunger", "Pan", None],
        "genres": ["novel|classic", None, "novel"],
        "pages": [200, None, 120],
        "lent": [True, False, None],
        "shelf": ["A", "B", None],
        "printed": [datetime(1890, 1, 1)] * 3,
    }
)
MAPPING: dict[str, Any] = {"user": "reader", "item": "book", "time": "read_at", "weight": "stars"}
ISBN = FeatureColumns(id="isbn")


def written(folder: Path, suffix: str) -> Table:
    """The three tables as files, with their mapping."""
    for name, frame in (("log", LOG), ("readers", READERS), ("books", BOOKS)):
        path = folder / f"{name}.{suffix}"
        frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(
            path, separator="\t" if suffix == "tsv" else ","
        )
    users, items = str(folder / f"readers.{suffix}"), str(folder / f"books.{suffix}")
    return Table(path=str(folder / f"log.{suffix}"), users=users, items=items, item_columns=ISBN, **MAPPING)


def check(data: Dataset) -> None:
    assert data.users.ids.tolist() == ["u1", "u2", "u3"]
    assert data.items.ids.tolist() == [10, 20, 30, 99]
    table = data.interactions
    assert table.user.tolist() == [0, 0, 1, 1]
    assert data.items.externals(table.item) == [10, 20, 20, 30]
    assert table.row.tolist() == [1, 3, 2, 0]
    assert table.weight.tolist() == [1, 2, 3, 5]
    assert table.time[-1] == 1629626400
    assert data.user_features.categorical["town"].values == ("Bergen", "Oslo")
    np.testing.assert_array_equal(data.user_features.numeric["age"], [np.nan, np.nan, 30])
    assert data.item_features.tags["genres"].values == ("classic", "novel")
    assert data.item_features.tags["genres"].lists.lengths.tolist() == [1, 2, 0, 0]
    assert data.item_features.dense_names == ("pages", "lent", "shelf")
    np.testing.assert_array_equal(data.item_features.numeric["lent"], [np.nan, 1, np.nan, 0])
    assert [data.title(row) for row in range(4)] == ["10", "Hunger", "30", "Pan"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_files(tmp_path: Path, suffix: str) -> None:
    data = load(written(tmp_path, suffix))
    check(data)
    assert data.name == "log"


@pytest.mark.parametrize(
    "convert",
    [lambda frame: frame, pl.DataFrame.lazy, pl.DataFrame.to_arrow, pl.DataFrame.to_pandas],
    ids=["polars", "lazy", "pyarrow", "pandas"],
)
def test_frames(convert: Any) -> None:
    log, readers, books = convert(LOG), convert(READERS), convert(BOOKS)
    check(load_frame(log, users=readers, items=books, item_columns=ISBN, **MAPPING))


def test_pandas_with_its_own_types() -> None:
    frame = pd.DataFrame(
        {
            "user_id": pd.array([7, 7, 8], "Int64"),
            "item_id": pd.Categorical(["b", "a", "b"]),
            "timestamp": pd.to_datetime([1, 2, 3], unit="D", utc=True).tz_convert("Europe/Oslo"),
        },
        index=pd.Index([30, 10, 10]),
    )
    items = pd.DataFrame(
        {"item_id": ["a", "b"], "tags": [["x", "y"], None], "size": pd.array([1, None], "Int64"), "mixed": [1, "one"]}
    )
    data = load_frame(frame, items=items)
    assert data.users.ids.tolist() == [7, 8]
    assert data.interactions.time.tolist() == [86_400, 2 * 86_400, 3 * 86_400]
    assert data.interactions.row.tolist() == [0, 1, 2]
    assert data.item_features.tags["tags"].lists.lengths.tolist() == [2, 0]
    assert data.item_features.categorical["mixed"].values == ("1", "one")
    np.testing.assert_array_equal(data.item_features.numeric["size"], [1, np.nan])


def test_ids_of_two_kinds_become_text() -> None:
    log = pl.DataFrame({"user_id": [1, 10], "item_id": [7, 8], "timestamp": [1, 2]})
    data = load_frame(log, items=pl.DataFrame({"item_id": ["8", "A7"], "size": [1, 2]}))
    assert data.items.ids.tolist() == ["7", "8", "A7"]
    np.testing.assert_array_equal(data.item_features.numeric["size"], [np.nan, 1, 2])
    assert data.users.ids.tolist() == [1, 10]


def test_named_columns_are_read_as_they_are_named_and_no_others(tmp_path: Path) -> None:
    source = written(tmp_path, "csv")
    columns = FeatureColumns(id="isbn", categorical=("pages", "genres"), tags=("shelf",))
    data = load(Table(path=source.path, items=source.items, item_columns=columns, title="shelf", **MAPPING))
    assert data.item_features.dense_names == ("pages", "genres")
    assert data.item_features.categorical["pages"].values == ("120", "200")
    assert data.item_features.tags["shelf"].values == ("A", "B")
    assert data.title(1) == "A"


def test_text_of_very_many_values_is_no_category_unless_named() -> None:
    size = 1001
    log = pl.DataFrame({"user_id": [1] * size, "item_id": range(size), "timestamp": range(size)})
    items = pl.DataFrame(
        {"item_id": range(size), "about": [f"about {row}" for row in range(size)], "size": ["5"] * size}
    )
    assert load_frame(log, items=items).item_features.dense_names == ("size",)
    named = load_frame(log, items=items, item_columns=FeatureColumns(categorical=("about",)))
    assert len(named.item_features.categorical["about"].values) == size


def test_categories_stand_in_the_order_of_their_numbers_or_of_the_owner() -> None:
    log = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [1, 1, 1], "timestamp": [1, 2, 3]})
    size = pl.Series(["mid", "low", None], dtype=pl.Enum(["low", "mid", "top"]))
    users = pl.DataFrame({"user_id": [1, 2, 3], "age": ["100+", "5-9", "10-14"], "size": size})
    features = load_frame(log, users=users).user_features.categorical
    assert features["age"].values == ("5-9", "10-14", "100+")
    assert features["size"].values == ("low", "mid", "top")
    assert features["size"].code.tolist() == [1, 0, -1]


def test_users_may_have_a_feature_called_title() -> None:
    log = pl.DataFrame({"user_id": [1], "item_id": [1], "timestamp": [1]})
    data = load_frame(log, users=pl.DataFrame({"user_id": [1], "title": ["Dr"]}))
    assert data.user_features.dense_names == ("title",)
    assert data.titles is None


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("keep", [(0, 1, 1.0), (0, 3, 2.0), (0, 5, 4.0), (1, 2, 9.0)]),
        ("last", [(0, 5, 4.0), (1, 2, 9.0)]),
        ("sum", [(0, 5, 7.0), (1, 2, 9.0)]),
    ],
)
def test_duplicates(duplicates: Any, expected: list[tuple[int, int, float]]) -> None:
    rows = [(8, 5, 2, 9.0), (7, 5, 5, 4.0), (7, 5, 1, 1.0), (7, 5, 3, 2.0)]
    log = pl.DataFrame(rows, ["user_id", "item_id", "timestamp", "w"], orient="row")
    table = load_frame(log, weight="w", duplicates=duplicates).interactions
    assert list(zip(table.user.tolist(), table.time.tolist(), table.weight.tolist(), strict=True)) == expected


def test_of_equal_times_the_later_row_is_the_last() -> None:
    log = pl.DataFrame({"user_id": [7, 7], "item_id": [5, 5], "timestamp": [1, 1], "w": [2, 3]})
    assert load_frame(log, weight="w", duplicates="last").interactions.weight.tolist() == [3]


def test_duplicates_are_an_error_that_names_the_options() -> None:
    log = pl.DataFrame({"user_id": [7, 7, 7], "item_id": [5, 6, 5], "timestamp": [1, 1, 2]})
    with pytest.raises(DataError) as refused:
        load_frame(log)
    assert str(refused.value) == (
        "interactions: 1 row with the ('user_id', 'item_id') of an earlier row (first: data row 3, 7 and 5); "
        'say what a repeat is: duplicates = "keep" (an event of its own), "last" (only the newest counts) or "sum" '
        "(weights are added up)"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"user": "raeder"}, "interactions: unknown column 'raeder': did you mean 'reader'? allowed: book, note"),
        ({"weight": "star"}, "interactions: unknown column 'star': did you mean 'stars'?"),
        ({"time": "note"}, "interactions: column 'note' has 1 value missing (first: data row 2, None)"),
        (
            {"weight": "note"},
            "interactions: column 'note' has 3 values unreadable as a number (first: data row 1, 'x')",
        ),
        ({"title": "titel"}, "items: unknown column 'titel': did you mean 'title'?"),
        ({"item_columns": FeatureColumns()}, "items: unknown column 'book'"),
        (
            {"item_columns": FeatureColumns(id="isbn", tags=("genre",))},
            "items: unknown column 'genre': did you mean 'genres",
        ),
        (
            {"item_columns": FeatureColumns(id="isbn", numeric=("shelf",))},
            "items: column 'shelf' has 2 values unreadable",
        ),
        (
            {"items": pl.concat([BOOKS, BOOKS])},
            "items: column 'isbn' has 3 values already in an earlier row (first: data",
        ),
        ({"items": BOOKS.clear()}, "items: the data frame has no rows"),
        ({"users": [1, 2]}, "users: a list is no data frame; give one of pandas, polars or pyarrow"),
        (
            {"users": pa.table({"reader": pa.nulls(1)})},
            "users: column 'reader' is of type Null, allowed are integers or",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as refused:
        load_frame(LOG, **{"items": BOOKS, "item_columns": ISBN, **MAPPING, **change})
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize("weight", [0, -1, None])
def test_a_weight_must_be_positive(weight: int | None) -> None:
    log = pl.DataFrame({"user_id": [1, 2], "item_id": [1, 2], "timestamp": [1, 2], "w": [1, weight]})
    with pytest.raises(DataError, match=r"column 'w' has 1 value missing or not above 0 \(first: data row 2"):
        load_frame(log, weight="w")


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"log.xlsx: unknown kind of file '.xlsx'; allowed: .csv, .tsv"):
        load(Table(path="log.xlsx"))
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\); check the path"):
        load(Table(path=str(tmp_path / "log.csv")))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        load(Table(path=str(tmp_path / "folder.csv")))


def test_a_cut_off_or_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path, "parquet")
    whole = Path(source.path).read_bytes()
    for content in (b"", b"user_id,item_id\n", whole[: len(whole) // 2], whole[:-4]):
        Path(source.path).write_bytes(content)
        with pytest.raises(DataError, match="is not a whole Parquet file; fetch or write it again"):
            load(source)


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path, "parquet")
    LOG.clear().write_parquet(source.path)
    with pytest.raises(DataError, match="has columns but no rows"):
        load(source)


def test_a_configuration_names_its_source(tmp_path: Path) -> None:
    content = {"source": "table", "path": "log.csv", "duplicates": "keep", "item_columns": {"tags": ["genres"]}}
    source = decode(content, Source)
    assert source == Table(path="log.csv", duplicates="keep", item_columns=FeatureColumns(tags=("genres",)))
    with pytest.raises(ConfigError, match="did you mean 'movielens-100k'"):
        decode({"source": "movielens-10k"}, Source)
    with pytest.raises(ConfigError, match="unknown field 'tiem': did you mean 'time'"):
        decode({"source": "table", "path": "log.csv", "tiem": "ts"}, Source)


def test_a_data_set_that_says_what_it_is(tmp_path: Path) -> None:
    missing = describe(load(written(tmp_path, "csv")))["items"]["missing"]
    assert missing == {"pages": 0.5, "lent": 0.5, "shelf": 0.5, "genres": 0.5}


SHOWN = pl.DataFrame(
    {"user_id": [8, 7, 7, 9], "item_id": ["b", "a", "z", "a"], "timestamp": [30, 5, 6, 7]}  # z and 9 are not known
)
TAKEN = pl.DataFrame({"user_id": [7, 8], "item_id": ["a", "b"], "timestamp": [10, 40]})


def test_impressions_are_numbered_like_the_interactions_and_strangers_left_out() -> None:
    shown = load_frame(TAKEN, impressions=SHOWN).impressions
    assert shown is not None
    assert (shown.user.tolist(), shown.item.tolist(), shown.time.tolist()) == ([0, 1], [0, 1], [5, 30])
    assert (shown.users, shown.items) == (2, 2)
    assert load_frame(TAKEN).impressions is None


def test_impressions_from_a_file_and_with_ids_as_numbers_where_text_is_known(tmp_path: Path) -> None:
    TAKEN.with_columns(pl.lit("7").alias("user_id")).write_parquet(tmp_path / "log.parquet")
    SHOWN.write_csv(tmp_path / "shown.csv")
    source = Table(path=str(tmp_path / "log.parquet"), impressions=str(tmp_path / "shown.csv"))
    shown = load(source).impressions
    assert shown is not None
    assert (shown.user.tolist(), shown.item.tolist()) == ([0], [0])


def test_impressions_of_strangers_only_and_without_their_columns_are_refused() -> None:
    with pytest.raises(DataError, match="none of 1 impressions is of a user and an item of the interactions"):
        load_frame(TAKEN, impressions=SHOWN[3:])
    with pytest.raises(DataError, match="impressions"):
        load_frame(TAKEN, impressions=SHOWN.drop("timestamp"))
