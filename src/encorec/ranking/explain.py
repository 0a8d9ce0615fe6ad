"""What a ranker looks at, over many rows: how far each feature moves scores, and how much is lost without it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from encorec.protocols import Ranker
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["Swarm", "mean_contributions", "ndcg", "permutation_losses", "swarm"]


@dataclass(frozen=True)
class Swarm:
    """Points of a SHAP summary plot, for one feature.

    Args:
        contribution: (p,) what the feature added to each score.
        level: (p,) how high its value is among those of the others, 0 to 1; NaN = not known.

    Example:
        >>> Swarm(np.array([0.1]), np.array([0.5])).level.tolist()
        [0.5]
    """

    contribution: FloatVector
    level: FloatVector


def mean_contributions(parts: FloatMatrix, query: IntVector) -> FloatMatrix:
    """(q, F) mean absolute contribution of each feature in every query that has rows: lundberg2018, global importance.

    Queries, not rows, are what is drawn at random, so they are the units that intervals are resampled over.

    Args:
        parts: (r, F + 1) contributions; the last column is the average.
        query: (r,) non-decreasing query of each row.

    Example:
        >>> mean_contributions(np.array([[1.0, -2, 9], [3, 0, 9], [5, 5, 9]]), np.array([0, 0, 4])).tolist()
        [[2.0, 1.0], [5.0, 5.0]]
    """
    starts = np.flatnonzero(np.diff(query, prepend=query[:1] - 1))
    sizes = np.diff(np.append(starts, len(query)))
    return np.add.reduceat(np.abs(parts[:, :-1]), starts, axis=0) / sizes[:, None]


def swarm(contribution: FloatVector, values: FloatVector) -> Swarm:
    """The points of one feature; values are shown by their rank, clipped at the 5th and 95th percentile as shap does.

    Args:
        contribution: (p,) of the feature.
        values: (p,) of the feature, NaN = not known.

    Example:
        >>> swarm(np.array([0.1, 0.2, 0.3]), np.array([3.0, np.nan, 9.0])).level.tolist()
        [0.0, nan, 1.0]
    """
    values = values.astype(np.float64)
    known = values[np.isfinite(values)]
    if not len(known):
        return Swarm(contribution, np.full(len(values), np.nan))
    low, high = np.percentile(known, [5, 95])
    if low == high:
        low, high = float(known.min()), float(known.max())
    span = high - low
    level = np.clip((values - low) / span, 0, 1) if span > 0 else np.where(np.isnan(values), np.nan, 0.5)
    return Swarm(contribution, np.where(np.isfinite(values), level, np.nan))


def ndcg(scores: FloatVector, taken: FloatVector, query: IntVector, wanted: IntVector, k: int) -> FloatVector:
    """(q,) NDCG@k of every query whose rows are scored: jarvelin2002, binary, the ideal list holds all wanted items.

    Args:
        scores: (r,) larger is better; equal ones stand in their order.
        taken: (r,) above 0 = taken.
        query: (r,) non-decreasing, 0 to q - 1.
        wanted: (q,) items that each query wanted, proposed or not.
        k: places.

    Example:
        >>> ndcg(np.array([0.1, 0.9]), np.array([1.0, 0]), np.array([0, 0]), np.array([1]), 2).round(4).tolist()
        [0.6309]
    """
    order = np.lexsort((-scores, query))
    place = np.arange(len(order)) - np.searchsorted(query, query[order])
    hit = (taken[order] > 0) & (place < k)
    gain = np.bincount(query[order][hit], 1 / np.log2(2 + place[hit]), minlength=len(wanted))
    ideal = np.append(0.0, np.cumsum(1 / np.log2(2 + np.arange(k))))[np.minimum(wanted, k)]
    return np.divide(gain, ideal, out=np.zeros(len(wanted)), where=ideal > 0)


def permutation_losses(
    ranker: Ranker,
    features: FloatMatrix,
    measure: Callable[[FloatVector], FloatVector],
    columns: IntVector,
    rng: np.random.Generator,
) -> FloatMatrix:
    """(q, columns) what each query loses when the values of one feature are shuffled over all rows: breiman2001.

    Args:
        ranker: fitted.
        features: (r, F) float32.
        measure: (r,) scores -> (q,) value of each query.
        columns: features to shuffle, one at a time.
        rng: of the shuffles.

    Example:
        >>> class First:
        ...     def score(self, features):
        ...         return features[:, 0]
        ...     def save(self, folder): ...
        >>> rows, query = np.array([[2.0, 7.0], [1.0, 8.0]], np.float32), np.array([0, 0])
        >>> measure = lambda scores: ndcg(scores, np.array([1.0, 0]), query, np.array([1]), 1)
        >>> permutation_losses(First(), rows, measure, np.array([1]), np.random.default_rng(0)).tolist()
        [[0.0]]
    """
    whole, losses = measure(ranker.score(features)), []
    for column in columns:
        shuffled = features.copy()
        shuffled[:, column] = features[rng.permutation(len(features)), column]
        losses.append(whole - measure(ranker.score(shuffled)))
    return np.stack(losses, axis=1)
