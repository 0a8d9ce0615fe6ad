"""Two towers: one turns a history and features into a vector, the other an item and its features."""

import math

import numpy as np
from scipy import sparse

from encorec.nn.export import plain, stacked_arrays
from encorec.nn.feature_bag import FeatureBag
from encorec.nn.history_attention import HistoryAttention
from encorec.nn.layers import Dropout, Residual, Table, kept_by_chance, sum_rows
from encorec.nn.torch_package import torch
from encorec.nn.two_tower_config import TowersConfig
from encorec.protocols import Arrays

__all__ = ["Towers"]

Tensor = torch.Tensor


class Towers(torch.nn.Module):
    """Both towers; the score of an item is the inner product of the two vectors: huang2013, covington2016.

    Args:
        config: sizes.
        of_users: (users, values) features of the users; none = they are not read.
        of_items: (items, values) features of the items; none = they are not read.
        taken: (items,) 1 where an item has a vector of its own, 0 where nobody took it.
        rng: of the starting weights.
        generator: of what is dropped in training.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> net = Towers(TowersConfig(embedding_size=4), None, None, np.ones(5), rng, torch.Generator())
        >>> net.items(torch.tensor([3, 1])).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        config: TowersConfig,
        of_users: sparse.csr_array | None,
        of_items: sparse.csr_array | None,
        taken: np.ndarray,
        rng: np.random.Generator,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        size, self.id_dropout, self.generator = config.embedding_size, config.id_dropout, generator
        spread = 1 / math.sqrt(size)
        lazy = config.training.lazy
        self.own, self.history = (Table(len(taken), size, rng, spread, lazy=lazy) for _ in range(2))
        attentive = config.history == "attention"
        self.attention = HistoryAttention(size, config.last, config.decay) if attentive else None
        self.register_buffer("taken", torch.from_numpy(np.asarray(taken, np.float32))[:, None], persistent=False)
        known = max(int(np.sum(taken)), 2)
        self.level = torch.nn.Parameter(torch.tensor(-math.log(known)))  # of all scores; for gbce alone
        self.of_users = None if of_users is None else FeatureBag(of_users, size, rng)
        self.of_items = None if of_items is None else FeatureBag(of_items, size, rng)
        dropout = Dropout(config.dropout, generator)
        self.user, self.item = (
            torch.nn.ModuleList(Residual(size, rng, dropout) for _ in range(config.blocks)) for _ in range(2)
        )

    def users(self, offset: Tensor, item: Tensor, weight: Tensor, user: Tensor) -> Tensor:
        """(m, size) vectors of users.

        Args:
            offset: (m,) int64 where each history begins.
            item: (e,) int64 items of the histories.
            weight: (e,) of each by recency, those of a history sum to 1; not read where attention is learnt.
            user: (m,) int64 rows of their features.
        """
        distinct, place = torch.unique(item, return_inverse=True)
        vectors = self.history(distinct)
        if self.attention is not None:
            weight = self.attention(vectors, place, offset)
        x = sum_rows(vectors, place, offset, weight)
        if self.of_users is not None:
            x = x + self.of_users(user)
        for block in self.user:
            x = block(x)
        return x

    def items(self, item: Tensor) -> Tensor:
        """(m, size) vectors of the items (m,) int64, each of them once."""
        x = self.own(item) * self.get_buffer("taken")[item]
        if self.of_items is not None:
            if self.training and self.id_dropout:
                x = x * (kept_by_chance(x[:, :1], self.id_dropout, self.generator) > 0)
            x = x + self.of_items(item)
        for block in self.item:
            x = block(x)
        return x

    def arrays(self) -> Arrays:
        """``factors`` (size, items), ``history`` (items, size), the weights of users' features and blocks.

        With attention also ``spoken`` (items,), what an item says to the query, and ``ago`` (last,).
        """
        with torch.no_grad():
            everything = torch.arange(len(self.own.weight), device=self.own.weight.device)
            learnt = {
                "factors": self.items(everything).T,
                "history": self.history.weight * self.get_buffer("taken"),
                **({} if self.of_users is None else {"user_table": self.of_users.table}),
                **({} if self.attention is None else {"spoken": self.attention.spoken(self.history.weight)}),
                **({} if self.attention is None else {"ago": self.attention.ago}),
            }
        return {name: plain(value) for name, value in learnt.items()} | stacked_arrays(self.user, "user")
