"""What a row is worth: how much the user liked what he took, and how long ago that was."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatVector

__all__ = ["LabelKind", "aged", "grades", "strength_weights"]

LabelKind: TypeAlias = Literal["taken", "grades", "weight"]


def grades(strength: FloatVector, limits: Sequence[float]) -> FloatVector:
    """(t,) float32 grade of each item that was taken: 1, and 1 more for every limit that its strength reaches.

    Args:
        strength: (t,) summed weight of the interactions, such as the share watched or how often it was played.
        limits: rising.

    Example:
        >>> grades(np.array([0.1, 0.5, 0.9], np.float32), (0.25, 0.5, 0.75)).tolist()
        [1.0, 3.0, 4.0]
    """
    reached = np.searchsorted(np.asarray(limits, np.float32), strength.astype(np.float32), side="right")
    return (1 + reached).astype(np.float32)


def strength_weights(strength: FloatVector) -> FloatVector:
    """(r,) float32 weights of rows: those that were taken by their strength, 1 on average; 1 for all others.

    Implicit feedback as a degree of confidence: hu2008.

    Args:
        strength: (r,) summed weight of the interactions; 0 = not taken.

    Example:
        >>> strength_weights(np.array([0.0, 1.0, 3.0, 0.0])).tolist()
        [1.0, 0.5, 1.5, 1.0]
    """
    taken = strength > 0
    mean = float(strength[taken].mean(dtype=np.float64)) if taken.any() else 1.0
    return np.where(taken, strength / mean, 1.0).astype(np.float32)


def aged(parts: Sequence[TrainingSet], days: Sequence[float], half_life: float | None) -> list[TrainingSet]:
    """The parts with rows that count half as much for every ``half_life`` days of age, 1 on average over all of them.

    Exponential forgetting: koychev2000.

    Args:
        parts: rows of label folds.
        days: age of each fold.
        half_life: days; none = all ages count alike, and the parts come back as they are.

    Example:
        >>> one = TrainingSet(np.zeros((2, 1)), np.ones(2), np.zeros(2, int), np.zeros(2, int))
        >>> [part.weight.tolist() for part in aged([one] * 3, [0, 30, 60], 30)][1:]
        [[0.8571428656578064, 0.8571428656578064], [0.4285714328289032, 0.4285714328289032]]
    """
    if half_life is None or not parts:
        return list(parts)
    youngest = min(days)
    factors = [2.0 ** (-(age - youngest) / half_life) for age in days]
    weights = [
        factor * (np.ones(len(part)) if part.weight is None else part.weight.astype(np.float64))
        for part, factor in zip(parts, factors, strict=True)
    ]
    total = sum(float(one.sum()) for one in weights)
    scale = sum(map(len, parts)) / total if total > 0 else 1.0
    least = np.finfo(np.float32).tiny  # a weight of 0 would be none at all
    return [
        replace(part, weight=np.maximum(scale * one, least).astype(np.float32))
        for part, one in zip(parts, weights, strict=True)
    ]
