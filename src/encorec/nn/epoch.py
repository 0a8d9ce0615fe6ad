"""What is told of one pass over the training examples; without torch."""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Epoch", "Watch"]


class Epoch(NamedTuple):
    """One pass over the examples.

    ``number`` from 1; ``loss`` the mean over its steps; ``metric`` of the validation, NaN where there is none;
    ``learning_rate`` of its last step; ``seconds`` it took, validation included; ``epochs`` there are at most.

    Example:
        >>> Epoch(1, 0.7, 0.1, 0.001, 2.0, 30).metric
        0.1
    """

    number: int
    loss: float
    metric: float
    learning_rate: float
    seconds: float
    epochs: int


Watch = Callable[[Epoch], None]
