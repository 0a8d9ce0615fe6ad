"""Taken pairs beside a plain set."""

import numpy as np
from tests.contracts.worlds import world

from encorec.nn.taken_pairs import TakenPairs

TABLE = world().interactions


def test_it_is_the_set_of_pairs_without_what_is_kept_aside() -> None:
    held_out = np.flatnonzero(TABLE.user_counts)[::2]
    events = [(int(TABLE.user[row]), int(TABLE.item[row])) for row in range(len(TABLE))]
    aside = {int(TABLE.indptr[user + 1]) - 1 for user in held_out}
    wanted = {pair for row, pair in enumerate(events) if row not in aside}
    assert len(wanted) < len(set(events)), "an item that was taken once, last"
    user = np.arange(TABLE.users)
    item = np.tile(np.arange(TABLE.items), (TABLE.users, 1))
    found = TakenPairs.of(TABLE, held_out).hold(user, item)
    assert set(zip(*(part.tolist() for part in np.nonzero(found)), strict=True)) == wanted


def test_numbers_beyond_32_bits_are_told_apart() -> None:
    pairs = TakenPairs(np.array([3_000_000 * 5_000_000 + 7]), 5_000_000)
    user, item = np.array([3_000_000, 0], np.int32), np.array([[7, 8], [7, 8]], np.int32)
    assert pairs.hold(user, item).tolist() == [[True, False], [False, False]]


def test_nothing_taken_holds_nothing() -> None:
    pairs = TakenPairs.of(TABLE, np.array([], np.int64))
    assert pairs.hold(np.zeros(0, np.int32), np.zeros((0, 4), np.int64)).shape == (0, 4)
    assert not TakenPairs(np.array([], np.int64), 5).hold(np.array([1]), np.array([[0, 4]])).any()
