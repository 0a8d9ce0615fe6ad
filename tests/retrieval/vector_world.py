"""A vector model that learns its vectors by a draw, and questions to it, with slow twins of what it answers."""

from typing import Any

import numpy as np

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.protocols import Arrays
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import BoolMatrix, FloatMatrix, Queries


class DrawnConfig(Config, tag="drawn", tag_field="kind"):
    """Size of the vectors, whether items have a bias, and how they are searched."""

    embedding_size: int = 6
    biased: bool = True
    index: IndexConfig = IndexConfig()


class Drawn(VectorRetriever):
    """Items get drawn vectors, a query the sum of those in its history."""

    Settings = DrawnConfig

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        counts = data.interactions.item_counts
        factors = np.random.default_rng(0).normal(size=(self.config.embedding_size, len(counts))).astype(np.float32)
        factors[:, counts == 0] = 0
        arrays: Arrays = {"factors": factors, "prior": (counts / max(counts.max(), 1) - 1).astype(np.float32)}
        return arrays | ({"bias": (counts / 9).astype(np.float32)} if self.config.biased else {})

    def encode(self, queries: Queries) -> FloatMatrix:
        history, factors = queries.history.compact(), self.arrays()["factors"]
        users = np.zeros((len(queries), len(factors)), np.float32)
        for row in range(len(queries)):
            for item in history.items(row):
                users[row] += factors[:, item]
        return users


def drawn_vectors(rng: np.random.Generator, items: int, size: int, step: float | None) -> ItemVectors:
    """Of a tenth nothing is known; numbers are whole multiples of ``step`` where it is given, so that many tie."""
    factors: Any = rng.normal(size=(size, items)) * rng.lognormal(size=items)
    bias = rng.normal(size=items)
    if step:
        factors, bias = np.round(factors / step) * step, np.round(bias / step) * step
    factors[:, rng.random(items) < 0.1] = 0
    prior = (rng.integers(-9, 1, items) / 9).astype(np.float32)
    return ItemVectors.of(np.ascontiguousarray(factors, np.float32), prior, bias.astype(np.float32))


def drawn_users(rng: np.random.Generator, n: int, size: int, step: float | None) -> FloatMatrix:
    """The second one is unknown."""
    users: Any = rng.normal(size=(n, size))
    users = np.round(users / step) * step if step else users
    users[1:2] = 0
    return users.astype(np.float32)


def summed_slowly(users: FloatMatrix, vectors: ItemVectors, bias: FloatMatrix | None = None) -> FloatMatrix:
    """(n, items) float32 inner products, one number of the vectors after the other, and then the bias or the prior."""
    out = np.zeros((len(users), len(vectors)), np.float32)
    for one in range(vectors.factors.shape[0]):
        out = out + users[:, one : one + 1] * vectors.factors[one]
    out = np.where(vectors.factors.any(axis=0), out + vectors.offset, vectors.prior)
    return np.where(np.asarray(users.any(axis=1))[:, None], out, vectors.prior)


def sorted_slowly(full: FloatMatrix, eligible: BoolMatrix, k: int) -> list[list[int]]:
    """Best first, equal scores in catalogue order."""
    allowed = np.broadcast_to(eligible, full.shape)
    order = np.argsort(-full, axis=1, kind="stable")
    return [order[row][allowed[row][order[row]]][:k].tolist() for row in range(len(full))]
