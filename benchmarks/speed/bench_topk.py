"""The top 10 of 20,000 users among 15,700 items with 64 factors, seen items left out: ours beside implicit's.

Both get the same vectors and the same seen items and must give the same items; both use the same number of threads, and
the linear algebra of each of them has one. Users have 6 to 100 seen items, the popular ones more often. A second
part asks with an allow-list of one percent: the share of users who get a full list.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from benchmarks.record import Measurement, in_turns, ratio, write
from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
from scipy import sparse
from threadpoolctl import threadpool_limits

from encorec.pipeline.two_stage import in_blocks
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.vector_scores import VectorScores
from encorec.types import Eligibility, FloatMatrix, Histories, IntMatrix, ItemLists, Queries

SEED, USERS, ITEMS, SIZE, K = 7, 20_000, 15_700, 64, 10
THREADS = (1, 2)


@dataclass(frozen=True)
class World:
    """Vectors and seen items: users (n, size) and items (m, size) float32."""

    users: FloatMatrix
    items: FloatMatrix
    seen: ItemLists

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "World":
        """Lengths of seen lists are lognormal; items are drawn by Zipf's law; lengths of vectors follow popularity."""
        items = rng.normal(size=(ITEMS, SIZE)) * (1 + rng.permutation(ITEMS)[:, None]) ** -0.1
        lengths = np.clip(rng.lognormal(2.7, 0.8, USERS), 6, 100).astype(int)
        chance = 1 / np.arange(10, ITEMS + 10)
        chance /= chance.sum()
        order = np.argsort(-np.linalg.norm(items, axis=1))
        lists = [np.unique(order[rng.choice(ITEMS, one, p=chance)]) for one in lengths]
        return cls(rng.normal(size=(USERS, SIZE)).astype(np.float32), items.astype(np.float32), ItemLists.of(lists))

    def queries(self, allow: ItemLists | None = None) -> Queries:
        """All users with their seen items left out."""
        rule = Eligibility(np.ones(ITEMS, bool), self.seen, allow)
        return Queries(Histories.empty(USERS), np.zeros(USERS, np.int64), rule)


class Peer(MatrixFactorizationBase):
    """implicit's answers from given vectors."""

    def __init__(self, world: World, threads: int) -> None:
        super().__init__(num_threads=threads)
        self.user_factors, self.item_factors = world.users, world.items
        ones = np.ones(len(world.seen.item), np.float32)
        self.seen = sparse.csr_matrix((ones, world.seen.item, world.seen.indptr), (USERS, ITEMS))

    def fit(self, *_: Any, **__: Any) -> None:
        """Nothing to learn."""

    def save(self, *_: Any) -> None:
        """Nothing to save."""

    def answer(self) -> IntMatrix:
        """(n, k) items."""
        return self.recommend(np.arange(USERS), self.seen, N=K, filter_already_liked_items=True)[0]


def ours(world: World, vectors: ItemVectors, queries: Queries, threads: int) -> IntMatrix:
    """(n, k) items: as the pipeline does, block by block, one mask for all rules."""

    def answer(block: slice) -> IntMatrix:
        rule = queries.eligible.take(block)
        return VectorScores(world.users[block], vectors).best(rule.mask(block.stop - block.start), K)[0]

    return np.concatenate(in_blocks(answer, queries, threads))


def seconds(answer: Callable[[], IntMatrix]) -> float:
    began = time.perf_counter()
    answer()
    return time.perf_counter() - began


def require_same(world: World, own: IntMatrix, peer: IntMatrix) -> None:
    """The same items in the same order; where two scores are one in float32, either order is right."""
    for row in np.flatnonzero((own != peer).any(axis=1)):
        exact = world.users[row].astype(np.float64) @ world.items[[own[row], peer[row]]].astype(np.float64).swapaxes(
            1, 2
        )
        if not np.allclose(exact[0], exact[1], rtol=1e-6, atol=1e-5):
            raise SystemExit(f"user {row}: {own[row].tolist()} is not {peer[row].tolist()}")


def full_share(world: World, vectors: ItemVectors, rng: np.random.Generator) -> float:
    """Share of users whose list is as long as k or as their allow-list of one percent leaves open."""
    allow = ItemLists.of([rng.choice(ITEMS, ITEMS // 100, replace=False) for _ in range(USERS)])
    queries = world.queries(allow)
    found = ours(world, vectors, queries, 1)
    eligible = np.concatenate(in_blocks(lambda block: queries.eligible.take(block).mask().sum(axis=1), queries))
    return float(np.mean((found >= 0).sum(axis=1) == np.minimum(K, eligible)))


def main() -> None:
    world = World.drawn(np.random.default_rng(SEED))
    vectors = ItemVectors.of(np.ascontiguousarray(world.items.T), np.full(ITEMS, -1, np.float32))
    queries, rows = world.queries(), list[Measurement]()
    with threadpool_limits(limits=1, user_api="blas"):
        for threads in THREADS:
            own, peer = partial(ours, world, vectors, queries, threads), Peer(world, threads)
            require_same(world, own(), peer.answer())
            values = in_turns({"encorec": partial(seconds, own), "implicit": partial(seconds, peer.answer)})
            case = f"top 10 of {USERS} users, {threads} thread{'s' if threads > 1 else ''}"
            rows += [Measurement(f"{case}: {name}", "s", value, SEED) for name, value in values.items()]
            rows.append(ratio(f"{case}: implicit / encorec", values["implicit"], values["encorec"], SEED))
        share = full_share(world, vectors, np.random.default_rng(SEED))
        rows.append(Measurement("allow-list of 1 %: full lists", "share", [share], SEED))
    write("topk", rows)


if __name__ == "__main__":
    main()
