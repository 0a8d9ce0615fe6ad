"""Every rule finds what was planted, nothing where nothing is, and as many as a slow twin."""

import numpy as np
import pytest
from hypothesis import given
from tests.data.exploration.worlds import DAY, drawn_logs, rows_of, table_of

from encorec.data.dataset import Dataset
from encorec.data.exploration.repeats import RepeatedPairs
from encorec.data.exploration.suspicion import Bulk, Finding, SuspicionConfig, suspicious
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError

START = 20_000 * DAY
USERS, ITEMS = 400, 60


def judged(table: Interactions, config: SuspicionConfig | None = None) -> dict[str, Finding]:
    found = suspicious(Dataset.of(table), RepeatedPairs.of(table), config)
    return {one.name: one for one in found}


def quiet_log(*planted: tuple[int, int, int]) -> Interactions:
    """Everybody takes five items on days of their own, nobody twice; then what is planted: (user, item, second)."""
    rng = np.random.default_rng(3)
    rows = [
        (user, int(item), START + int(rng.integers(100 * DAY)) + 1)
        for user in range(USERS)
        for item in rng.choice(ITEMS - 1, 5, replace=False)
    ]
    user, item, time = zip(*rows, *planted, strict=True)
    return Interactions.of(list(user), list(item), list(time), users=USERS + 1, items=ITEMS)


def test_a_quiet_log_is_not_suspicious() -> None:
    assert {name: one.count for name, one in judged(quiet_log()).items() if one.count} == {}


PLANTED: dict[str, tuple[list[tuple[int, int, int]], str]] = {
    "absurd activity": ([(7, one % 50, START + one * 50_021) for one in range(90)], "user 7: 95 interactions"),
    "absurd day": ([(7, one % 50, START + one * 801) for one in range(60)], "user 7: 60 interactions on 2024-10-04"),
    "clockwork": ([(USERS, one, START + one * 90_000) for one in range(12)], f"user {USERS}: every 90,000 seconds"),
    "history of one second": (
        [(USERS, one, START + 77) for one in range(4)],
        f"user {USERS}: 4 interactions in the second 2024-10-04 00:01:17",
    ),
    "many in one second": (
        [(7, one, START + 77) for one in range(11)],
        "user 7: 11 interactions, from 2024-10-04 00:01:17",
    ),
    "bursts": (
        [(7, one % 50, START + 7 + one * 36) for one in range(101)],
        "user 7: 101 interactions, from 2024-10-04 00:00:07",
    ),
    "items of one user": ([(7, ITEMS - 1, START + 5)], f"item {ITEMS - 1}: 1 interactions of user 7"),
    "items pushed by one user": (
        [(7, ITEMS - 1, START + one * 50_000) for one in range(6)],
        f"item {ITEMS - 1}: 6 interactions of user 7",
    ),
    "long before the bulk": ([(7, 3, 5)], "user 7, item 3, 1970-01-01 00:00:05"),
    "long after the bulk": ([(7, 3, START + 4000 * DAY)], "user 7, item 3, 2035-09-17 00:00:00"),
    "exact repeats": ([(USERS, 3, START + 5)] * 2, f"user {USERS}, item 3, 2024-10-04 00:00:05"),
}


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_planted_is_found(rule: str) -> None:
    planted, example = PLANTED[rule]
    found = judged(quiet_log(*planted))[rule]
    assert (found.count, found.example) == (1, example)
    assert 0 < found.share <= 1


def test_every_rule_has_a_case() -> None:
    assert judged(quiet_log()).keys() == PLANTED.keys()


@given(drawn_logs())
def test_bursts_are_what_a_walk_over_all_windows_finds(table: Interactions) -> None:
    config = SuspicionConfig(second_rows=2, burst_rows=3, burst_seconds=3600, whole_rows=2, single_rows=2)
    found, rows = judged(table, config), rows_of(table)
    if not rows:
        assert found == {}
        return
    times = {user: [row[2] for row in rows if row[0] == user] for user in {row[0] for row in rows}}
    dense = sum(any(sum(0 <= b - a <= 3600 for b in mine) >= 3 for a in mine) for mine in times.values())
    equal = sum(any(mine.count(a) >= 2 for a in mine) for mine in times.values())
    whole = sum(len(mine) >= 2 and len(set(mine)) == 1 for mine in times.values())
    timed = any(row[2] % DAY for row in rows)
    wanted = (whole, equal, dense) if timed else (None, None, None)
    assert tuple(found[name].count for name in ("history of one second", "many in one second", "bursts")) == wanted
    owners = {item: {row[0] for row in rows if row[1] == item} for item in {row[1] for row in rows}}
    assert found["items of one user"].count == sum(len(one) == 1 for one in owners.values())
    assert found["exact repeats"].count == len(rows) - len(set(rows))


def test_dates_say_nothing_of_seconds() -> None:
    found = judged(table_of([(0, one, DAY, 1.0) for one in range(5)]), SuspicionConfig(second_rows=2))
    assert found["many in one second"].count is None
    assert "these times are dates" in found["many in one second"].rule


def test_ids_and_times_of_any_size_can_be_shown() -> None:
    table = Interactions.of([0, 0, 0], [0, 0, 1], [-(2**50), 2**50, 2**50])
    assert judged(table)["items of one user"].count == 2
    assert judged(Interactions.of([0, 0], [0, 0], [2**50, 2**50]))["exact repeats"].example.endswith(f"second {2**50}")


def test_the_bulk_leaves_out_what_lies_far_off() -> None:
    time = np.concatenate([np.arange(100) * DAY, [9_000 * DAY]])
    bulk = Bulk.of(time, fence=3)
    assert (bulk.first, bulk.last) == (25 * DAY - 150 * DAY, 75 * DAY + 150 * DAY)
    assert Bulk.of(np.zeros(3, int), fence=3) == Bulk(-3 * DAY, 3 * DAY)
    assert Bulk.of(np.zeros(0, int), fence=3) == Bulk(0, 0)


def test_limits_out_of_bounds_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"SuspicionConfig.burst_rows is 1, allowed is 2 to 1e\+09"):
        SuspicionConfig(burst_rows=1)
