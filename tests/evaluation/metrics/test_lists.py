import numpy as np
import pytest
from hypothesis import given
from tests.evaluation.worlds import World, worlds

from encorec.errors import DataError
from encorec.evaluation.metrics.lists import judge
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


@pytest.mark.parametrize("longest", [3, 40, 400])
def test_hits_of_long_lists_and_long_truths(longest: int) -> None:
    rng = np.random.default_rng(0)
    recommended = rng.permuted(np.tile(np.arange(500), (30, 1)), axis=1)[:, :longest]
    wanted = [rng.choice(500, size, replace=False) for size in rng.integers(1, longest + 1, 30)]
    expected = [np.isin(row, one).tolist() for row, one in zip(recommended, wanted, strict=True)]
    assert judge(recommended, ItemLists.of(wanted)).hit.tolist() == expected


@pytest.mark.parametrize("length", [3, 40])
def test_repeats_are_found_in_short_and_long_lists(length: int) -> None:
    items = [*range(length), 0]
    with pytest.raises(DataError, match="recommended: 1 lists hold an item twice"):
        judge(np.array([items]), ItemLists.of([[1]]))
    with pytest.raises(DataError, match="truth: 1 lists hold an item twice"):
        judge(np.array([[1]]), ItemLists.of([items]))
    assert judge(np.array([items]), ItemLists.of([[1]]), repeats=True).width == length + 1


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64, np.uint8, np.uint64])
def test_lists_of_any_whole_numbers_are_read(kind: type) -> None:
    assert judge(np.array([[3, 1]], kind), ItemLists.of([[1, 5]])).hit.tolist() == [[False, True]]
    strided = np.array([[3, 9, 1, 9]], kind)[:, ::2]
    assert judge(strided, ItemLists.of([[1, 5]])).hit.tolist() == [[False, True]]


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**32 + 1, 2**62])
def test_a_number_too_large_for_an_item_is_refused_and_not_wrapped(number: int) -> None:
    with pytest.raises(DataError, match=f"the largest item number is {number}, allowed is up to"):
        judge(np.array([[1, number]]), ItemLists.of([[1]]))


def test_a_number_far_below_is_refused_and_not_wrapped() -> None:
    with pytest.raises(DataError, match="hold a number below -1"):
        judge(np.array([[1, -(2**32) + 1]]), ItemLists.of([[1]]))


@pytest.mark.parametrize(
    ("gain", "message"),
    [
        ([1.0], r"gain has shape \(1,\), the truth has 2 items"),
        ([1.0, 0.0], r"gain: 1 of the relevant items have none above 0 \(first: position 1, 0.0\)"),
        ([-1.0, 2.0], "gain: 1 of the relevant items have none above 0"),
        ([np.nan, np.inf], "gain: 2 of the relevant items have none above 0"),
    ],
)
def test_gains_that_are_none_are_refused(gain: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        judge(np.array([[1]]), ItemLists.of([[1, 2]]), np.array(gain))


def test_lists_without_gains_have_nothing_at_their_hits() -> None:
    with pytest.raises(DataError, match="judged without gains and weights"):
        judge(np.array([[1]]), ItemLists.of([[1]])).at_hits(np.ones(1), 1)


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
