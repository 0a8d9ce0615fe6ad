"""Training of two towers: events and what came before them in, the arrays of a served model out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

from encorec.data.interactions import Interactions
from encorec.nn.epoch import Watch
from encorec.nn.held_out import barred_items, held_out_users, mean_ndcg
from encorec.nn.losses import bpr_loss, gbce_loss, in_batch_softmax, sampled_softmax, triplet_loss
from encorec.nn.prefixes import example_rows, pool_before, shuffled
from encorec.nn.run_folder import run_folder
from encorec.nn.sampling import ItemSampler, hardest, hide_taken
from encorec.nn.torch_package import torch
from encorec.nn.towers import Towers
from encorec.nn.training import device_of, train
from encorec.nn.two_tower_config import TowersConfig
from encorec.protocols import Arrays
from encorec.types import IntVector

__all__ = ["Sides", "TowersTask", "train_two_tower"]

Tensor = torch.Tensor
USERS_AT_ONCE = 256


class Sides(NamedTuple):
    """Features (users, values) and (items, values) that the towers read; none = they are not read."""

    users: sparse.csr_array | None
    items: sparse.csr_array | None


class TowersTask:
    """To put the item of an event above others, given the events before it.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        sides: features.
        config: sizes, and how it is trained.
        rng: of the starting weights and of who is kept aside.

    Example:
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> config, rng = TowersConfig(embedding_size=4), np.random.default_rng(0)
        >>> task = TowersTask(table, np.array([0]), Sides(None, None), config, rng)
        >>> task.steps(), bool(task.loss(next(task.batches(rng)), rng) > 0)
        (1, True)
    """

    def __init__(
        self, table: Interactions, order: IntVector, sides: Sides, config: TowersConfig, rng: np.random.Generator
    ) -> None:
        self.table, self.config, self.device = table, config, device_of(config.training)
        self.held_out = held_out_users(table, order, config.training, rng)
        self.featured = sides.users is not None
        self.rows = example_rows(table, order, self.held_out, first=0 if self.featured else 1)
        self.generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        taken = table.item_counts > 0
        self.module = Towers(config, *sides, taken, rng, self.generator).to(self.device)
        self.sampler = ItemSampler.by_popularity(table.item_counts, config.alpha)
        self.log_q = self._tensor(self.sampler.log_q)
        self.log_share = self._tensor(ItemSampler.by_popularity(table.item_counts, 1.0).log_q)

    def steps(self) -> int:
        """Batches of one epoch."""
        return -(-len(self.rows) // self.config.training.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[IntVector]:
        """All rows of examples, in an order that ``rng`` draws."""
        return shuffled(self.rows, self.config.training.batch_size, rng)

    def loss(self, batch: IntVector, rng: np.random.Generator) -> Tensor:
        """Mean over the examples (m,)."""
        empty = np.zeros(len(batch), bool)
        if self.featured:
            empty = rng.random(len(batch)) < self.config.history_dropout
        users, item = self._users(batch, empty), self._tensor(self.table.item[batch].astype(np.int64))
        drawn = self._drawn(len(batch), rng)
        named = item if drawn is None else torch.cat([item, drawn.ravel()])
        distinct, place, count = torch.unique(named, return_inverse=True, return_counts=True)
        vectors = self.module.items(distinct)
        if drawn is None:
            return in_batch_softmax(users @ vectors.T, place, count, self.log_share[distinct])
        rows = torch.nn.functional.embedding(place, vectors)
        taken, others = (users * rows[: len(item)]).sum(dim=1), rows[len(item) :].view(*drawn.shape, -1)
        scores = (others @ users[:, :, None])[:, :, 0] if drawn.ndim == 2 else users @ others.T
        return self._compared(taken, hide_taken(scores, drawn, item), item, drawn)

    def _drawn(self, examples: int, rng: np.random.Generator) -> Tensor | None:
        """Sampled items: (m, n) of every example, (n,) of the step, or none where the batch itself serves."""
        if self.config.loss == "softmax":
            return None
        size = self.config.sampled
        return self._tensor(self.sampler.draw((examples, size) if self.config.for_every_example else size, rng))

    def _compared(self, taken: Tensor, others: Tensor, item: Tensor, drawn: Tensor) -> Tensor:
        config = self.config
        if config.loss == "sampled":
            corrected = others - self.log_q[drawn]
            corrected = corrected if config.hard is None else hardest(corrected, config.hard)
            return sampled_softmax(taken, corrected, self.log_q[item], torch.zeros_like(corrected[0]))
        others = others if config.hard is None else hardest(others, config.hard)
        if config.loss == "gbce":
            sampled = min(config.sampled / max(self.table.items - 1, 1), 1.0)
            level = self.module.level
            return gbce_loss(taken + level, others + level, sampled, config.calibration)
        return bpr_loss(taken, others) if config.loss == "bpr" else triplet_loss(taken, others, config.margin)

    def validate(self) -> float:
        """NDCG@10 of the events kept aside, in a full ranking of what the user had not taken before."""
        if not len(self.held_out):
            return float("nan")
        table, total = self.table, 0.0
        vectors = self.module.items(torch.arange(table.items, device=self.device))
        for first in range(0, len(self.held_out), USERS_AT_ONCE):
            users = self.held_out[first : first + USERS_AT_ONCE]
            newest = table.indptr[1:][users] - 1
            target = table.item[newest].astype(np.int64)
            scores = self._users(newest, np.zeros(len(users), bool)) @ vectors.T
            scores = scores.masked_fill(self._tensor(barred_items(table, users, target)), -torch.inf)
            total += float(mean_ndcg(scores, self._tensor(target)).sum())
        return total / len(self.held_out)

    def _users(self, rows: IntVector, empty: np.ndarray) -> Tensor:
        """(m, size) vectors of users as they were just before the events at ``rows``."""
        pool = pool_before(self.table, rows, self.config.last, self.config.decay, empty)
        user = self._tensor(self.table.user[rows].astype(np.int64))
        offset, item, weight = (self._tensor(part) for part in pool)
        return self.module.users(offset, item, weight, user)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


def train_two_tower(
    table: Interactions,
    order: IntVector,
    sides: Sides,
    config: TowersConfig,
    rng: np.random.Generator,
    *,
    watch: Watch | None = None,
) -> Arrays:
    """The arrays of trained towers: ``factors`` (size, items), and what the user tower reads and computes with.

    Args:
        table: all interactions.
        order: (n,) users that are trained on, in an order that does not depend on their numbers.
        sides: features.
        config: sizes, and how it is trained.
        rng: of everything random.
        watch: told of every epoch as it ends.

    Example:
        >>> from encorec.nn.training_config import TrainingConfig
        >>> table = Interactions.of([0] * 4, [0, 1, 2, 0], [1, 2, 3, 4])
        >>> config = TowersConfig(embedding_size=4, training=TrainingConfig(epochs=1))
        >>> learnt = train_two_tower(table, np.array([0]), Sides(None, None), config, np.random.default_rng(0))
        >>> learnt["factors"].shape
        (4, 3)
    """
    folder = run_folder(config, config.training.folder, table, rng, *sides)
    task = TowersTask(table, order, sides, config, rng)
    train(task, config.training, rng, watch=watch, folder=folder)
    return task.module.arrays()
