"""The size of a sequence model and how it is trained; read without torch."""

from typing import Literal

from encorec.config import Config, bounded
from encorec.errors import ConfigError
from encorec.nn.training_config import TrainingConfig

__all__ = ["TransformerConfig"]


class TransformerConfig(Config):
    """Size of a causal transformer over items, and how it is trained.

    Args:
        embedding_size: numbers per vector.
        blocks: of attention and a layer that follows it.
        heads: of every attention; they share ``embedding_size`` evenly.
        last: newest events of a history that are read, and of one window of the training.
        dropout: share of the numbers that are dropped in training.
        time_gaps: whether the network reads how long before the question each event was, besides how many events ago.
        item_features: numeric and categorical features and tags of items that are added to their vectors.
        loss: sampled softmax, corrected for how often items are sampled; or gbce, petrov2023.
        negatives: items sampled for every step, the same for all its events; none = all items where at most 10,000
            were taken, else 1024.
        alpha: items are sampled in proportion to how often they were taken to this power; 0 = evenly.
        calibration: of gbce, in [0, 1].
        training: passes and steps.
    """

    embedding_size: int = 64
    blocks: int = 2
    heads: int = 2
    last: int = 50
    dropout: float = 0.2
    time_gaps: bool = True
    item_features: tuple[str, ...] = ()
    loss: Literal["softmax", "gbce"] = "softmax"
    negatives: int | None = None
    alpha: float = 0.0
    calibration: float = 0.75
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), blocks=(1, 64), heads=(1, 256), last=(1, 10_000), dropout=(0, 0.95))
        bounded(self, negatives=(1, 10**6), alpha=(0, 10), calibration=(0, 1))
        if self.embedding_size % self.heads:
            raise ConfigError(
                f"{type(self).__name__}.heads is {self.heads}, which does not divide embedding_size "
                f"{self.embedding_size}; allowed is a divisor"
            )
