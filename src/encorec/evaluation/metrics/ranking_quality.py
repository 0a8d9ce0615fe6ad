"""How well does a ranker tell positives from negatives? From scores and labels of rows, pooled and user by user."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["UserScores", "UserWeight", "auc", "auc_per_user", "logloss", "logloss_per_user"]

UserWeight: TypeAlias = Literal["users", "rows"]

_WEIGHTS = ("users", "rows")


@dataclass(frozen=True)
class UserScores:
    """A value for every user who has one.

    Args:
        user: (u,) the users, ascending.
        value: (u,) float64.
        rows: (u,) rows of each.
        skipped: users without a value: AUC needs a positive and a negative.

    Example:
        >>> UserScores(np.array([3, 8]), np.array([1.0, 0.5]), np.array([2, 6]), skipped=1).mean(weight="rows")
        0.625
    """

    user: IntVector
    value: FloatVector
    rows: IntVector
    skipped: int

    def mean(self, *, weight: UserWeight = "users") -> float:
        """Over users, each counted once or as often as it has rows (the GAUC of Zhu and others).

        Raises:
            DataError: no user has a value.
            ConfigError: another weight.
        """
        if weight not in _WEIGHTS:
            raise ConfigError(unknown_name("weight", str(weight), _WEIGHTS))
        if len(self.value) == 0:
            raise DataError(f"none of {self.skipped} users has both a positive and a negative, so there is no mean")
        return float(np.average(self.value, weights=self.rows if weight == "rows" else None))  # zhu2017


def auc(score: FloatVector, label: IntVector | BoolVector) -> float:
    """Share of pairs of a positive and a negative in which the positive scores higher; a tie counts one half.

    Args:
        score: (m,) numbers without NaN; infinite ones are allowed.
        label: (m,) 1 or true = positive, 0 or false = negative.

    Raises:
        DataError: columns of unequal length, a score that is NaN, a label that is neither, or only one of both.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
        0.75
    """
    found = auc_per_user(np.zeros(len(score), np.int64), score, label)
    if len(found.value) == 0:
        raise DataError("auc: there must be a positive and a negative, all labels are the same or there are none")
    return float(found.value[0])


def auc_per_user(user: IntVector, score: FloatVector, label: IntVector | BoolVector) -> UserScores:
    """AUC among the rows of each user; users with one kind of label only are skipped.

    Args:
        user: (m,) whose row it is.
        score: (m,) numbers without NaN.
        label: (m,) 1 or true = positive, 0 or false = negative.

    Raises:
        DataError: columns of unequal length, a score that is NaN, or a label that is neither.

    Example:
        >>> user, label = np.array([7, 7, 7, 9]), np.array([1, 0, 0, 1])
        >>> found = auc_per_user(user, np.array([0.6, 0.6, 0.1, 0.9]), label)
        >>> found.user.tolist(), found.value.tolist(), found.skipped
        ([7], [0.75], 1)
    """
    score, positive = _checked("auc", user, score, label)
    order = np.lexsort((score, user))
    user, score, positive = user[order], score[order], positive[order]
    names, start, rows = np.unique(user, return_index=True, return_counts=True)
    new_user = np.zeros(len(user), bool)
    new_user[start] = True
    new_score = new_user.copy()
    new_score[1:] |= score[1:] != score[:-1]
    tie = np.cumsum(new_score) - 1
    first = np.flatnonzero(new_score)
    last = np.append(first[1:], len(user)) - 1
    owner = np.cumsum(new_user) - 1
    rank = (first[tie] + last[tie]) / 2 - start[owner] + 1  # hanley1982: ties have the mean of their ranks
    positives = np.bincount(owner, weights=positive, minlength=len(names))
    negatives = rows - positives
    above = np.bincount(owner, weights=rank * positive, minlength=len(names)) - positives * (positives + 1) / 2
    told = (positives > 0) & (negatives > 0)
    value = above[told] / (positives * negatives)[told]
    return UserScores(names[told], value, rows[told], int((~told).sum()))


def logloss(probability: FloatVector, label: IntVector | BoolVector) -> float:
    """Mean of -log of the probability given to the label that came true, in nats.

    Probabilities are kept the machine epsilon away from 0 and 1, so that a certain error costs 36 nats.

    Args:
        probability: (m,) of the label being positive, 0..1.
        label: (m,) 1 or true = positive, 0 or false = negative.

    Raises:
        DataError: no rows, columns of unequal length, a probability outside 0..1, or a label that is neither.

    Example:
        >>> round(logloss(np.array([0.9, 0.1, 0.2, 0.65]), np.array([1, 0, 0, 1])), 5)
        0.21616
    """
    if len(probability) == 0:
        raise DataError("logloss: there are no rows to take a mean over")
    return float(logloss_per_user(np.zeros(len(probability), np.int64), probability, label).value[0])


def logloss_per_user(user: IntVector, probability: FloatVector, label: IntVector | BoolVector) -> UserScores:
    """Mean log loss among the rows of each user.

    Args:
        user: (m,) whose row it is.
        probability: (m,) of the label being positive, 0..1.
        label: (m,) 1 or true = positive, 0 or false = negative.

    Raises:
        DataError: columns of unequal length, a probability outside 0..1, or a label that is neither.

    Example:
        >>> found = logloss_per_user(np.array([3, 3, 5]), np.array([0.5, 0.5, 1.0]), np.array([1, 0, 1]))
        >>> found.value.round(3).tolist()
        [0.693, 0.0]
    """
    probability, positive = _checked("logloss", user, probability, label)
    outside = (probability < 0) | (probability > 1)
    if outside.any():
        first = int(outside.argmax())
        raise DataError(
            f"logloss: {outside.sum()} probabilities are outside 0..1 (first: row {first}, {probability[first]}); "
            "turn scores into probabilities first"
        )
    names, owner, rows = np.unique(user, return_inverse=True, return_counts=True)
    epsilon = np.finfo(np.float64).eps
    kept = np.clip(np.where(positive, probability, 1 - probability), epsilon, 1 - epsilon)
    total = np.bincount(owner, weights=-np.log(kept), minlength=len(names))  # good1952
    return UserScores(names, total / rows, rows, 0)


def _checked(
    metric: str, user: IntVector, score: FloatVector, label: IntVector | BoolVector
) -> tuple[FloatVector, BoolVector]:
    """Scores as (m,) float64 and labels as (m,) bool."""
    scores, labels = np.asarray(score, np.float64), np.asarray(label)
    if not len(user) == len(scores) == len(labels):
        raise DataError(f"{metric}: columns differ in length: {len(user)} users, {len(scores)}, {len(labels)} labels")
    if np.isnan(scores).any():
        rows = np.flatnonzero(np.isnan(scores))
        raise DataError(f"{metric}: {len(rows)} scores are NaN (first: row {rows[0]}); drop these rows")
    other = (labels != 0) & (labels != 1)
    if other.any():
        first = int(other.argmax())
        raise DataError(f"{metric}: {other.sum()} labels are neither 0 nor 1 (first: row {first}, {labels[first]})")
    return scores, labels == 1
