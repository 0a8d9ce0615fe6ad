"""Networks: one epoch of training at the size of a benchmark, and one history encoded, for ``fresh.measure``."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from benchmarks.speed import prepared
from benchmarks.speed.size import SEED
from threadpoolctl import threadpool_limits

from encorec.data.dataset import Dataset
from encorec.data.sources import SyntheticKion, load
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.neumf import NeuMFConfig
from encorec.retrieval.registry import make_retriever
from encorec.retrieval.sasrec import SASRecConfig
from encorec.retrieval.two_tower import TwoTowerConfig
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import Eligibility, Histories, Queries

__all__ = ["NETWORKS", "encode", "epoch"]

ENCODED = 1000
SMALL = SyntheticKion(users=3_000, seed=SEED)
USER_FEATURES, ITEM_FEATURES = ("age", "income", "sex", "kids_flg"), ("genres", "content_type")
NETWORKS: Mapping[str, Any] = {
    "sasrec": SASRecConfig(),
    "two-tower": TwoTowerConfig(),
    "two-tower, features": TwoTowerConfig(user_features=USER_FEATURES, item_features=ITEM_FEATURES),
    "neumf": NeuMFConfig(),
}
"""Kinds with their defaults: SASRec of 2 blocks, 64 numbers, 50 events; two towers of 64 numbers, 50 events."""


def epoch(share: float, name: str) -> Callable[[], int]:
    """A fit that ends after its first epoch; tells interactions."""
    whole = prepared.data(share)

    def run() -> int:
        _fitted(name, whole)
        return len(whole.interactions)

    return run


def encode(name: str, events: int) -> Callable[[], int]:
    """Vectors of histories of so many events, one query at a time, on one thread; tells queries."""
    threadpool_limits(limits=1, user_api="blas")
    data = load(SMALL)
    model = _fitted(name, data)
    if not isinstance(model, VectorRetriever):
        raise TypeError(f"{name} has no vectors")
    rng, taken = np.random.default_rng(SEED), np.flatnonzero(data.interactions.item_counts)
    rule = Eligibility(np.ones(data.interactions.items, bool))
    features = data.user_features.dense()[:1]
    end = data.interactions.end
    queries: list[Queries] = []
    for _ in range(ENCODED):
        times = np.sort(rng.integers(end - 10**7, end, events))
        histories = Histories.of([(rng.choice(taken, events).tolist(), times.tolist())])
        queries.append(Queries(histories, np.array([end]), rule, features))

    def run() -> int:
        for query in queries:
            model.encode(query)
        return ENCODED

    return run


def _fitted(name: str, data: Dataset) -> Any:
    config = NETWORKS[name]
    training: TrainingConfig = msgspec.structs.replace(config.training, epochs=1, validation_users=0)
    model = make_retriever(msgspec.structs.replace(config, training=training))
    return model.fit(data, rng=np.random.default_rng(SEED))
