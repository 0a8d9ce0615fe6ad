import numpy as np
import pytest
from hypothesis import given
from tests.evaluation.worlds import World, worlds

from encorec.errors import DataError
from encorec.evaluation import lists as lists_module
from encorec.evaluation.lists import judge
from encorec.types import ItemLists


@given(worlds())
def test_a_hit_is_a_recommended_item_that_the_user_wanted(world: World) -> None:
    expected = [
        [item in wanted for item in row] + [False] * (world.width - len(row))
        for row, wanted in zip(world.shown, world.relevant, strict=True)
    ]
    assert world.lists.hit.tolist() == expected


@given(worlds())
def test_hits_never_fall_with_the_cut_off_and_stop_at_the_end_of_the_list(world: World) -> None:
    counted = np.array([world.lists.hits(k) for k in range(1, 12)])
    assert (np.diff(counted, axis=0) >= 0).all()
    assert (counted[-1] == world.lists.hit.sum(axis=1)).all()


def test_hits_do_not_depend_on_how_much_is_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    recommended = rng.permuted(np.tile(np.arange(30), (50, 1)), axis=1)[:, :7]
    truth = ItemLists.of([rng.choice(30, size, replace=False) for size in rng.integers(1, 9, 50)])
    at_once = judge(recommended, truth).hit
    monkeypatch.setattr(lists_module, "_CELLS_AT_ONCE", 20)
    assert (judge(recommended, truth).hit == at_once).all()


def test_an_empty_place_is_never_a_hit() -> None:
    assert not judge(np.array([[-1, -1]]), ItemLists.of([[0]])).hit.any()


@pytest.mark.parametrize(
    ("recommended", "truth", "message"),
    [
        ([[1], [2], [3]], [[1], [], []], "truth: 2 lists are empty (first: row 1)"),
        ([[1], [2]], [[4, 4], [5]], "truth: 1 lists hold an item twice (first: row 0)"),
        ([[1], [2]], [[4], [5, -1]], "truth: 1 lists hold a negative item number (first: row 1)"),
        ([[1, 2], [3, 3], [4, 4]], [[1], [1], [1]], "recommended: 2 lists hold an item twice (first: row 1)"),
        ([[1, 2], [-1, 3]], [[1], [1]], "recommended: 1 lists have an empty place before an item (first: row 1)"),
        ([[1, -2]], [[1]], "recommended: 1 lists hold a number below -1 (first: row 0)"),
        ([[1], [2]], [[1]], "recommended has 2 lists, the truth has 1"),
        ([[1.0]], [[1]], "must be a matrix (users, places) of item numbers, got 2 dimensions of float64"),
        ([1, 2], [[1], [1]], "got 1 dimensions of int64"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_row(
    recommended: list[list[int]], truth: list[list[int]], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        judge(np.array(recommended), ItemLists.of(truth))
    assert message in str(caught.value)


def test_no_users_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="the truth is empty"):
        judge(np.empty((0, 3), np.int32), ItemLists.empty(0))


def test_the_order_of_the_truth_does_not_matter() -> None:
    recommended = np.array([[3, 1, 2]])
    assert (
        judge(recommended, ItemLists.of([[2, 9, 3]])).hit == judge(recommended, ItemLists.of([[9, 3, 2]])).hit
    ).all()
