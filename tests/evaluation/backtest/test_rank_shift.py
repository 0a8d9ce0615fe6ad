"""The crosstab of ranks counts every item that either list shows exactly once."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.backtest.rank_shift import rank_shift, wanted_places
from encorec.types import ItemLists


@st.composite
def two_lists(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    n, wide, k = draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(st.integers(1, 5))

    def lists(width: int) -> np.ndarray:
        rows = [draw(st.permutations(range(12)))[: draw(st.integers(0, width))] for _ in range(n)]
        return np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32)

    truth = [sorted(draw(st.sets(st.integers(0, 11), min_size=1, max_size=5))) for _ in range(n)]
    return lists(wide), lists(k), truth


def bucket(rank: int, labels: tuple[str, ...]) -> int:
    ends = [int(label.split("-")[-1]) for label in labels[:-1]]
    return next((place for place, end in enumerate(ends) if 0 < rank <= end), len(labels) - 1)


@given(two_lists())
def test_the_crosstab_is_that_of_counting_item_by_item(
    given_lists: tuple[np.ndarray, np.ndarray, list[list[int]]],
) -> None:
    wide, final, truth = given_lists
    shift = rank_shift(wide, final, ItemLists.of(truth))
    items, hits = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for before, shown, wanted in zip(wide.tolist(), final.tolist(), truth, strict=True):
        for item in {*shown, *before[: len(shown)]} - {-1}:
            rows = bucket(before.index(item) + 1 if item in before else 0, shift.before)
            columns = bucket(shown.index(item) + 1 if item in shown else 0, shift.after)
            items[rows, columns] += 1
            hits[rows, columns] += item in wanted
    for table, counted in ((shift.items, items), (shift.hits, hits)):
        assert table.tolist() == [
            [counted[row, column] for column in range(len(shift.after))] for row in range(len(shift.before))
        ]


def test_shifts_of_two_exams_add_up() -> None:
    one = rank_shift(np.array([[3, 4]]), np.array([[4]]), ItemLists.of([[4]]))
    two = one + one
    assert (two.items == 2 * one.items).all()
    assert two.before == one.before == ("1", "2", "not proposed")


@given(two_lists())
def test_places_of_wanted_items(given_lists: tuple[np.ndarray, np.ndarray, list[list[int]]]) -> None:
    lists, _, truth = given_lists
    wanted = [
        row.tolist().index(item) + 1 if item in row else 0
        for row, items in zip(lists, truth, strict=True)
        for item in items
    ]
    assert wanted_places(lists, ItemLists.of(truth)).tolist() == wanted


@pytest.mark.parametrize("width", [1, 3, 100, 130])
def test_every_rank_has_its_label(width: int) -> None:
    shift = rank_shift(np.arange(width)[None], np.full((1, 1), -1), ItemLists.of([[0]]))
    assert shift.before[-2].split("-")[-1] == str(width)
