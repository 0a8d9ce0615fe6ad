"""KION in all its forms, and what is said of a broken one."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.data.sources.kion_copy import PROCESSED, RAW, with_business_date, write_folder, write_zip

from encorec.data.dataset import Dataset
from encorec.data.features import Tags
from encorec.data.sources import Kion, describe, load
from encorec.errors import DataError

MAY_11, DAY = 1620691200, 86_400


def names(tags: Tags, row: int) -> set[str]:
    return {tags.values[code] for code in tags.lists.row(row)}


def load_changed(folder: Path, table: str, old: str, new: str, **options: Any) -> Dataset:
    """KION after one change to one of its tables."""
    changed = RAW[table].replace(old, new, 1)
    assert changed != RAW[table]
    write_folder(folder, RAW | {table: changed})
    return load(Kion(path=str(folder), **options))


@pytest.fixture
def kion(tmp_path: Path) -> Dataset:
    return load(Kion(path=str(write_zip(tmp_path / "data_kion.zip", RAW, "data_kion/{}.csv"))))


def test_ids_are_all_that_interact_or_are_described_in_ascending_order(kion: Dataset) -> None:
    assert kion.users.ids.tolist() == [176549, 656683, 699317, 864613, 973171]
    assert kion.items.ids.tolist() == [42, 1659, 7107, 7638, 9506]
    assert kion.name == "kion"


def test_interactions_are_dated_by_midnight_and_know_their_row(kion: Dataset) -> None:
    table = kion.interactions
    assert kion.users.externals(table.user) == [176549, 176549, 656683, 699317, 864613]
    assert kion.items.externals(table.item) == [9506, 1659, 7107, 1659, 7638]
    assert table.time.tolist() == [MAY_11, MAY_11, MAY_11 - 2 * DAY, MAY_11 + 18 * DAY, MAY_11 + 55 * DAY]
    assert table.row.tolist() == [0, 4, 2, 1, 3]
    assert table.weight.tolist() == [1, 1, 1, 1, 1]


def test_user_features_are_clean_and_in_order(kion: Dataset) -> None:
    sex, age = kion.user_features.categorical["sex"], kion.user_features.categorical["age"]
    assert sex.values == ("F", "M")
    assert sex.code.tolist() == [0, -1, -1, -1, 1]
    assert age.values == ("age_18_24", "age_25_34", "age_65_inf")
    assert kion.user_features.categorical["income"].values == ("income_20_40", "income_60_90", "income_150_inf")
    np.testing.assert_array_equal(kion.user_features.numeric["kids_flg"], [0, 0, 0, np.nan, 1])


def test_item_features_split_their_lists(kion: Dataset) -> None:
    features = kion.item_features
    assert features.tags["genres"].values == ("боевики", "драмы", "комедии")
    assert names(features.tags["genres"], 4) == {"комедии", "боевики"}
    assert names(features.tags["studios"], 2) == {"HBO", "MTS"}
    assert [len(features.tags["actors"].lists.row(row)) for row in range(5)] == [0, 0, 0, 0, 2]
    np.testing.assert_array_equal(features.numeric["release_year"], [1999, 1978, np.nan, np.nan, 2020])
    np.testing.assert_array_equal(features.numeric["for_kids"], [0, 1, np.nan, np.nan, np.nan])
    assert features.categorical["content_type"].code.tolist() == [0, 1, 0, -1, 0]


def test_titles_are_for_people_and_the_id_stands_in(kion: Dataset) -> None:
    assert [kion.title(row) for row in range(5)] == ["Холод", "Дом", "7107", "7638", 'Мой шпион, или "Крот"']


def test_only_the_most_frequent_of_very_many_tags_are_kept(tmp_path: Path) -> None:
    rows = "".join(f"{item},film,t{item},Ann,Only{item}\n" for item in range(600))
    tables = RAW | {"items": "item_id,content_type,title,directors,actors\n" + rows}
    tags = load(Kion(path=str(write_folder(tmp_path, tables)))).item_features.tags
    assert tags["directors"].values == ("Ann",)
    assert len(tags["actors"].values) == 500


@pytest.mark.parametrize("tables", [RAW, with_business_date(RAW)], ids=["plain", "business_dt"])
@pytest.mark.parametrize("pattern", ["{}.csv", "data_kion/{}.csv", "data_original/{}.csv", "KION/{}.CSV"])
@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_every_layout_gives_the_same_data_set(
    tmp_path: Path, kion: Dataset, write: Callable[..., Path], pattern: str, tables: Mapping[str, str]
) -> None:
    copy = load(Kion(path=str(write(tmp_path / "copy", tables, pattern))))
    assert copy.fingerprint == kion.fingerprint
    assert describe(copy) == describe(kion)


@pytest.mark.parametrize("name", ["interactions_df", "interactions_processed", "interactions_df_processed"])
def test_the_other_file_names_are_known(tmp_path: Path, kion: Dataset, name: str) -> None:
    tables = {name: RAW["interactions"], "users": RAW["users"], "items": RAW["items"]}
    assert load(Kion(path=str(write_zip(tmp_path / "x.zip", tables)))).fingerprint == kion.fingerprint


def test_processed_copies_say_the_same_of_users(tmp_path: Path, kion: Dataset) -> None:
    processed = load(Kion(path=str(write_folder(tmp_path, PROCESSED, "data_kion/{}_processed.csv"))))
    assert processed.fingerprint == kion.fingerprint
    assert describe(processed)["users"] == describe(kion)["users"]
    assert processed.item_features.categorical["release_year_cat"].values == ("1970-1980", "1990-2000", "2020_inf")
    assert processed.item_features.numeric["for_kids"][:2].tolist() == [0, 1]
    assert processed.item_features.tags["directors"].values == ("Питер Сигал",)


def test_raw_files_are_preferred_and_so_is_the_least_nested_copy(tmp_path: Path, kion: Dataset) -> None:
    write_folder(tmp_path, RAW)
    write_folder(tmp_path, PROCESSED | {"interactions": "user_id\n"}, "{}_processed.csv")
    write_folder(tmp_path, dict.fromkeys(RAW, "broken\n"), "old/{}.csv")
    assert load(Kion(path=str(tmp_path))).fingerprint == kion.fingerprint


def test_weight_may_be_the_share_watched(tmp_path: Path) -> None:
    data = load(Kion(path=str(write_folder(tmp_path, RAW)), weight="watched"))
    mean = (72 + 100 + 0 + 25) / 4 / 100
    np.testing.assert_allclose(data.interactions.weight, [0.72, 0.25, 0.01, 1, mean], rtol=1e-6)


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("interactions", "watched_pct", "watched", "unknown column 'watched_pct': did you mean 'watched'?"),
        ("interactions", "user_id", "usr_id", "unknown column 'user_id': did you mean 'usr_id'?"),
        ("users", "user_id", "id", "unknown column 'user_id'"),
        ("interactions", "72.0", "172.0", "'watched_pct' has 1 value outside 0..100 (first: data row 1, '172.0')"),
        ("interactions", "25.0", "-1", "'watched_pct' has 1 value outside 0..100 (first: data row 5, '-1')"),
        (
            "interactions",
            "72.0",
            "lots",
            "'watched_pct' has 1 value unreadable as a number (first: data row 1, 'lots')",
        ),
        ("interactions", "8317", "-8317", "'total_dur' has 1 value below 0 seconds (first: data row 2, '-8317')"),
        ("interactions", "2021-05-09", "09.05.21", "1 value unreadable as a time (first: data row 3, '09.05.21')"),
        ("interactions", "2021-05-09", "", "'last_watch_dt' has 1 value missing (first: data row 3, None)"),
        ("interactions", "2021-05-09", "2121-05-09", "1 value outside the years 1970 to 2100 (first: data row 3"),
        ("interactions", "699317", "", "'user_id' has 1 value missing (first: data row 2, None); drop these rows"),
        ("interactions", "1659", "NaN", "'item_id' has 1 value missing (first: data row 2, 'NaN'); drop these rows"),
        (
            "interactions",
            "176549,9506,",
            "176549,9506,9,",
            "1 line differs from the header in length (first: data row 1",
        ),
        ("users", "973171", "176549", "'user_id' has 1 value already in an earlier row (first: data row 2, 176549)"),
        ("items", "2020.0", "new", "'release_year' has 1 value unreadable as a number (first: data row 1, 'new')"),
        ("items", '"комедии', "комедии", "line"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(
    tmp_path: Path, table: str, old: str, new: str, told: str
) -> None:
    with pytest.raises(DataError) as refused:
        load_changed(tmp_path, table, old, new, weight="watched")
    assert told in str(refused.value)
    assert f"{tmp_path / table}.csv: " in str(refused.value)


def test_watched_pct_is_needed_only_where_it_is_used(tmp_path: Path) -> None:
    assert len(load_changed(tmp_path, "interactions", "watched_pct", "watched").interactions) == 5


@pytest.mark.parametrize(
    ("duplicates", "weights", "rows"),
    [("keep", [0.72, 0.25, 0.5], [0, 4, 5]), ("last", [0.25, 0.5], [4, 5]), ("sum", [0.25, 1.22], [4, 5])],
)
def test_duplicate_pairs_are_what_one_says_they_are(
    tmp_path: Path, duplicates: str, weights: list[float], rows: list[int]
) -> None:
    new = "25.0\n176549,9506,2021-05-12,9,50.0\n"
    data = load_changed(tmp_path, "interactions", "25.0\n", new, weight="watched", duplicates=duplicates)
    own = data.interactions.user == 0
    np.testing.assert_allclose(data.interactions.weight[own], weights, rtol=1e-6)
    assert data.interactions.row[own].tolist() == rows


def test_a_duplicate_pair_is_named_by_its_second_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 row with the .* of an earlier row \(first: data row 6, 176549 and 9506\)"):
        load_changed(tmp_path, "interactions", "25.0\n", "25.0\n176549,9506,2021-05-12,9,50.0\n")


def test_text_that_is_not_utf8_is_refused_with_its_row(tmp_path: Path) -> None:
    write_folder(tmp_path, RAW)
    (tmp_path / "users.csv").write_bytes(RAW["users"].encode("cp1251"))
    with pytest.raises(DataError, match=r"users.csv: is not UTF-8 text \(first: data row 1, byte 0xCC\).*iconv"):
        load(Kion(path=str(tmp_path)))


@pytest.mark.parametrize("table", ["interactions", "users", "items"])
def test_an_empty_or_missing_table_is_refused(tmp_path: Path, table: str) -> None:
    write_folder(tmp_path, RAW | {table: ""})
    with pytest.raises(DataError, match=f"{table}.csv: is empty"):
        load(Kion(path=str(tmp_path)))
    (tmp_path / f"{table}.csv").write_text(RAW[table].splitlines()[0])
    with pytest.raises(DataError, match=f"{table}.csv: has a header but no rows"):
        load(Kion(path=str(tmp_path)))
    (tmp_path / f"{table}.csv").unlink()
    with pytest.raises(DataError, match=rf"holds no {table}.csv or .*; it holds \w+.csv, \w+.csv"):
        load(Kion(path=str(tmp_path)))


def test_a_truncated_zip_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "data_kion.zip", RAW).read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "data_kion.zip").write_bytes(whole[:cut])
        with pytest.raises(DataError, match="is not a whole zip"):
            load(Kion(path=str(tmp_path / "data_kion.zip")))


def test_an_altered_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "data_kion.zip", RAW)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("interactions.csv").header_offset + 30 + len("interactions.csv")
    content = bytearray(path.read_bytes())
    content[start + 20] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'interactions.csv' cannot be unpacked .*; fetch the zip again"):
        load(Kion(path=str(path)))


def test_a_path_that_is_not_there_or_no_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read .*; check the path"):
        load(Kion(path=str(tmp_path / "nothing.zip")))
    (tmp_path / "log.csv").write_text(RAW["interactions"])
    with pytest.raises(DataError, match="is not a whole zip"):
        load(Kion(path=str(tmp_path / "log.csv")))


def test_long_steps_are_reported(tmp_path: Path) -> None:
    told: list[str] = []
    load(Kion(path=str(write_folder(tmp_path, RAW))), told.append)
    assert told == ["reading interactions.csv", "reading users.csv and items.csv", "numbering users and items"]
