"""The score of the KION competition: by hand, against the course's own formula, and its parts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from tests.evaluation.frames.worlds import Tables, tables

from encorec.errors import ConfigError, DataError
from encorec.evaluation.leaderboard.score import Score, score_submission
from encorec.evaluation.leaderboard.submission import as_cells

TRUTH = pl.DataFrame({"user_id": [1, 1, 1, 2, 3, 4], "item_id": [10, 20, 30, 10, 20, 30]})
LISTS = pl.DataFrame({"user_id": [1, 2, 3, 9], "item_id": ["[10, 99, 20]", "[20, 10]", "[10]", "[10]"]})
PARTS = {1: "public", 2: "public", 3: "private", 4: "private"}


def scored(given: Any = LISTS, truth: Any = TRUTH, **others: Any) -> Score:
    return score_submission(given, truth, **{"resamples": 50, **others})


def of_the_course(recs: pd.DataFrame, truth: pd.DataFrame) -> float:
    """``compute_metrics`` of the course's notebook, MAP part: long tables with user_id, item_id and rank."""
    keys = ["user_id", "item_id"]
    joined = truth.set_index(keys).join(recs.set_index(keys)).sort_values(by=["user_id", "rank"])
    joined["users_item_count"] = joined.groupby(level="user_id")["rank"].transform("size")
    joined["cumulative_rank"] = joined.groupby(level="user_id").cumcount() + 1
    joined["cumulative_rank"] = joined["cumulative_rank"] / joined["rank"]
    users_count = joined.index.get_level_values("user_id").nunique()
    return float(np.nansum((joined["cumulative_rank"] / joined["users_item_count"]).to_numpy())) / users_count


@settings(max_examples=40)
@given(world=tables())
def test_the_score_is_that_of_the_course(world: Tables) -> None:
    expected = of_the_course(world.recs.to_pandas(), world.truth.to_pandas())
    cells = as_cells(world.recs, list(world.shown))
    for given_lists in (world.recs, cells):
        assert scored(given_lists, world.truth, resamples=2).total.mean == pytest.approx(expected, abs=1e-12)


def test_the_score_by_hand() -> None:
    """User 1 finds 2 of 3 at ranks 1 and 3, user 2 one at rank 2, user 3 nothing, user 4 has no list."""
    found = scored()
    assert found.total.mean == pytest.approx(((1 + 2 / 3) / 3 + 1 / 2 + 0 + 0) / 4)
    assert (found.total.users, found.covered_users, found.ignored_users) == (4, 3, 1)
    assert (found.parts, found.split) == ({}, None)


def test_all_test_items_divide_also_where_there_are_more_than_k() -> None:
    truth = pl.DataFrame({"user_id": [1] * 25, "item_id": range(25)})
    lists = pl.DataFrame({"user_id": [1], "item_id": [str(list(range(10)))]})
    assert scored(lists, truth).total.mean == 10 / 25


@pytest.mark.parametrize("kind", ["part of truth", "public of truth", "split file", "split file of more users"])
def test_parts_are_those_that_were_given(kind: str) -> None:
    part = TRUTH["user_id"].replace_strict(PARTS, return_dtype=pl.String)
    others: dict[str, Any] = {}
    if kind == "part of truth":
        others["truth"] = TRUTH.with_columns(part=part)
    elif kind == "public of truth":
        others["truth"] = TRUTH.with_columns(public=part == "public")
    else:
        more = PARTS | ({8: "public"} if kind.endswith("more users") else {})
        others["split"] = pl.DataFrame({"user_id": list(more), "part": [one.title() for one in more.values()]})
    found = scored(**others)
    assert found.parts["public"].mean == pytest.approx(((1 + 2 / 3) / 3 + 1 / 2) / 2)
    assert (found.parts["private"].mean, found.parts["private"].users) == (0, 2)
    assert found.split == f"column {'public' if kind.startswith('public') else 'part'!r} of " + (
        "truth" if kind.endswith("truth") else "split"
    )


def test_users_of_a_split_are_spelt_as_those_of_the_truth(tmp_path: Path) -> None:
    """A split that knows more users, some of them by name, beside files without types."""
    LISTS.write_csv(tmp_path / "lists.csv")
    TRUTH.write_csv(tmp_path / "truth.csv")
    split = pl.DataFrame({"user_id": ["1", "2", "3", "4", "anna"], "public": ["1", "1", "0", "0", "1"]})
    found = scored(tmp_path / "lists.csv", tmp_path / "truth.csv", split=split)
    assert (found.parts["public"].users, found.parts["private"].users) == (2, 2)
    with pytest.raises(DataError, match="ids must be of one kind, spelt alike"):
        scored(tmp_path / "lists.csv", TRUTH, split=split)


def test_a_draw_depends_on_the_seed_and_the_users_only() -> None:
    users = np.arange(200)
    truth = pl.DataFrame({"user_id": users, "item_id": users % 7})
    lists = pl.DataFrame({"user_id": users, "item_id": [f"[{one % 5}]" for one in users]})
    found = scored(lists, truth, public_share=0.3, seed=2)
    again = scored(lists.sample(fraction=1, shuffle=True, seed=1), truth.reverse(), public_share=0.3, seed=2)
    assert again == found
    assert (found.parts["public"].users, found.parts["private"].users) == (60, 140)
    together = (60 * found.parts["public"].mean + 140 * found.parts["private"].mean) / 200
    assert together == pytest.approx(found.total.mean)
    assert scored(lists, truth, public_share=0.3, seed=3).parts != found.parts
    assert found.split == "drawn by user: public share 0.3, seed 2"


def test_the_dictionary_is_ready_for_json() -> None:
    content = scored(public_share=0.5, k=3).as_dict()
    assert json.loads(json.dumps(content)) == content
    assert content.keys() == {
        *("map@3", "public", "private", "split", "users", "covered_users", "ignored_users", "seed")
    }
    assert content["public"].keys() == {"mean", "ci95", "users"}


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "an item twice": (
        {"given": LISTS.with_columns(item_id=pl.lit("[1, 1]"))},
        DataError,
        "submission: 4 items that stands in the list already",
    ),
    "two faults": (
        {"given": LISTS.with_columns(item_id=pl.Series(["[1, 1]", "7", "[1]", "[1]"]))},
        DataError,
        "submission: 1 cell that cannot be read as a list (first: data row 2, user 2, 7)",
    ),
    "a list too long": ({"k": 2}, DataError, "submission: 1 list of more than 2 items (first: data row 1, user 1, 3"),
    "lists of others": (
        {"given": LISTS.with_columns(pl.col("user_id") + 50)},
        DataError,
        "submission: none of the 4 users of the truth has a list here",
    ),
    "items of another kind": (
        {"given": LISTS.with_columns(item_id=pl.lit("['x1', 'x2']"))},
        DataError,
        "truth: column 'item_id' holds integers (such as 10), but submission: column 'item_id' holds text (such as",
    ),
    "two sources of parts": (
        {"truth": TRUTH.with_columns(part=pl.lit("public")), "public_share": 0.5},
        ConfigError,
        "given by the column 'part' of the truth and by a public share; keep one of them",
    ),
    "a share of everybody": ({"public_share": 1.0}, ConfigError, "the public share is 1.0"),
    "a share of nobody": ({"public_share": 0.01}, DataError, "a draw: all users are private"),
    "one part only": ({"truth": TRUTH.with_columns(public=True)}, DataError, "truth: all users are public"),
    "no such part": (
        {"truth": TRUTH.with_columns(part=pl.Series(["public", "secret", "public"] * 2))},
        DataError,
        "truth: column 'part' has 2 values that name no part (first: data row 2, 'secret'); write public or private",
    ),
    "a user in both": (
        {"truth": TRUTH.with_columns(part=pl.Series(["public", "private", *["public"] * 4]))},
        DataError,
        "truth: column 'part' has 1 value that put a user into the other part as well (first: data row 2, 'private')",
    ),
    "a user in none": (
        {"split": pl.DataFrame({"user_id": [1, 2, 4], "part": ["public", "private", "private"]})},
        DataError,
        "split: 1 user of the truth without a part (first: 3)",
    ),
    "a split without parts": (
        {"split": pl.DataFrame({"user_id": [1, 2, 3, 4]})},
        DataError,
        "split: has neither a column 'part' nor a column 'public'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_scored_is_refused(case: str) -> None:
    changed, kind, message = BAD[case]
    with pytest.raises(kind) as caught:
        scored(**changed)
    assert message in str(caught.value)
