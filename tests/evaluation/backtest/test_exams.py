"""The exams of a split one by one: equal to those of the split at once, whoever sits them."""

import numpy as np
import pytest
from tests.worlds import small_world

from encorec.data.splits import Fold, LastN, RollingTime, Split, TimeCut
from encorec.evaluation.backtest.exams import cold_fold, drawn_users, exam_count, exams_of

DATA = small_world()


def content(fold: Fold) -> list[list[int]]:
    parts = (fold.user, fold.now, fold.history.indptr, fold.history.item, fold.truth.indptr, fold.truth.item)
    return [part.tolist() for part in parts]


@pytest.mark.parametrize(
    "split",
    [
        LastN(n=2),
        TimeCut(days=20),
        RollingTime(days=7, n=4),
        RollingTime(days=2.5, n=3, end="2024-11-20T10:00:01"),
        RollingTime(days=5, n=2, drop_cold_users=False, drop_cold_items=True),
    ],
)
def test_exams_one_by_one_are_those_of_the_split(split: Split) -> None:
    together = split.folds(DATA)
    alone = [fold for _, fold in exams_of(split, DATA)]
    assert len(alone) == exam_count(split) == len(together)
    for one, other in zip(alone, together, strict=True):
        assert content(one) == content(other)
        assert one.statistics == other.statistics
        assert one.past.fingerprint == other.past.fingerprint


def test_the_split_of_an_exam_makes_it_again() -> None:
    for split, fold in exams_of(RollingTime(days=7, n=3), DATA):
        assert content(split.folds(DATA)[-1]) == content(fold)


def test_users_without_a_past_sit_apart_what_the_split_leaves_out() -> None:
    split = TimeCut(days=55)
    test = split.folds(DATA)[0]
    apart = cold_fold(split, DATA, test)
    assert apart is not None
    assert len(apart) == test.statistics.cold_users > 0
    assert len(apart.truth.item) == test.statistics.cold_user_rows
    assert not apart.history.lengths.any()
    assert set(apart.user.tolist()).isdisjoint(test.user.tolist())
    assert apart.past is test.past
    everybody = TimeCut(days=55, drop_cold_users=False).folds(DATA)[0]
    assert sorted([*apart.user.tolist(), *test.user.tolist()]) == everybody.user.tolist()


def test_nobody_sits_apart_where_everybody_sits_or_has_a_past() -> None:
    for split in (TimeCut(days=55, drop_cold_users=False), LastN()):
        assert cold_fold(split, DATA, split.folds(DATA)[0]) is None


def test_a_sample_of_users_keeps_their_questions_and_answers() -> None:
    fold = LastN().folds(DATA)[0]
    some = drawn_users(fold, 40, np.random.default_rng(3))
    rows = np.flatnonzero(np.isin(fold.user, some.user))
    assert len(some) == 40
    assert content(some)[:2] == [fold.user[rows].tolist(), fold.now[rows].tolist()]
    for place, row in enumerate(rows):
        assert some.history.items(place).tolist() == fold.history.items(int(row)).tolist()
        assert some.truth.row(place).tolist() == fold.truth.row(int(row)).tolist()
    assert content(drawn_users(fold, 40, np.random.default_rng(3))) == content(some)
    assert content(drawn_users(fold, 40, np.random.default_rng(4))) != content(some)
    assert drawn_users(fold, None, np.random.default_rng(3)) is drawn_users(fold, 298, np.random.default_rng(3)) is fold
