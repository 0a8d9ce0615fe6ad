"""Submissions of both forms: read as they are, written as the sample is, and every kind of fault found at once."""

import ast
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError, DataError
from encorec.evaluation.leaderboard.check import validate_submission
from encorec.evaluation.leaderboard.submission import as_cells, read_submission, write_submission

SAMPLE = pl.DataFrame({"user_id": [3, 11, 29], "item_id": ["[9728, 15297]"] * 3})
ITEMS = pl.DataFrame({"item_id": [1, 2, 3, 4]})
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\"'\\", exclude_categories=["C", "Z"]), min_size=1)
NAMES = TEXT.filter(lambda name: name.lower() not in {"nan", "none", "null", "nat", "<na>"})
IDS = st.integers(-(2**63), 2**63 - 1)
LISTS = st.dictionaries(IDS, st.lists(IDS, unique=True, max_size=5), min_size=1, max_size=5).filter(
    lambda lists: any(lists.values())
)


def cells(*lists: Any, users: Any = (3, 11, 29)) -> pl.DataFrame:
    return pl.DataFrame({"user_id": list(users), "item_id": list(lists)}, strict=False)


def rows(lists: dict[Any, list[Any]]) -> pl.DataFrame:
    flat = [(user, item, rank) for user, items in lists.items() for rank, item in enumerate(items, 1)]
    kind = pl.String if any(isinstance(item, str) for _, item, _ in flat) else pl.Int64
    return pl.DataFrame(flat, schema={"user_id": pl.Int64, "item_id": kind, "rank": pl.Int64}, orient="row")


def faults(given: Any, **others: Any) -> dict[str, tuple[int, int | None, str | None]]:
    found = validate_submission(given, SAMPLE, ITEMS, **others)
    return {one.fault: (one.count, one.first_row, one.user) for one in found.problems}


@given(lists=LISTS)
def test_what_is_written_is_what_python_writes_and_is_read_again(lists: dict[int, list[int]]) -> None:
    written = as_cells(rows(lists), list(lists))
    assert written["item_id"].to_list() == [str(one) for one in lists.values()]
    entries = read_submission(written).entries
    got = {(user, place): item for _, user, item, place in entries.rows()}
    assert got == {(str(u), place): str(i) for u, items in lists.items() for place, i in enumerate(items)}


@given(names=st.lists(NAMES, unique=True, min_size=1, max_size=5))
def test_items_with_names_are_quoted_and_read_again(names: list[str]) -> None:
    [(_, cell)] = as_cells(rows({7: names}), [7]).rows()
    assert ast.literal_eval(cell) == names
    assert read_submission(cells(cell, users=[7])).entries["item"].to_list() == names


@pytest.mark.parametrize(
    "cell",
    ["[1, 2, 3]", "[1,2,3]", " [ 1 , 2 , 3 ] ", "['1', '2', '3']", '["1","2","3"]'],
)
def test_lists_may_be_spelt_in_many_ways(cell: str) -> None:
    assert read_submission(cells(cell, users=[7])).entries["item"].to_list() == ["1", "2", "3"]


def test_names_may_hold_commas_blanks_and_apostrophes() -> None:
    cell = """['a, b', "it's", c d]"""
    assert not read_submission(cells(cell, users=[7])).listed.any()
    found = read_submission(cells(cell.replace("c d", "'c d'"), users=[7]))
    assert found.entries["item"].to_list() == ["a, b", "it's", "c d"]


def test_real_lists_of_parquet_are_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": [3, 11, 29], "item_id": [[1, 2], [], None]})
    frame.write_parquet(tmp_path / "lists.parquet")
    for given_lists in (frame, tmp_path / "lists.parquet"):
        assert faults(given_lists) == {"list missing": (1, 3, "29"), "list empty": (1, 2, "11")}


def test_a_good_submission_of_either_form_is_valid() -> None:
    lists = {3: [1, 2], 11: [4], 29: [3, 1, 2]}
    for given_lists in (rows(lists).sample(fraction=1, shuffle=True, seed=1), as_cells(rows(lists), list(lists))):
        found = validate_submission(given_lists, SAMPLE, ITEMS, k=3)
        assert found.valid
        assert (found.users, found.items, found.recommendations, found.short_lists) == (3, 4, 6, 2)
    assert validate_submission(rows(lists)).valid


def test_every_kind_of_fault_is_found_at_once() -> None:
    bad = cells(
        *("[1, 2, 2]", "[1, 5]", "1, 2", "[]", "[nan, 1]", None, "[1, 2, 3, 4]", "[1 2]"),
        users=(3, 3, 29, 77, None, 78, 79, 80),
    )
    assert faults(bad, k=3) == {
        "user missing": (1, 5, None),
        "list missing": (1, 6, "78"),
        "not a list": (2, 3, "29"),
        "list empty": (1, 4, "77"),
        "user twice": (1, 2, "3"),
        "item missing": (1, 5, None),
        "item twice": (1, 1, "3"),
        "list too long": (1, 7, "79"),
        "item unknown": (1, 2, "3"),
        "user unknown": (4, 4, "77"),
        "user left out": (1, None, "11"),
    }


def test_every_kind_of_fault_in_rows_is_found_at_once() -> None:
    bad = pl.DataFrame(
        {
            "user_id": ["3", "3", "3", "11", "11", "29", "29", "29", "29", "", "7"],
            "item_id": ["1", "2", "2", "1", "9", "1", "2", "3", "4", "1", "nan"],
            "rank": ["1", "2", "2", "1", "3", "0", "x", "1.5", "1", "1", "1.0"],
        }
    )
    assert faults(bad, k=3) == {
        "user missing": (1, 10, None),
        "rank not a place": (3, 6, "29"),
        "rank twice": (1, 3, "3"),
        "rank left out": (1, 5, "11"),
        "item missing": (1, 11, "7"),
        "item twice": (1, 3, "3"),
        "list too long": (1, 6, "29"),
        "item unknown": (1, 5, "11"),
        "user unknown": (1, 11, "7"),
    }


def test_a_sentence_says_what_where_and_what_to_do() -> None:
    [one] = validate_submission(cells("[1, 2]", "[1 2]", "[3]"), SAMPLE, ITEMS).problems
    assert one.sentence == (
        "submission: 1 cell that cannot be read as a list (first: data row 2, user 11, [1 2]); "
        "write it as [1, 2, 3] or ['a', 'b']"
    )
    long = validate_submission(cells("x" * 500, "[1]", "[3]"), SAMPLE, ITEMS).problems[0].sentence
    assert len(long) < 250


def test_ids_that_pandas_made_fractions_of_are_ids_again() -> None:
    frame = rows({3: [1], 11: [2], 29: [3]}).with_columns(pl.col("user_id").cast(pl.Float64)).to_pandas()
    assert validate_submission(frame, SAMPLE, ITEMS).valid


def test_neither_form_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown column 'item_id': did you mean 'item_ids'"):
        validate_submission(pl.DataFrame({"user_id": [1], "item_ids": ["[1]"]}))
    with pytest.raises(DataError, match=r"none.csv: cannot be read"):
        validate_submission(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="k is 0"):
        validate_submission(cells("[1]", "[1]", "[1]"), k=0)
    no_ranks = validate_submission(rows({3: [1, 2]}).drop("rank"))
    assert {one.fault for one in no_ranks.problems} == {"not a list", "user twice"}


def test_a_file_is_written_whole_in_the_order_of_the_sample(tmp_path: Path) -> None:
    out = write_submission(rows({29: [1, 2], 3: [4]}), [3, 11, 29], tmp_path / "lists.csv")
    assert out.read_text() == 'user_id,item_id\n3,[4]\n11,[]\n29,"[1, 2]"\n'
    assert [one.name for one in tmp_path.iterdir()] == ["lists.csv"]
    with pytest.raises(DataError, match=r"unknown format '.parquet', a submission is a .csv file"):
        write_submission(rows({3: [4]}), [3], tmp_path / "lists.parquet")
    with pytest.raises(DataError, match="there is no folder"):
        write_submission(rows({3: [4]}), [3], tmp_path / "nowhere" / "lists.csv")
    for name in ("a'\"b", "a\\b"):
        with pytest.raises(DataError, match="quote marks of both sorts"):
            as_cells(rows({3: [name]}), [3])
