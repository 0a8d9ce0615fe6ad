"""The learning rate of every step."""

import math

from encorec.nn.training_config import TrainingConfig

__all__ = ["rate_at"]


def rate_at(step: int, steps: int, config: TrainingConfig) -> float:
    """The learning rate of step ``step`` (the first is 0) of ``steps``.

    It rises linearly over the warm-up, and then stays, or falls linearly or as half a cosine (loshchilov2017) to 0.

    Example:
        >>> config = TrainingConfig(learning_rate=0.5, warmup=0.2, schedule="linear")
        >>> [rate_at(step, 10, config) for step in (0, 1, 2, 6)]
        [0.25, 0.5, 0.5, 0.25]
    """
    warm = round(config.warmup * steps)
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    passed = (step - warm) / max(steps - warm, 1)
    if config.schedule == "linear":
        return config.learning_rate * (1 - passed)
    if config.schedule == "cosine":
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * passed))  # loshchilov2017, equation 5
    return config.learning_rate
