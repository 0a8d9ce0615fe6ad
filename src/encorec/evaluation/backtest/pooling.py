"""Several exams as one: means over exams whose intervals know that a user who sat two of them is one user.

The mean of the exams' means is a sum of ratios (what the users gained / how many there were). Users are drawn with
all their exams, so the intervals are those of a cluster bootstrap; the ratios are linearised about their value, which
makes them a mean of one number per user, and every function for one exam serves several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["Pool"]


@dataclass(frozen=True)
class Pool:
    """Who answered in which exam.

    Args:
        user: (m,) row of the user of each answer.
        fold: (m,) number of its exam.

    Example:
        >>> pool = Pool(np.array([0, 1, 0]), np.array([0, 0, 1]))
        >>> pool.users, pool.per_user(np.array([0.2, 0.4, 0.5])).mean().round(12).item()
        (2, 0.4)
    """

    user: IntVector
    fold: IntVector

    @classmethod
    def of(cls, users: Sequence[IntVector]) -> "Pool":
        """From the users of each exam."""
        fold = np.repeat(np.arange(len(users)), [len(one) for one in users])
        return cls(np.concatenate([*users, np.empty(0, np.int32)]), fold)

    def __len__(self) -> int:
        return len(self.user)

    def take(self, kept: BoolVector) -> "Pool":
        """The answers where ``kept`` (m,), as answers of one exam: a segment may be missing from some."""
        return Pool(self.user[kept], np.zeros(int(kept.sum()), np.int64))

    @property
    def users(self) -> int:
        """How many different users there are."""
        return len(self._distinct[0])

    @property
    def unit(self) -> IntVector:
        """(m,) number of the user of each answer, from 0."""
        return self._distinct[1]

    @cached_property
    def _distinct(self) -> tuple[IntVector, IntVector]:
        return np.unique(self.user, return_inverse=True)

    def per_user(self, values: FloatVector) -> FloatVector:
        """(users,) one number per user whose mean is the mean over exams of the exam's mean of ``values`` (m,).

        The spread of these numbers is that of the ratio estimator (cochran1977, 2.12: linearisation), with users as
        the units that are drawn (davison1997, 3.8).
        """
        sizes = np.bincount(self.fold)
        exams = int(np.count_nonzero(sizes))
        if exams == 1 and self.users == len(self):
            return values
        means = np.bincount(self.fold, values) / np.maximum(sizes, 1)
        share = (values - means[self.fold]) / sizes[self.fold]
        gained = np.bincount(self.unit, share, minlength=self.users)
        return means[sizes > 0].mean() + self.users / exams * gained

    def ratio(self, part: FloatVector | IntVector, whole: FloatVector | IntVector) -> FloatVector:
        """(users,) one number per user whose mean is sum of ``part`` (m,) / sum of ``whole`` (m,), linearised."""
        parts, wholes = (np.bincount(self.unit, one, minlength=self.users) for one in (part, whole))
        value = parts.sum() / wholes.sum()
        return value + (parts - value * wholes) / wholes.mean()  # cochran1977, 2.12
