"""The size of a neural matrix factorisation and how it is trained; read without torch."""

from encorec.config import Config, bounded
from encorec.nn.training_config import TrainingConfig

__all__ = ["FactorisationConfig"]


class FactorisationConfig(Config):
    """Size of the product and of the perceptron, and how they are trained.

    Args:
        embedding_size: numbers per vector, of the product and of the perceptron alike.
        hidden: numbers of the perceptron's first layer; its second has half as many.
        last: newest events of a history that are read.
        decay: weight of an event for each newer one, in (0, 1].
        negatives: items sampled for every example; those that the user took do not count.
        alpha: items are sampled in proportion to how often they were taken to this power; 0 = evenly.
        pretraining: epochs that the product and the perceptron are first trained for, each alone; 0 = none.
        training: passes and steps.
    """

    embedding_size: int = 32
    hidden: int = 64
    last: int = 50
    decay: float = 0.9
    negatives: int = 4
    alpha: float = 0.0
    pretraining: int = 0
    training: TrainingConfig = TrainingConfig(epochs=30, batch_size=1024, learning_rate=5e-3)

    def __post_init__(self) -> None:
        bounded(self, embedding_size=(1, 4096), hidden=(2, 4096), last=(1, 10_000), decay=(1e-6, 1))
        bounded(self, negatives=(1, 10**6), alpha=(0, 10), pretraining=(0, 100_000))
