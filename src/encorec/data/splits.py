"""Cutting time into what may be learnt from and what must be foretold. No split without a cut-off."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.fold import Fold, FoldStatistics
from encorec.data.impressions import with_impressions
from encorec.data.interactions import Interactions, distinct
from encorec.errors import ConfigError, DataError
from encorec.types import BoolVector, FloatVector, IntVector, ItemLists

__all__ = ["Fold", "FoldStatistics", "LastN", "RollingTime", "Split", "TimeCut", "earlier_folds"]

DAY = 86_400
_NEVER = np.iinfo(np.int64).max


class _Drops(Config):
    """What is left out of the truth.

    Args:
        drop_cold_users: users without a past.
        drop_cold_items: items without a past.
        drop_seen: items that the user already had; none = as the pipeline's ``seen`` rule.
    """

    drop_cold_users: bool = True
    drop_cold_items: bool = False
    drop_seen: bool | None = None


class LastN(_Drops, tag="last-n", tag_field="kind"):
    """The last ``n`` interactions of every user who has more than ``n``; each user is asked at his own time.

    Args:
        n: interactions held out per user.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> data = Dataset.of(Interactions.of([0, 0, 0, 1], [1, 2, 3, 1], [10, 20, 30, 10]))
        >>> fold = LastN(n=1).folds(data)[-1]
        >>> fold.user.tolist(), fold.truth.row(0).tolist(), fold.history.items(0).tolist()
        ([0], [3], [1, 2])
    """

    n: int = 1

    def __post_init__(self) -> None:
        bounded(self, n=(1, 10_000))

    def folds(self, data: Dataset, *, drop_seen: bool = True) -> list[Fold]:
        """The one fold of ``data``."""
        table = data.interactions
        enough = table.user_counts > self.n
        first_test = np.where(enough, table.indptr[1:] - self.n, table.indptr[1:])
        test = np.arange(len(table)) >= first_test[table.user]
        now = np.zeros(table.users, np.int64)
        now[enough] = table.time[first_test[enough]] + 1
        from_then_on = np.full(table.users, _NEVER)
        from_then_on[enough] = table.time[first_test[enough] - 1] + 1
        fold = _fold(data, f"last-{self.n}", ~test, test, now, self, drop_seen)
        return [with_impressions(fold, data.impressions, from_then_on)]


class TimeCut(_Drops, tag="time-cut", tag_field="kind"):
    """Everything from one moment on is the exam. Give exactly one of the three.

    Args:
        days: length of the exam in days, counted back from the newest interaction.
        share: share of the interactions in the exam; interactions of one second are never split.
        at: ISO date or time of the cut, UTC.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> data = Dataset.of(Interactions.of([0, 0, 0], [1, 2, 3], [0, 90_000, 180_000]))
        >>> TimeCut(days=1).folds(data)[-1].truth.row(0).tolist()
        [3]
    """

    days: float | None = None
    share: float | None = None
    at: str | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.days, self.share, self.at)) != 1:
            raise ConfigError("time-cut: give exactly one of days, share, at")
        bounded(self, days=(1e-5, 36_500), share=(1e-6, 1 - 1e-6))
        if self.at is not None:
            _seconds(self.at, "time-cut: at")

    def folds(self, data: Dataset, *, drop_seen: bool = True) -> list[Fold]:
        """The one fold of ``data``."""
        cut = self._cut(data.interactions.time)
        return [_time_fold(data, f"from {_iso(cut)}", cut, None, self, drop_seen)]

    def _cut(self, time: IntVector) -> int:
        if self.at is not None:
            return _seconds(self.at, "time-cut: at")
        if self.days is not None:
            return int(time.max(initial=-1)) + 1 - round(self.days * DAY)
        ordered = np.sort(time)
        return int(ordered[int((1 - (self.share or 0)) * len(time) + 1e-9)]) if len(time) else 0


class RollingTime(_Drops, tag="rolling-time", tag_field="kind"):
    """Several exams of equal length, one after the other, the newest last: the weekly folds of a competition.

    Args:
        days: length of each exam in days.
        n: number of exams.
        end: ISO date or time at which the newest exam ends (exclusive); none = after the newest interaction.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> table = Interactions.of([0] * 4, [1, 2, 3, 4], [0, 90_000, 180_000, 270_000])
        >>> [fold.truth.row(0).tolist() for fold in RollingTime(days=1, n=2).folds(Dataset.of(table))]
        [[3], [4]]
    """

    days: float = 7
    n: int = 3
    end: str | None = None

    def __post_init__(self) -> None:
        bounded(self, days=(1e-5, 36_500), n=(1, 1000))
        if self.end is not None:
            _seconds(self.end, "rolling-time: end")

    def folds(self, data: Dataset, *, drop_seen: bool = True) -> list[Fold]:
        """The folds of ``data``, oldest first."""
        end = data.interactions.end if self.end is None else _seconds(self.end, "rolling-time: end")
        step = round(self.days * DAY)
        cuts = [end - step * back for back in range(self.n, 0, -1)]
        return [_time_fold(data, f"from {_iso(cut)}", cut, cut + step, self, drop_seen) for cut in cuts]


Split = LastN | TimeCut | RollingTime


def earlier_folds(fold: Fold, split: Split, *, drop_seen: bool = True) -> Iterator[Fold]:
    """Label folds for training, newest first: the past of the fold is cut as the data were, again and again.

    Time ranges keep their length, each directly before the next; a cut at a date is repeated as the share of
    interactions that it gave. Ends when the past is too short for another one.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> data = Dataset.of(Interactions.of([0] * 4, [1, 2, 3, 4], [10, 20, 30, 40]))
        >>> test = LastN(n=1).folds(data)[-1]
        >>> [fold.truth.row(0).tolist() for fold in earlier_folds(test, LastN(n=1))]
        [[3], [2]]
    """
    while True:
        split = _repeated(split, fold)
        try:
            fold = split.folds(fold.past, drop_seen=drop_seen)[-1]
        except DataError:
            return
        yield fold


def _repeated(split: Split, fold: Fold) -> Split:
    """The split that cuts the past of ``fold`` as ``split`` cut the data."""
    if isinstance(split, RollingTime):
        return msgspec.structs.replace(split, n=1, end=datetime.fromtimestamp(int(fold.now[0]), UTC).isoformat())
    if isinstance(split, TimeCut) and split.at is not None:
        rows = fold.statistics
        return msgspec.structs.replace(split, at=None, share=rows.test_rows / (rows.train_rows + rows.test_rows))
    return split


def _seconds(moment: str, where: str) -> int:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as error:
        raise ConfigError(f"{where} is {moment!r}, allowed is an ISO date or time such as 2021-08-15") from error
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def _iso(second: int) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    return moment.strftime("%Y-%m-%d" if second % DAY == 0 else "%Y-%m-%dT%H:%M:%S")


def _time_fold(data: Dataset, name: str, cut: int, until: int | None, drops: _Drops, drop_seen: bool) -> Fold:
    time = data.interactions.time
    test = (time >= cut) if until is None else (time >= cut) & (time < until)
    now = np.full(data.interactions.users, cut, np.int64)
    fold = _fold(data, name, time < cut, test, now, drops, drop_seen)
    return with_impressions(fold, data.impressions, now, until)


def _fold(
    data: Dataset, name: str, past: BoolVector, test: BoolVector, now: IntVector, drops: _Drops, drop_seen: bool
) -> Fold:
    """The fold with these past and test rows (m,) and these times of asking (users,)."""
    before, after = data.restrict(past), data.interactions.take(test)
    known = before.interactions
    cold_user, cold_item = known.user_counts[after.user] == 0, known.item_counts[after.item] == 0
    pairs = after.user.astype(np.int64) * after.items + after.item
    seen = _contains(known.pairs, pairs)
    dropped = np.zeros(len(after), bool)
    dropped |= cold_user & drops.drop_cold_users
    dropped |= cold_item & drops.drop_cold_items
    dropped |= seen & (drop_seen if drops.drop_seen is None else drops.drop_seen)
    kept = distinct(pairs[~dropped])
    if not len(kept) or not len(known):
        raise DataError(
            f"split {name}: {len(known)} interactions before and {len(kept)} usable after the cut of "
            f"{len(data.interactions)}; both sides need some: choose another cut or drop less"
        )
    owner = kept // after.items
    user = distinct(owner)
    starts = np.searchsorted(owner, user)
    truth = ItemLists(np.append(starts, len(kept)).astype(np.int64), (kept % after.items).astype(np.int32))
    statistics = FoldStatistics(
        fold=name,
        train_rows=len(known),
        train_users=int(np.count_nonzero(known.user_counts)),
        train_items=int(np.count_nonzero(known.item_counts)),
        test_rows=len(after),
        test_users=len(distinct(after.user)),
        test_items=len(distinct(after.item)),
        cold_users=len(distinct(after.user[cold_user])),
        cold_user_rows=int(cold_user.sum()),
        cold_items=len(distinct(after.item[cold_item])),
        cold_item_rows=int(cold_item.sum()),
        seen_rows=int(seen.sum()),
        queries=len(user),
        truth_items=len(kept),
    )
    strength = _strength(after, pairs, kept)
    return Fold(name, before, user.astype(np.int32), now[user], known.histories.take(user), truth, statistics, strength)


def _strength(after: Interactions, pairs: IntVector, kept: IntVector) -> FloatVector:
    """(t,) float32 summed weight of the rows ``after`` the cut of each pair ``kept`` (t,), which ascend."""
    place = np.searchsorted(kept, pairs)
    inside = _contains(kept, pairs)
    return np.bincount(place[inside], after.weight[inside], minlength=len(kept)).astype(np.float32)


def _contains(ordered: IntVector, wanted: IntVector) -> BoolVector:
    """(m,) whether each of ``wanted`` stands in ``ordered`` (sorted)."""
    place = np.searchsorted(ordered, wanted)
    found = np.zeros(len(wanted), bool)
    inside = place < len(ordered)
    found[inside] = ordered[place[inside]] == wanted[inside]
    return found
