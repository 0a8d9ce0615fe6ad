"""The exams of a split, one after the other, and who sits them: everybody, a sample, or users without a past."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold, RollingTime, Split

__all__ = ["cold_fold", "drawn_users", "exam_count", "exams_of"]

_DAY = 86_400


def exam_count(split: Split) -> int:
    """How many exams a split holds.

    Example:
        >>> exam_count(RollingTime(days=7, n=3))
        3
    """
    return split.n if isinstance(split, RollingTime) else 1


def exams_of(split: Split, data: Dataset, *, drop_seen: bool = True) -> Iterator[tuple[Split, Fold]]:
    """Every exam with the split that makes it alone, oldest first; made only when it is asked for.

    Args:
        split: of one or several exams.
        data: to be cut.
        drop_seen: whether items that the user already had are left out of the truth.

    Raises:
        DataError: one side of a cut is empty.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> data = Dataset.of(Interactions.of([0] * 4, [1, 2, 3, 4], [0, 90_000, 180_000, 270_000]))
        >>> [fold.truth.row(0).tolist() for _, fold in exams_of(RollingTime(days=1, n=2), data)]
        [[3], [4]]
    """
    if not isinstance(split, RollingTime):
        yield split, split.folds(data, drop_seen=drop_seen)[-1]
        return
    newest = msgspec.structs.replace(split, n=1).folds(data, drop_seen=drop_seen)[-1]
    cut, step = int(newest.now[0]), round(split.days * _DAY)
    for back in range(split.n - 1, -1, -1):
        end = datetime.fromtimestamp(cut + step * (1 - back), UTC).isoformat()
        alone = msgspec.structs.replace(split, n=1, end=end)
        yield alone, alone.folds(data, drop_seen=drop_seen)[-1] if back else newest


def cold_fold(split: Split, data: Dataset, test: Fold, *, drop_seen: bool = True) -> Fold | None:
    """The same exam for users without a past, where the split leaves them out of the truth; none if there are none.

    Args:
        split: of one exam.
        data: that it cuts.
        test: the exam.
        drop_seen: as for the exam.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import TimeCut
        >>> data = Dataset.of(Interactions.of([0, 0, 1], [1, 2, 2], [0, 90_000, 90_001]))
        >>> split = TimeCut(days=1)
        >>> apart = cold_fold(split, data, split.folds(data)[-1])
        >>> apart.user.tolist(), apart.history.lengths.tolist()
        ([1], [0])
    """
    if not split.drop_cold_users or not test.statistics.cold_users:
        return None
    everybody = msgspec.structs.replace(split, drop_cold_users=False).folds(data, drop_seen=drop_seen)[-1]
    rows = np.flatnonzero(everybody.history.lengths == 0)
    return replace(everybody.take(rows), past=test.past) if len(rows) else None


def drawn_users(fold: Fold, limit: int | None, rng: np.random.Generator) -> Fold:
    """The exam with at most ``limit`` of its users, drawn at random; its statistics stay those of the whole.

    Args:
        fold: the exam.
        limit: users; none = all.
        rng: of the draw.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> fold = LastN().folds(Dataset.of(Interactions.of([0, 0, 1, 1], [0, 1, 1, 0], [1, 2, 1, 2])))[0]
        >>> len(drawn_users(fold, 1, np.random.default_rng(0)))
        1
    """
    if limit is None or len(fold) <= limit:
        return fold
    return fold.take(np.sort(rng.choice(len(fold), limit, replace=False)))
