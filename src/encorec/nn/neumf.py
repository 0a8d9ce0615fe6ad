"""Training of neural matrix factorisation: events and what came before them in, the arrays of a served model out."""

from collections.abc import Iterator

import msgspec
import numpy as np

from encorec.data.interactions import Interactions
from encorec.nn.epoch import Watch
from encorec.nn.held_out import barred_items, held_out_users, mean_ndcg
from encorec.nn.losses import gbce_loss
from encorec.nn.neumf_config import FactorisationConfig
from encorec.nn.neural_factorisation import NeuralFactorisation, Part
from encorec.nn.prefixes import example_rows, pool_before, shuffled
from encorec.nn.run_folder import run_folder
from encorec.nn.sampling import ItemSampler
from encorec.nn.taken_pairs import TakenPairs
from encorec.nn.torch_package import torch
from encorec.nn.training import device_of, train
from encorec.protocols import Arrays
from encorec.types import IntVector

__all__ = ["FactorisationTask", "train_neumf"]

Tensor = torch.Tensor
PAIRS_AT_ONCE = 100_000


class FactorisationTask:
    """To tell the item of an event from sampled ones that the user never took: binary cross-entropy.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        held_out: (v,) users whose newest event is kept aside.
        config: sizes, and how it is trained.
        part: what the score is made of.
        rng: of the starting weights.

    Example:
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> config, rng = FactorisationConfig(embedding_size=4), np.random.default_rng(0)
        >>> task = FactorisationTask(table, np.array([0]), np.array([], int), config, "both", rng)
        >>> task.steps(), bool(task.loss(next(task.batches(rng)), rng) > 0)
        (1, True)
    """

    def __init__(
        self,
        table: Interactions,
        order: IntVector,
        held_out: IntVector,
        config: FactorisationConfig,
        part: Part,
        rng: np.random.Generator,
    ) -> None:
        self.table, self.held_out, self.config, self.device = table, held_out, config, device_of(config.training)
        self.rows = example_rows(table, order, held_out, first=1)
        self.generator = torch.Generator(self.device)
        self.module = NeuralFactorisation(config, table.items, part, rng).to(self.device)
        self.sampler = ItemSampler.by_popularity(table.item_counts, config.alpha)
        self.pairs = TakenPairs.of(table, held_out)

    def steps(self) -> int:
        """Batches of one epoch."""
        return -(-len(self.rows) // self.config.training.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[IntVector]:
        """All rows of examples, in an order that ``rng`` draws."""
        return shuffled(self.rows, self.config.training.batch_size, rng)

    def loss(self, batch: IntVector, rng: np.random.Generator) -> Tensor:
        """Mean over the examples (m,) and what each is compared with: he2017, equation 7."""
        drawn = self.sampler.draw((len(batch), self.config.negatives), rng)
        taken = self._tensor(self.pairs.hold(self.table.user[batch], drawn))
        item = self._tensor(np.column_stack([self.table.item[batch], drawn]))
        scores = self.module(self._users(batch), item)
        return gbce_loss(scores[:, 0], scores[:, 1:].masked_fill(taken, -torch.inf), 1.0, 0.0)

    def validate(self) -> float:
        """NDCG@10 of the events kept aside, in a full ranking of what the user had not taken before."""
        if not len(self.held_out):
            return float("nan")
        table, total = self.table, 0.0
        everything = torch.arange(table.items, device=self.device)[None]
        step = max(1, PAIRS_AT_ONCE // table.items)
        for first in range(0, len(self.held_out), step):
            users = self.held_out[first : first + step]
            newest = table.indptr[1:][users] - 1
            target = table.item[newest].astype(np.int64)
            scores = self.module(self._users(newest), everything.expand(len(users), -1))
            scores = scores.masked_fill(self._tensor(barred_items(table, users, target)), -torch.inf)
            total += float(mean_ndcg(scores, self._tensor(target)).sum())
        return total / len(self.held_out)

    def _users(self, rows: IntVector) -> tuple[Tensor, Tensor]:
        pool = pool_before(self.table, rows, self.config.last, self.config.decay, np.zeros(len(rows), bool))
        offset, item, weight = (self._tensor(part) for part in pool)
        return self.module.users(offset, item, weight)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


def train_neumf(
    table: Interactions,
    order: IntVector,
    config: FactorisationConfig,
    rng: np.random.Generator,
    *,
    watch: Watch | None = None,
) -> Arrays:
    """The arrays of a trained factorisation, as ``NeuralFactorisation.arrays`` names them.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        config: sizes, and how it is trained.
        rng: of everything random.
        watch: told of every epoch as it ends; those of the pretraining are counted too.

    Example:
        >>> from encorec.nn.training_config import TrainingConfig
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> config = FactorisationConfig(embedding_size=4, hidden=6, training=TrainingConfig(epochs=1))
        >>> train_neumf(table, np.array([0]), config, np.random.default_rng(0))["hidden_item"].shape
        (3, 6)
    """
    folder = run_folder(config, config.training.folder, table, rng)
    held_out = held_out_users(table, order, config.training, rng)
    alone: list[NeuralFactorisation] = []
    parts: tuple[Part, ...] = ("product", "perceptron", "both") if config.pretraining else ("both",)
    for place, part in enumerate(parts):
        task = FactorisationTask(table, order, held_out, config, part, rng)
        settings = config.training
        if part != "both":
            settings = msgspec.structs.replace(settings, epochs=config.pretraining)
        elif alone:
            task.module.begin_from(*alone)
        told = None if watch is None else _counted(watch, place * config.pretraining, config)
        train(task, settings, rng, watch=told, folder=None if folder is None else folder / part)
        alone.append(task.module)
    return alone[-1].arrays()


def _counted(watch: Watch, before: int, config: FactorisationConfig) -> Watch:
    """Epochs numbered over all parts of the training."""
    epochs = 2 * config.pretraining + config.training.epochs
    return lambda epoch: watch(epoch._replace(number=before + epoch.number, epochs=epochs))
