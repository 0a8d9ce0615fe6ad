"""Folds against slow twins in plain Python, and the law that nothing of an exam is in its past."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.splits import Fold, LastN, RollingTime, Split, TimeCut, earlier_folds
from encorec.errors import ConfigError, DataError

DAY = 86_400
SUNDAY = 1_629_590_400  # 2021-08-22, midnight UTC
USERS, ITEMS = 4, 6

Row = tuple[int, int, int]


@dataclass(frozen=True)
class Drops:
    """Which rows a split leaves out of the truth."""

    drop_cold_users: bool
    drop_cold_items: bool
    drop_seen: bool | None


DROPS = st.builds(Drops, st.booleans(), st.booleans(), st.sampled_from([None, True, False]))
ROWS = st.lists(
    st.tuples(
        st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), st.integers(0, 12).map(lambda half: half * DAY // 2)
    ),
    max_size=30,
)


def dataset(rows: list[Row], items: int = ITEMS) -> Dataset:
    user, item, time = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return Dataset.of(Interactions.of(user, item, time, users=USERS, items=items))


def by_user(rows: list[Row]) -> dict[int, list[int]]:
    """Places of each user's rows, by time, equal times as given."""
    return {
        user: sorted((p for p, row in enumerate(rows) if row[0] == user), key=lambda p: rows[p][2])
        for user in range(USERS)
    }


def truth_slowly(rows: list[Row], past: list[int], test: list[int], drops: Drops, rule: bool) -> dict[int, set[int]]:
    """What each user must be foretold."""
    known = [rows[place] for place in past]
    drop_seen = rule if drops.drop_seen is None else drops.drop_seen
    truth: dict[int, set[int]] = {}
    for user, item, _ in (rows[place] for place in test):
        cold_user, cold_item = user not in [row[0] for row in known], item not in [row[1] for row in known]
        seen = (user, item) in [row[:2] for row in known]
        if not ((cold_user and drops.drop_cold_users) or (cold_item and drops.drop_cold_items) or (seen and drop_seen)):
            truth.setdefault(user, set()).add(item)
    return truth


def fold_or_none(split: Split, rows: list[Row], rule: bool) -> Fold | None:
    try:
        return split.folds(dataset(rows), drop_seen=rule)[-1]
    except DataError:
        return None


def judge(fold: Fold | None, rows: list[Row], past: list[int], test: list[int], drops: Drops, rule: bool) -> None:
    """The fold is the one that plain Python gives; none where either side is empty."""
    expected = truth_slowly(rows, past, test, drops, rule)
    if not expected or not past:
        assert fold is None
        return
    assert fold is not None
    assert fold.user.tolist() == sorted(expected)
    assert [fold.truth.row(row).tolist() for row in range(len(fold))] == [sorted(expected[u]) for u in sorted(expected)]
    assert sorted(fold.past.interactions.row.tolist()) == sorted(past)
    places = by_user(rows)
    for row, user in enumerate(fold.user.tolist()):
        own = [place for place in places[user] if place in past]
        assert fold.history.items(row).tolist() == [rows[place][1] for place in own]


@given(ROWS, st.integers(1, 3), DROPS, st.booleans())
def test_last_n_holds_out_the_newest_of_each_user(rows: list[Row], n: int, drops: Drops, rule: bool) -> None:
    test = [place for own in by_user(rows).values() if len(own) > n for place in own[-n:]]
    past = [place for place in range(len(rows)) if place not in test]
    fold = fold_or_none(LastN(n=n, **vars(drops)), rows, rule)
    judge(fold, rows, past, test, drops, rule)
    for row, user in enumerate(fold.user.tolist() if fold else []):
        assert fold is not None
        assert fold.now[row] == rows[by_user(rows)[user][-n]][2] + 1


@given(ROWS, st.sampled_from([0.5, 1, 2.5, 100]), DROPS, st.booleans())
def test_a_cut_of_days_counts_back_from_the_newest_second(
    rows: list[Row], days: float, drops: Drops, rule: bool
) -> None:
    cut = max((row[2] for row in rows), default=-1) + 1 - round(days * DAY)
    judge_cut(TimeCut(days=days, **vars(drops)), rows, cut, None, drops, rule)


@given(ROWS, st.sampled_from([0.5, 1, 2, 7]), st.integers(0, 12), DROPS, st.booleans())
def test_a_rolling_range_ends_where_it_is_told(
    rows: list[Row], days: float, half: int, drops: Drops, rule: bool
) -> None:
    end = half * DAY // 2
    split = RollingTime(days=days, n=1, end=f"1970-01-{1 + end // DAY:02}T{end % DAY // 3600:02}:00", **vars(drops))
    judge_cut(split, rows, end - round(days * DAY), end, drops, rule)


def judge_cut(split: Split, rows: list[Row], cut: int, end: int | None, drops: Drops, rule: bool) -> None:
    past = [place for place, row in enumerate(rows) if row[2] < cut]
    test = [place for place, row in enumerate(rows) if row[2] >= cut and (end is None or row[2] < end)]
    fold = fold_or_none(split, rows, rule)
    judge(fold, rows, past, test, drops, rule)
    assert fold is None or set(fold.now.tolist()) == {cut}


@given(ROWS, st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.99]))
def test_a_share_is_reached_with_the_fewest_whole_seconds(rows: list[Row], share: float) -> None:
    fold = fold_or_none(TimeCut(share=share, drop_cold_users=False, drop_seen=False), rows, True)
    if fold is None:
        return
    cut = int(fold.now[0])
    later = [row for row in rows if row[2] >= cut]
    assert fold.statistics.test_rows == len(later) >= share * len(rows) - 1e-6
    assert len([row for row in later if row[2] > cut]) < share * len(rows)
    assert max(fold.past.interactions.time) < cut


def test_interactions_of_one_second_are_never_parted() -> None:
    """Half of four rows would cut among the three of second 50: all three go to the exam."""
    fold = TimeCut(share=0.5).folds(dataset([(0, 0, 10), (0, 1, 50), (0, 2, 50), (0, 3, 50)]))[0]
    assert fold.now.tolist() == [50]
    assert fold.truth.row(0).tolist() == [1, 2, 3]


@pytest.mark.parametrize("at", ["1970-01-02", "1970-01-02T00:00:00", "1970-01-02T03:00:00+03:00"])
def test_a_cut_at_a_date_is_utc_unless_it_says_otherwise(at: str) -> None:
    rows = [(0, 0, DAY - 1), (0, 1, DAY), (0, 2, DAY + 1)]
    fold = TimeCut(at=at).folds(dataset(rows))[0]
    assert fold.name == "from 1970-01-02"
    assert fold.truth.row(0).tolist() == [1, 2]


def test_statistics_worked_by_hand() -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 1, 3)]  # the past: two users, two items
    rows += [(0, 2, 9), (0, 0, 9), (1, 2, 9), (1, 0, 9), (2, 0, 9), (2, 3, 9)]  # item 2 and 3, user 2 are new
    told = TimeCut(at="1970-01-01T00:00:05").folds(dataset(rows))[0].statistics
    assert {name: getattr(told, name) for name in told.__struct_fields__} == {
        "fold": "from 1970-01-01T00:00:05",
        **{"train_rows": 3, "train_users": 2, "train_items": 2, "test_rows": 6, "test_users": 3, "test_items": 3},
        **{"cold_users": 1, "cold_user_rows": 2, "cold_items": 2, "cold_item_rows": 3, "seen_rows": 1},
        **{"queries": 2, "truth_items": 3},
    }


def weeks(n: int = 8) -> Dataset:
    """Each of four users takes the item of the week on a day of his own, ``n`` weeks long, and one more on Monday."""
    sundays = [SUNDAY - 7 * DAY * back for back in range(n, 0, -1)]
    rows = [(user, item, sunday + user * DAY) for item, sunday in enumerate(sundays) for user in range(USERS)]
    return dataset([*rows, *((user, n, SUNDAY + DAY) for user in range(USERS))], items=n + 1)


def test_three_weekly_folds_that_end_on_a_sunday() -> None:
    folds = RollingTime(days=7, n=3, end="2021-08-22").folds(weeks())
    assert [fold.name for fold in folds] == ["from 2021-08-01", "from 2021-08-08", "from 2021-08-15"]
    assert [set(fold.now.tolist()) for fold in folds] == [{SUNDAY - 7 * DAY * back} for back in (3, 2, 1)]
    assert [fold.statistics.test_rows for fold in folds] == [4, 4, 4]
    assert [fold.statistics.train_rows for fold in folds] == [20, 24, 28]
    assert [set(fold.truth.item.tolist()) for fold in folds] == [{5}, {6}, {7}]  # not 8, taken after the end


def test_weekly_folds_before_the_exam_are_the_weeks_before_it() -> None:
    split = RollingTime(days=7, n=3, end="2021-08-22")
    earlier = list(earlier_folds(split.folds(weeks())[-1], split))
    assert [fold.name for fold in islice(earlier, 3)] == ["from 2021-08-08", "from 2021-08-01", "from 2021-07-25"]
    assert len(earlier) == 6  # eight weeks: one exam, the oldest has no past


def test_an_exam_without_a_fixed_end_is_followed_back_without_gaps() -> None:
    rows = [(0, item, day * DAY) for item, day in enumerate([0, 1, 3, 5])]
    split = RollingTime(days=2, n=1)
    test = split.folds(dataset(rows))[-1]
    earlier = list(earlier_folds(test, split))
    assert test.now[0] == 3 * DAY + 1
    assert [int(fold.now[0]) for fold in earlier] == [DAY + 1]
    assert [fold.truth.item.tolist() for fold in earlier] == [[2]]


def test_a_cut_at_a_date_is_repeated_as_its_share() -> None:
    rows = [(0, place % ITEMS, place) for place in range(16)]
    split = TimeCut(at="1970-01-01T00:00:12", drop_seen=False)
    test = split.folds(dataset(rows))[0]
    assert [fold.statistics.test_rows for fold in earlier_folds(test, split)] == [3, 3, 2, 1, 1, 1]
    assert test.statistics.test_rows == 4


SPLITS: list[Split] = [
    LastN(n=1),
    LastN(n=2, drop_seen=False),
    TimeCut(days=5),
    TimeCut(share=0.2, drop_cold_users=False),
    TimeCut(at="2021-08-16"),
    RollingTime(days=7, n=3),
    RollingTime(days=7, n=2, end="2021-08-22"),
]


def parents(split: Split, data: Dataset) -> Iterator[tuple[Dataset, Fold]]:
    """Every fold from the exam backwards, with the data that it was cut from."""
    test = split.folds(data)[-1]
    yield data, test
    parent = test.past
    for fold in earlier_folds(test, split):
        yield parent, fold
        parent = fold.past


@pytest.mark.parametrize("split", SPLITS, ids=repr)
def test_no_fold_has_a_row_of_its_exam_in_its_past(split: Split) -> None:
    chain = list(parents(split, weeks()))
    assert len(chain) > 2
    for parent, fold in chain:
        past, table = set(fold.past.interactions.row.tolist()), parent.interactions
        outside = [place for place, row in enumerate(table.row.tolist()) if row not in past]
        taken = {(int(table.user[place]), int(table.item[place])) for place in outside}
        truth = zip(fold.user[fold.truth.owner].tolist(), fold.truth.item.tolist(), strict=True)
        assert past < set(table.row.tolist())
        assert set(truth) <= taken
        for user, now in zip(fold.user.tolist(), fold.now.tolist(), strict=True):
            own = [place for place in outside if table.user[place] == user]
            assert min(table.time[own]) >= now - isinstance(split, LastN)  # there, now is a second after the first


@pytest.mark.parametrize("split", SPLITS, ids=repr)
def test_every_history_ends_before_its_user_is_asked(split: Split) -> None:
    for _, fold in parents(split, weeks()):
        for row in range(len(fold)):
            own = fold.history.time[fold.history.starts[row] : fold.history.stops[row]]
            assert own.max(initial=0) < fold.now[row]
        if not isinstance(split, LastN):
            assert fold.past.interactions.time.max() < fold.now.min()


def test_seen_items_are_dropped_as_the_pipeline_says_unless_the_split_says_otherwise() -> None:
    data = dataset([(0, 0, 1), (0, 1, 2), (0, 0, 9), (0, 2, 9)])
    cut = "1970-01-01T00:00:05"
    asked = [(None, True), (None, False), (True, False), (False, True)]
    truths = [TimeCut(at=cut, drop_seen=own).folds(data, drop_seen=rule)[0].truth.item.tolist() for own, rule in asked]
    assert truths == [[2], [0, 2], [2], [0, 2]]


@pytest.mark.parametrize("split", SPLITS, ids=repr)
def test_no_data_and_too_little_data_are_refused(split: Split) -> None:
    for rows in ([], [(0, 0, SUNDAY - DAY)]):
        with pytest.raises(DataError, match="both sides need some: choose another cut or drop less"):
            split.folds(dataset(rows))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"kind": "last"}, "unknown kind 'last': did you mean 'last-n'?"),
        ({"kind": "last-n", "n": 0}, "LastN.n is 0, allowed is 1 to 10000"),
        ({"kind": "time-cut"}, "time-cut: give exactly one of days, share, at"),
        ({"kind": "time-cut", "days": 3, "share": 0.1}, "time-cut: give exactly one of days, share, at"),
        ({"kind": "time-cut", "days": 0}, "TimeCut.days is 0"),
        ({"kind": "time-cut", "share": 1}, "TimeCut.share is 1"),
        ({"kind": "time-cut", "at": "22.08.2021"}, "time-cut: at is '22.08.2021', allowed is an ISO date or time"),
        ({"kind": "rolling-time", "end": "soon"}, "rolling-time: end is 'soon', allowed is an ISO date or time"),
        ({"kind": "rolling-time", "n": 0}, "RollingTime.n is 0"),
        ({"kind": "rolling-time", "day": 7}, "unknown field 'day': did you mean 'days'?"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_what_is_allowed(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(content, Split)
    assert told in str(caught.value)
