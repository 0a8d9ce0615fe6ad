"""How a network is trained, whatever network it is; read without torch."""

from typing import Literal

from encorec.config import Config, bounded

__all__ = ["TrainingConfig"]


class TrainingConfig(Config):
    """Passes, steps and when to stop. A field ``training`` of the model's own config.

    Args:
        epochs: passes over the training examples, at most.
        batch_size: examples of one step: windows of a sequence model, events of the others.
        learning_rate: of AdamW at its height.
        warmup: share of all steps during which the learning rate rises to its height.
        schedule: what follows: constant, or cosine and linear that fall to 0 at the last step.
        weight_decay: of AdamW.
        clip: largest norm of a gradient; none = as it is.
        validation_users: whose newest event is kept from the training to judge an epoch by, at most; 0 = every event is
            trained on and every epoch is run.
        validation_share: of the users, at most, that are kept for that.
        patience: epochs without a better NDCG@10 on them after which the training ends; none = all are run. The best
            epoch is kept either way.
        precision: auto = 16-bit products where the device is made for them, single = never.
        device: auto = cuda where there is one; or cpu, cuda.
        folder: where a checkpoint, ``log.csv`` and the events of TensorBoard (where it is installed) are written after
            every epoch, in a folder named by the fingerprint of what is trained on what; a training that was broken
            off goes on from there. None = nothing is written.

    Example:
        >>> TrainingConfig(epochs=3).schedule
        'cosine'
    """

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup: float = 0.05
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    weight_decay: float = 0.0
    clip: float | None = None
    validation_users: int = 1000
    validation_share: float = 0.5
    patience: int | None = 5
    precision: Literal["auto", "single"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    folder: str | None = None

    def __post_init__(self) -> None:
        bounded(self, epochs=(1, 100_000), batch_size=(1, 10**6), learning_rate=(1e-9, 100), warmup=(0, 1))
        bounded(self, weight_decay=(0, 1000), clip=(1e-9, 10**9), patience=(1, 100_000))
        bounded(self, validation_users=(0, 10**9), validation_share=(0, 0.5))

    @property
    def lazy(self) -> bool:
        """Whether a step may leave alone the vectors that it does not read: neither decay nor clip wants them all."""
        return self.weight_decay == 0 and self.clip is None
