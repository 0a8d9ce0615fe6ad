"""Which retriever is held against which model of RecTools or implicit, both with the same hyperparameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from encorec.config import Config
from encorec.retrieval.registry import RetrieverConfig

__all__ = ["PAIRS", "SEEDS", "Pair"]

SEEDS = (7, 8, 9, 10, 11)


@dataclass(frozen=True)
class Pair:
    """One retriever and the same model elsewhere.

    Args:
        name: in the table.
        ours: kind and settings of the retriever, as in a configuration.
        system: name in the driver ``retrieval_models``.
        settings: of that model.
        features: sides whose features the other model is given, and least squares of ours: ``user``, ``item``.
        seeds: how many; the metric of a user is averaged over them.
    """

    name: str
    ours: Mapping[str, Any]
    system: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    features: Sequence[str] = ()
    seeds: int = 1

    @property
    def config(self) -> Config:
        """The settings of the retriever."""
        return msgspec.convert(dict(self.ours), RetrieverConfig)


def knn(weighting: str, neighbours: int) -> Pair:
    """Item neighbours of implicit."""
    settings = {"weighting": weighting, "neighbours": neighbours}
    bm25 = {"saturation": 1.2, "length_penalty": 0.75}, {"K1": 1.2, "B": 0.75}
    ours, theirs = bm25 if weighting == "bm25" else ({}, {})
    name = f"item kNN, {weighting}, {neighbours}"
    return Pair(name, {"kind": "item-knn", **settings, **ours}, "item_knn", {**settings, **theirs})


def ease(reg: float, *, turned: bool = False, **options: float) -> Pair:
    """The linear autoencoder over the whole catalogue; ``options`` (dropout, relaxation) are ours alone.

    RecTools multiplies histories with the weights of steck2019 transposed; ``turned`` turns them back.
    """
    ours = {"kind": "ease", "reg": reg, "form": "dense", "max_items": 20_000, "neighbours": 20_000, **options}
    given = [f"{option} {value:g}" for option, value in options.items() if value]
    name, theirs = ", ".join([f"EASE, {reg:g}", *given]), {"reg": reg}
    if turned:
        return Pair(f"{name}, theirs as published", ours, "ease", {**theirs, "turned": True})
    return Pair(name, ours, "ease", theirs)


def als(factors: int, alpha: float, reg: float) -> Pair:
    """Least squares without features."""
    shared = {"alpha": alpha, "reg": reg, "epochs": 15}
    name = f"iALS, {factors}, alpha {alpha:g}, reg {reg:g}"
    ours = {"kind": "als", "embedding_size": factors, **shared}
    return Pair(name, ours, "ials", {"factors": factors, **shared}, seeds=len(SEEDS))


def featured(factors: int, features: Sequence[str]) -> Pair:
    """Least squares in which features are known numbers of the vectors, learnt together with the others."""
    shared = {"alpha": 1, "reg": 10, "epochs": 15}
    ours = {"kind": "als", "embedding_size": factors, **shared}
    theirs = {"factors": factors, **shared, "together": True}
    return Pair(f"iALS, {factors}, features: {' '.join(features)}", ours, "ials", theirs, features, seeds=len(SEEDS))


def svd(size: int) -> Pair:
    """Truncated singular value decomposition."""
    return Pair(f"PureSVD, {size}", {"kind": "svd", "embedding_size": size}, "pure_svd", {"factors": size})


def bpr(size: int) -> Pair:
    """Bayesian personalised ranking by implicit."""
    shared = {"learning_rate": 0.05, "reg": 0.01, "epochs": 100}
    ours = {"kind": "bpr", "embedding_size": size, **shared}
    return Pair(f"BPR, {size}", ours, "bpr", {"factors": size, **shared}, seeds=len(SEEDS))


def hybrid(name: str, features: Sequence[str] = ()) -> Pair:
    """LightFM with the loss WARP, with the features of the sides named."""
    shared = {"learning_rate": 0.05, "max_sampled": 10, "epochs": 30}
    left_out = {f"{side}_features": () for side in ("user", "item") if side not in features}
    ours = {"kind": "hybrid", "embedding_size": 64, **shared, **left_out}
    return Pair(name, ours, "lightfm", {"factors": 64, **shared}, features, seeds=3)


PAIRS = (
    Pair("random", {"kind": "random"}, "random", seeds=len(SEEDS)),
    Pair("popular", {"kind": "popularity"}, "popular"),
    Pair("popular, 7 days", {"kind": "popularity", "days": 7}, "popular", {"days": 7}),
    Pair("popular, 30 days", {"kind": "popularity", "days": 30}, "popular", {"days": 30}),
    *(knn(weighting, neighbours) for weighting in ("cosine", "tfidf", "bm25") for neighbours in (20, 100)),
    ease(100),
    ease(100, turned=True),
    ease(300),
    ease(500),
    als(32, 1, 1),
    als(64, 1, 10),
    als(64, 10, 10),
    *(featured(factors, sides) for factors in (32, 64) for sides in (("item",), ("user", "item"))),
    svd(32),
    svd(64),
    bpr(64),
    hybrid("WARP, 64"),
    hybrid("WARP, 64, features", ("user", "item")),
)
