"""How much each row counts: its own weight, and more for the few rows that were taken."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from encorec.config import Config
from encorec.errors import ConfigError
from encorec.ranking.training_set import TrainingSet
from encorec.types import BoolVector, FloatVector

__all__ = ["PositiveWeight", "check_positive_weight", "given_weights", "held_out_users", "positives", "row_weights"]

PositiveWeight: TypeAlias = float | Literal["balanced"]
_LARGEST = 1e6


def check_positive_weight(owner: Config, weight: PositiveWeight, *, by_row: bool) -> None:
    """Refuse a weight of the positives that cannot be; for ``__post_init__``.

    Args:
        owner: whose ``positive_weight`` it is.
        weight: given.
        by_row: whether the loss is one of rows; within a query there is nothing to weigh.

    Raises:
        ConfigError: out of bounds, or not 1 where the loss is one of orders.

    Example:
        >>> check_positive_weight(Config(), 0.0, by_row=True)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: Config.positive_weight is 0.0, allowed is 'balanced' or a number above 0 to 1e+06
    """
    name = f"{type(owner).__name__}.positive_weight"
    if weight != "balanced" and not 0 < weight <= _LARGEST:
        raise ConfigError(f"{name} is {weight}, allowed is 'balanced' or a number above 0 to {_LARGEST:g}")
    if weight != 1 and not by_row:
        raise ConfigError(f"{name} is {weight}, but this loss learns orders within queries, not rows; leave it at 1")


def positives(rows: TrainingSet) -> FloatVector:
    """(r,) float64, 1 where the user took the item, whatever the grade, else 0.

    Example:
        >>> labels = np.array([0.0, 0.4, 1.0])
        >>> positives(TrainingSet(np.zeros((3, 1)), labels, np.zeros(3, int), np.zeros(3, int))).tolist()
        [0.0, 1.0, 1.0]
    """
    return (rows.label > 0).astype(np.float64)


def given_weights(rows: TrainingSet) -> FloatVector | None:
    """(r,) float64 weights of the rows where the set has any, else none."""
    return None if rows.weight is None else np.asarray(rows.weight, np.float64)


def row_weights(rows: TrainingSet, positive_weight: PositiveWeight) -> Callable[[TrainingSet], FloatVector | None]:
    """What gives (r,) float64 weights to rows; none where all count alike.

    Args:
        rows: that are learnt from. Those watched get weights by the same rule.
        positive_weight: factor for rows that were taken; ``balanced`` = all of these weigh as much as all others
            (king2001, weighting).

    Example:
        >>> rows = TrainingSet(np.zeros((4, 1)), np.array([1.0, 0, 0, 0]), np.zeros(4, int), np.zeros(4, int))
        >>> row_weights(rows, "balanced")(rows).tolist()
        [3.0, 1.0, 1.0, 1.0]
    """
    factor = _balance(rows) if positive_weight == "balanced" else float(positive_weight)

    def weigh(some: TrainingSet) -> FloatVector | None:
        own = given_weights(some)
        if factor == 1:
            return own
        return np.where(some.label > 0, factor, 1.0) * (1.0 if own is None else own)

    return weigh


def _balance(rows: TrainingSet) -> float:
    own, taken = given_weights(rows), rows.label > 0
    weight = np.ones(len(rows)) if own is None else own
    share, rest = float(weight[taken].sum()), float(weight[~taken].sum())
    return rest / share if share > 0 and rest > 0 else 1.0


def held_out_users(rows: TrainingSet, share: float, seed: int) -> BoolVector:
    """(r,) true for the rows of a random ``share`` of the users.

    Example:
        >>> user = np.repeat(np.arange(10), 3)
        >>> rows = TrainingSet(np.zeros((30, 1)), np.ones(30), user, user)
        >>> int(held_out_users(rows, 0.2, seed=0).sum())
        6
    """
    users = np.unique(rows.user)
    chosen = np.random.default_rng(seed).permutation(len(users))[: int(share * len(users))]
    return np.isin(rows.user, users[chosen])
