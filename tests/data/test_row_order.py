"""Interactions in canonical order: what a stable sort by user and time gives, for any number of users and events."""

import numpy as np
import pytest

from encorec.data.row_order import LONG_HISTORY, PARTS, sorted_rows


@pytest.mark.parametrize(
    ("rows", "users", "times"),
    [(5000, 3, 40), (5000, 3 * PARTS + 7, 5), (3 * LONG_HISTORY, 1, 2**62), (2000, PARTS, 2**40), (2, 10**7, 2)],
    ids=["long histories, many ties", "parts of several users", "one user", "a user per part", "hardly anybody"],
)
def test_order_is_that_of_lexsort(rows: int, users: int, times: int) -> None:
    rng = np.random.default_rng(rows)
    user = rng.integers(0, users, rows).astype(np.int32)
    item, time = rng.integers(0, 9, rows).astype(np.int32), rng.integers(-times, times, rows)
    weight = rng.random(rows).astype(np.float32)
    found = sorted_rows(user, item, time, weight, users)
    expected = np.lexsort((time, user))
    for column, given in zip(found, (user, item, time, weight, np.arange(rows)), strict=True):
        assert column.tolist() == given[expected].tolist()


def test_what_stands_in_order_is_copied_not_shared() -> None:
    user, item, time = np.array([0, 0, 1], np.int32), np.array([2, 1, 0], np.int32), np.array([3, 3, 1])
    weight = np.ones(3, np.float32)
    found = sorted_rows(user, item, time, weight, 2)
    assert found[1].tolist() == [2, 1, 0]
    assert not any(np.shares_memory(*pair) for pair in zip(found, (user, item, time, weight), strict=False))


def test_a_column_with_gaps_in_memory_is_read_right() -> None:
    pairs = np.array([[1, 9], [0, 8], [1, 7]], np.int32)
    weight = np.ones(3, np.float32)
    assert sorted_rows(pairs[:, 0], pairs[:, 1], np.array([5, 6, 4]), weight, 2)[1].tolist() == [8, 7, 9]
