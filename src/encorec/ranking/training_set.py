"""From candidates and what happened next to rows that a ranker can learn from."""

from dataclasses import dataclass

import numpy as np

from encorec.types import BoolVector, Candidates, FloatMatrix, FloatVector, IntVector, ItemLists

__all__ = ["TrainingSet", "label", "sample"]


@dataclass(frozen=True)
class TrainingSet:
    """Rows for a ranker, sorted by group.

    Args:
        features: (r, F) float32.
        label: (r,) float32, 1 = the user took the item.
        group: (r,) int64 query of each row, unique over folds, non-decreasing.
        user: (r,) int32 user of each row, so that one user's rows stay on one side of a division.

    Example:
        >>> one = TrainingSet(np.zeros((2, 1)), np.array([1., 0.]), np.array([0, 0]), np.array([7, 7]))
        >>> len(TrainingSet.join([one, one])), TrainingSet.join([one, one]).group.tolist()
        (4, [0, 0, 1, 1])
    """

    features: FloatMatrix
    label: FloatVector
    group: IntVector
    user: IntVector

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
        )

    def take(self, kept: BoolVector | IntVector) -> "TrainingSet":
        """The rows at ``kept``: (r',) increasing positions, or (r,) booleans."""
        return TrainingSet(self.features[kept], self.label[kept], self.group[kept], self.user[kept])


def label(candidates: Candidates, truth: ItemLists) -> FloatVector:
    """(m,) float32: 1 where the candidate is in the truth of its query.

    Args:
        candidates: m candidates.
        truth: n lists of items.

    Example:
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), np.ones((2, 1)), np.ones((2, 1)), ("als",))
        >>> label(found, ItemLists.of([[5, 9]])).tolist()
        [0.0, 1.0]
    """
    width = int(max(candidates.item.max(initial=0), truth.item.max(initial=0))) + 1
    taken = truth.owner.astype(np.int64) * width + truth.item
    return np.isin(candidates.query.astype(np.int64) * width + candidates.item, taken).astype(np.float32)


def sample(labels: FloatVector, query: IntVector, negatives: int, rng: np.random.Generator) -> IntVector:
    """Rows to learn from: all positives and up to ``negatives`` others per query, drawn evenly.

    Queries without a positive are left out: they teach no order.

    Args:
        labels: (m,) 1 = positive.
        query: (m,) non-decreasing query of each row.
        negatives: kept per query.
        rng: source of the draw.

    Returns:
        (r,) increasing row numbers.

    Example:
        >>> sample(np.array([0, 1, 0, 0]), np.array([0, 0, 0, 1]), 1, np.random.default_rng(0)).tolist()
        [1, 2]
    """
    rows = np.flatnonzero(np.isin(query, query[labels > 0]))
    key = np.where(labels[rows] > 0, -1.0, rng.random(len(rows)))
    order = np.lexsort((key, query[rows]))
    ordered = query[rows][order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    positives = np.add.reduceat(labels[rows] > 0, starts, dtype=np.int64) if len(starts) else np.empty(0, np.int64)
    allowed = np.repeat(positives + negatives, np.diff(np.append(starts, len(rows))))
    return np.sort(rows[order[place < allowed]])
