"""From candidates and what happened next to rows that a ranker can learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encorec.types import BoolVector, Candidates, FloatMatrix, FloatVector, IntVector, ItemLists

__all__ = ["TrainingSet", "label", "sample"]


@dataclass(frozen=True)
class TrainingSet:
    """Rows for a ranker, sorted by group.

    Args:
        features: (r, F) float32.
        label: (r,) float32, above 0 = the user took the item: 1, or a grade.
        group: (r,) int64 query of each row, unique over folds, non-decreasing.
        user: (r,) int32 user of each row, so that one user's rows stay on one side of a division.
        weight: (r,) float32 how much each row counts, positive; none = all alike.

    Example:
        >>> one = TrainingSet(np.zeros((2, 1)), np.array([1., 0.]), np.array([0, 0]), np.array([7, 7]))
        >>> len(TrainingSet.join([one, one])), TrainingSet.join([one, one]).group.tolist()
        (4, [0, 0, 1, 1])
    """

    features: FloatMatrix
    label: FloatVector
    group: IntVector
    user: IntVector
    weight: FloatVector | None = None

    def __len__(self) -> int:
        return len(self.label)

    @staticmethod
    def join(parts: list["TrainingSet"]) -> "TrainingSet":
        """All parts below each other, groups renumbered so that none is shared."""
        groups, following = [], 0
        for part in parts:
            groups.append(part.group + following)
            following += int(part.group.max(initial=-1)) + 1
        return TrainingSet(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate(groups),
            np.concatenate([part.user for part in parts]),
            _joined_weights(parts),
        )

    def take(self, kept: BoolVector | IntVector) -> "TrainingSet":
        """The rows at ``kept``: (r',) increasing positions, or (r,) booleans."""
        weight = None if self.weight is None else self.weight[kept]
        return TrainingSet(self.features[kept], self.label[kept], self.group[kept], self.user[kept], weight)


def _joined_weights(parts: Sequence[TrainingSet]) -> FloatVector | None:
    if all(part.weight is None for part in parts):
        return None
    weights = [np.ones(len(part), np.float32) if part.weight is None else part.weight for part in parts]
    return np.concatenate(weights)


def label(candidates: Candidates, truth: ItemLists, strength: FloatVector | None = None) -> FloatVector:
    """(m,) float32: 1, or the strength, where the candidate is in the truth of its query; else 0.

    Args:
        candidates: m candidates.
        truth: n lists of t distinct items in all.
        strength: (t,) of each item of the truth; none = 1.

    Example:
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), np.ones((2, 1)), np.ones((2, 1)), ("als",))
        >>> label(found, ItemLists.of([[5, 9]])).tolist()
        [0.0, 1.0]
    """
    width = int(max(candidates.item.max(initial=0), truth.item.max(initial=0))) + 1
    taken = truth.owner.astype(np.int64) * width + truth.item
    wanted = candidates.query.astype(np.int64) * width + candidates.item
    if strength is None:
        return np.isin(wanted, taken).astype(np.float32)
    order = np.argsort(taken)
    place = np.searchsorted(taken, wanted, sorter=order)
    labels = np.zeros(len(wanted), np.float32)
    inside = np.flatnonzero(place < len(taken))
    found = order[place[inside]]
    met = taken[found] == wanted[inside]
    labels[inside[met]] = strength[found[met]]
    return labels


def sample(
    labels: FloatVector,
    query: IntVector,
    negatives: int | None,
    rng: np.random.Generator,
    *,
    weight: FloatVector | None = None,
    tier: IntVector | None = None,
) -> IntVector:
    """Rows to learn from: all positives and up to ``negatives`` others per query, drawn without replacement.

    Queries without a positive are left out: they teach no order.

    Args:
        labels: (m,) 1 = positive.
        query: (m,) non-decreasing query of each row.
        negatives: kept per query; none = all.
        rng: source of the draw.
        weight: (m,) 0 or more, chances of the draw in proportion; none = even. Rows of weight 0 come last.
        tier: (m,) the others of a lower tier come before all of a higher one; none = one tier.

    Returns:
        (r,) increasing row numbers.

    Example:
        >>> sample(np.array([0, 1, 0, 0]), np.array([0, 0, 0, 1]), 1, np.random.default_rng(0)).tolist()
        [1, 2]
    """
    rows = np.flatnonzero(np.isin(query, query[labels > 0]))
    key = np.where(labels[rows] > 0, -1.0, _draw(len(rows), rng, None if weight is None else weight[rows]))
    ranks = (key,) if tier is None else (key, np.where(labels[rows] > 0, np.iinfo(np.int64).min, tier[rows]))
    order = np.lexsort((*ranks, query[rows]))
    ordered = query[rows][order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    lengths = np.diff(np.append(starts, len(rows)))
    place = np.arange(len(rows)) - np.repeat(starts, lengths)
    positives = np.add.reduceat(labels[rows] > 0, starts, dtype=np.int64) if len(starts) else np.empty(0, np.int64)
    allowed = np.repeat(positives + (len(rows) if negatives is None else negatives), lengths)
    return np.sort(rows[order[place < allowed]])


def _draw(rows: int, rng: np.random.Generator, weight: FloatVector | None) -> FloatVector:
    """(rows,) keys, 0 or more: those with the smallest are a draw without replacement. efraimidis2006."""
    uniform = rng.random(rows)
    if weight is None:
        return uniform
    never = weight <= 0
    key = -np.log1p(-uniform) / np.where(never, 1.0, weight)  # 1 - u is above 0
    return np.where(never, np.inf, key)
