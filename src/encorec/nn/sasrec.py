"""Training of SASRec: windows of histories in, the arrays of a causal transformer out."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from encorec.data.interactions import Interactions
from encorec.nn.epoch import Watch
from encorec.nn.held_out import barred_items, held_out_users, mean_ndcg
from encorec.nn.losses import gbce_loss, sampled_softmax
from encorec.nn.run_folder import run_folder
from encorec.nn.sampling import ItemSampler, hide_taken, sampled_negatives
from encorec.nn.torch_package import torch
from encorec.nn.training import device_of, train
from encorec.nn.transformer import Transformer
from encorec.nn.transformer_config import TransformerConfig
from encorec.nn.windows import Batch, Windows, padded
from encorec.protocols import Arrays
from encorec.types import IntVector

__all__ = ["SequenceTask", "train_sasrec"]

Tensor = torch.Tensor
USERS_AT_ONCE = 256


class SequenceTask:
    """To foretell the next item after every event of every window.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        parts: (items, values) features of the items; none = they are not read.
        config: sizes, and how it is trained.
        rng: of the starting weights and of who is kept aside.

    Example:
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> config = TransformerConfig(embedding_size=4)
        >>> task = SequenceTask(table, np.array([0]), None, config, np.random.default_rng(0))
        >>> task.steps(), bool(task.loss(next(task.batches(np.random.default_rng(1))), np.random.default_rng(2)) > 0)
        (1, True)
    """

    def __init__(
        self,
        table: Interactions,
        order: IntVector,
        parts: sparse.csr_array | None,
        config: TransformerConfig,
        rng: np.random.Generator,
    ) -> None:
        self.table, self.config, self.device = table, config, device_of(config.training)
        self.held_out = held_out_users(table, order, config.training, rng)
        self.windows = Windows.of(table, order, self.held_out, config.last)
        self.generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        known = table.item_counts > 0
        self.module = Transformer(config, parts, known, rng, self.generator).to(self.device)
        self.sampler = ItemSampler.by_popularity(table.item_counts, config.alpha)
        self.log_q = self._tensor(self.sampler.log_q)
        self.known = self._tensor(np.flatnonzero(known))
        self.place = self._tensor(np.cumsum(known) - 1)  # of an item among the known ones
        self.negatives = sampled_negatives(config.negatives, len(self.known))

    def steps(self) -> int:
        """Batches of one epoch."""
        size, windows = self.config.training.batch_size, len(self.windows.start)
        return -(-windows // size)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """All windows, in an order that ``rng`` draws."""
        for windows in self.windows.batches(self.config.training.batch_size, rng):
            yield padded(self.table, windows, self.config.time_gaps)

    def loss(self, batch: Batch, rng: np.random.Generator) -> Tensor:
        """Mean over the events of the batch; all are compared with the same items."""
        vectors = self.module.items()
        real = self._tensor(batch.real)
        states = self._states(batch, vectors)[real]
        target = self._tensor(batch.target)[real]
        lookup = torch.nn.functional.embedding
        if self.negatives is None and self.config.loss == "softmax":
            return torch.nn.functional.cross_entropy(states @ lookup(self.known, vectors).T, self.place[target])
        drawn = self.known if self.negatives is None else self._tensor(self.sampler.draw(self.negatives, rng))
        taken = (states * lookup(target, vectors)).sum(dim=1)
        others = hide_taken(states @ lookup(drawn, vectors).T, drawn, target)
        if self.config.loss == "gbce":
            sampled = min(len(drawn) / max(len(self.known) - 1, 1), 1.0)
            return gbce_loss(taken + self.module.level, others + self.module.level, sampled, self.config.calibration)
        return sampled_softmax(taken, others, self.log_q[target], self.log_q[drawn])

    def validate(self) -> float:
        """NDCG@10 of the events kept aside, in a full ranking of what the user had not taken before."""
        if not len(self.held_out):
            return float("nan")
        vectors, total = self.module.items(), 0.0
        for first in range(0, len(self.held_out), USERS_AT_ONCE):
            total += float(self._judged(self.held_out[first : first + USERS_AT_ONCE], vectors).sum())
        return total / len(self.held_out)

    def _judged(self, users: IntVector, vectors: Tensor) -> Tensor:
        """(v,) NDCG@10 of each user's newest event."""
        table = self.table
        stop = table.indptr[1:][users]
        start = np.maximum(stop - self.config.last - 1, table.indptr[users])
        batch = padded(table, Windows(start, stop), self.config.time_gaps)
        newest = self._tensor(batch.real.sum(axis=1) - 1)
        states = self._states(batch, vectors)[torch.arange(len(users), device=self.device), newest]
        scores, target = states @ vectors.T, table.item[stop - 1].astype(np.int64)
        scores = scores.masked_fill(self._tensor(barred_items(table, users, target)), -torch.inf)
        return mean_ndcg(scores, self._tensor(target))

    def _states(self, batch: Batch, vectors: Tensor) -> Tensor:
        gap = None if batch.gap is None else self._tensor(batch.gap)
        return self.module(self._tensor(batch.item), vectors, gap)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


def train_sasrec(
    table: Interactions,
    order: IntVector,
    parts: sparse.csr_array | None,
    config: TransformerConfig,
    rng: np.random.Generator,
    *,
    watch: Watch | None = None,
) -> Arrays:
    """The arrays of a trained transformer: ``factors`` (size, items) and the weights of its blocks.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        parts: (items, values) features of the items; none = they are not read.
        config: sizes, and how it is trained.
        rng: of everything random.
        watch: told of every epoch as it ends.

    Example:
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> from encorec.nn.training_config import TrainingConfig
        >>> config = TransformerConfig(embedding_size=4, blocks=1, training=TrainingConfig(epochs=1))
        >>> train_sasrec(table, np.array([0]), None, config, np.random.default_rng(0))["factors"].shape
        (4, 3)
    """
    folder = run_folder(config, config.training.folder, table, rng, parts)
    task = SequenceTask(table, order, parts, config, rng)
    train(task, config.training, rng, watch=watch, folder=folder)
    return task.module.arrays()
