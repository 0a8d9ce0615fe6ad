"""The size of two towers and how they are trained; read without torch."""

from typing import Literal

from encorec.config import Config, bounded
from encorec.nn.training_config import TrainingConfig

__all__ = ["TowersConfig"]


class TowersConfig(Config):
    """Size of a user tower and an item tower, what they read, and how they are trained.

    Args:
        embedding_size: numbers per vector.
        blocks: residual blocks of each tower.
        history: how events are weighed: mean = by recency alone, attention = by what they are and how many events ago
            they were, both learnt.
        last: newest events of a history that are read.
        decay: weight of an event for each newer one, in (0, 1]; attention begins so.
        user_features: numeric and categorical features of users that their tower reads.
        item_features: numeric and categorical features and tags of items that their tower reads.
        history_dropout: share of the training examples that are to be told from the user's features alone.
        id_dropout: share of the items of a step that are to be told from their features alone.
        dropout: share of the numbers of every block that are dropped in training.
        loss: softmax compares with the other items of the batch, corrected for how often they come up; sampled,
            gbce, bpr and triplet compare with sampled items.
        negatives: sampled items; none = 4 of every example for triplet and bpr, 256 of the whole step for sampled and
            gbce.
        hard: only so many of these, the highest in score, count; none = all.
        alpha: items are sampled in proportion to how often they were taken to this power; 0 = evenly.
        calibration: of gbce, in [0, 1].
        margin: of triplet.
        training: passes and steps.
    """

    embedding_size: int = 64
    blocks: int = 1
    history: Literal["mean", "attention"] = "mean"
    last: int = 50
    decay: float = 0.95
    user_features: tuple[str, ...] = ()
    item_features: tuple[str, ...] = ()
    history_dropout: float = 0.1
    id_dropout: float = 0.1
    dropout: float = 0.1
    loss: Literal["softmax", "sampled", "gbce", "bpr", "triplet"] = "softmax"
    negatives: int | None = None
    hard: int | None = None
    alpha: float = 0.0
    calibration: float = 0.75
    margin: float = 0.5
    training: TrainingConfig = TrainingConfig(epochs=20, batch_size=1024, learning_rate=3e-3, precision="single")

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), blocks=(0, 64), last=(1, 10_000), decay=(1e-6, 1), dropout=(0, 0.95))
        bounded(self, history_dropout=(0, 1), id_dropout=(0, 1), negatives=(1, 10**6), hard=(1, 10**6))
        bounded(self, alpha=(0, 10), calibration=(0, 1), margin=(0, 10**6))

    @property
    def for_every_example(self) -> bool:
        """Whether every example has sampled items of its own, rather than all of a step the same."""
        return self.loss in ("triplet", "bpr")

    @property
    def sampled(self) -> int:
        """Items that are sampled, of every example or of the whole step."""
        return self.negatives or (4 if self.for_every_example else 256)
