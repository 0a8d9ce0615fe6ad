"""Days against a slow twin that walks through the log, and a week counted by hand."""

from collections import Counter

import numpy as np
from hypothesis import given
from tests.data.exploration.worlds import DAY, drawn_logs, rows_of, table_of

from encorec.data.exploration.days import Days, Gap, Rhythm
from encorec.data.interactions import Interactions


def walked(table: Interactions) -> dict[int, list[int]]:
    """Day -> rows, users, items, new users, new items, rows by new users, rows with new items."""
    rows = sorted(rows_of(table), key=lambda row: row[2])
    found: dict[int, list[int]] = {}
    seen_users: set[int] = set()
    seen_items: set[int] = set()
    for day in sorted({row[2] // DAY for row in rows}):
        today = [row for row in rows if row[2] // DAY == day]
        users, items = {row[0] for row in today}, {row[1] for row in today}
        new_users, new_items = users - seen_users, items - seen_items
        by_new, with_new = (sum(row[0] in new_users for row in today), sum(row[1] in new_items for row in today))
        found[day] = [len(today), len(users), len(items), len(new_users), len(new_items), by_new, with_new]
        seen_users |= users
        seen_items |= items
    return found


@given(drawn_logs())
def test_every_day_is_counted_as_one_who_walks_through_the_log_counts_it(table: Interactions) -> None:
    days, wanted = Days.of(table), walked(table)
    columns = (
        days.rows,
        days.users,
        days.items,
        days.new_users,
        days.new_items,
        days.new_user_rows,
        days.new_item_rows,
    )
    assert days.day.tolist() == list(wanted)
    assert np.column_stack(columns).tolist() == [*wanted.values()]


@given(drawn_logs())
def test_new_ones_add_up_to_all_and_gaps_to_the_span(table: Interactions) -> None:
    days = Days.of(table)
    assert days.new_users.sum() == (table.user_counts > 0).sum()
    assert days.new_items.sum() == (table.item_counts > 0).sum()
    gaps = days.gaps()
    assert [one.days for one in gaps] == sorted((one.days for one in gaps), reverse=True)
    if len(days):
        assert sum(one.days for one in gaps) + len(days) == days.day[-1] - days.day[0] + 1
    for share in days.cold_shares().values():
        assert np.all((share >= 0) & (share <= 1))
        assert np.all(share[:1] == 1)


def test_days_far_apart_cost_no_more_than_days_together() -> None:
    days = Days.of(table_of([(0, 0, 0, 1.0), (1, 0, 30_000_000 * DAY, 1.0), (1, 1, 30_000_000 * DAY, 1.0)]))
    assert days.day.tolist() == [0, 30_000_000]
    assert days.items.tolist() == [1, 2]
    assert days.gaps() == [Gap(1, 29_999_999)]
    assert days.within(1, 40_000_000).day.tolist() == [30_000_000]


def test_times_before_1970_have_days_too() -> None:
    days = Days.of(table_of([(0, 0, -1, 1.0), (0, 1, 0, 1.0)]))
    assert days.day.tolist() == [-1, 0]
    assert Rhythm.of(table_of([(0, 0, -1, 1.0)])).rows[2, 23] == 1


@given(drawn_logs())
def test_the_week_is_what_the_calendar_says(table: Interactions) -> None:
    found = Rhythm.of(table)
    at = [np.datetime64(int(second), "s").item() for second in table.time]
    assert found.rows.sum() == len(table)
    assert {place: found.rows[place] for place in np.ndindex(7, 24) if found.rows[place]} == Counter(
        (one.weekday(), one.hour) for one in at
    )
    assert found.days.tolist() == [len({one.date() for one in at if one.weekday() == day}) for day in range(7)]
    assert found.timed == any(second % DAY for second in table.time.tolist())


def test_a_mean_monday() -> None:
    monday = 4 * DAY
    found = Rhythm.of(table_of([(0, 0, monday, 1.0), (0, 1, monday, 1.0), (0, 2, monday + 7 * DAY, 1.0)]))
    assert found.per_day().tolist() == [1.5, 0, 0, 0, 0, 0, 0]
