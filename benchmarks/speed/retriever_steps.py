"""Every kind of retriever, fitted and asked, for ``fresh.measure``."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import asked, engine
from benchmarks.speed.data_steps import untouched
from benchmarks.speed.size import SEED
from threadpoolctl import threadpool_limits

from encorec.pipeline.two_stage import in_blocks
from encorec.retrieval.registry import RetrieverConfig, make_retriever

__all__ = ["FAMILY", "ask", "fit"]

K = 10

FAMILY: Mapping[str, Mapping[str, Any]] = {
    "random": {"kind": "random"},
    "popularity, 7 days": {"kind": "popularity", "days": 7},
    "repeats": {"kind": "repeats"},
    "continue-watching": {"kind": "continue-watching"},
    "covisitation": {"kind": "covisitation"},
    "item kNN, tfidf": {"kind": "item-knn", "weighting": "tfidf"},
    "user kNN": {"kind": "user-knn"},
    "content kNN": {"kind": "content-knn"},
    "EASE, 10,000 items": {"kind": "ease"},
    "EASE, all items": {"kind": "ease", "max_items": 16_000},
    "PureSVD, 64": {"kind": "svd"},
    "iALS, 64": {"kind": "als"},
    "iALS, 64, genres": {"kind": "als", "item_features": ["genres"]},
    "BPR, 64": {"kind": "bpr"},
    "WARP, 64, features": {"kind": "hybrid"},
}
"""Kinds of docs/retrieval.md with their defaults."""


def fit(share: float, name: str) -> Callable[[], int]:
    """Fit one of the family; tells interactions."""
    whole, wanted = prepared.data(share), msgspec.convert(dict(FAMILY[name]), RetrieverConfig)

    def run() -> int:
        make_retriever(wanted).fit(untouched(whole), rng=np.random.default_rng(SEED))
        return len(whole.interactions)

    return run


def ask(share: float, name: str, users: int) -> Callable[[], int]:
    """The top 10 of one of the family on one thread; tells users."""
    threadpool_limits(limits=1, user_api="blas")
    wanted = msgspec.convert(dict(FAMILY[name]), RetrieverConfig)
    fitted = make_retriever(wanted).fit(prepared.data(share), rng=np.random.default_rng(SEED))
    queries = asked(engine(share), users)

    def run() -> int:
        in_blocks(lambda block: fitted.retrieve(queries.take(block), K), queries)
        return len(queries)

    return run
