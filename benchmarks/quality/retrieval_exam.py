"""One exam for retrievers of both sides: the same past, users, rule on seen items and truth."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from benchmarks.peers.conversation import Peer
from benchmarks.quality.retrieval_pairs import SEEDS, Pair

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.splits import Fold
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.registry import RETRIEVERS
from encorec.types import IntMatrix, IntVector, ItemLists, Queries
from encorec.verdict import single_lists

__all__ = ["Lists", "RetrievalExam"]


@dataclass(frozen=True)
class Lists:
    """What one side recommends.

    Args:
        items: seed by seed (n, k) items.
        seconds: to fit and recommend, on average.
    """

    items: Sequence[IntMatrix]
    seconds: float


@dataclass(frozen=True)
class RetrievalExam:
    """What is known and what is asked.

    Args:
        past: to learn from.
        user: (n,) rows in the past, for those who look users up.
        queries: of the n users.
        truth: of the n users.
        keep_seen: whether items of a history may be recommended.
    """

    past: Dataset
    user: IntVector
    queries: Queries
    truth: ItemLists
    keep_seen: bool

    @classmethod
    def of(cls, fold: Fold, seen: SeenRule) -> "RetrievalExam":
        """The exam that a fold sets."""
        return cls(fold.past, fold.user, fold_queries(fold, seen), fold.truth, seen == "keep")

    @property
    def repeats(self) -> bool:
        """Whether anybody took an item twice."""
        return int(self.past.interactions.item_users.sum()) < len(self.past.interactions)

    def tell(self, peer: Peer, folder: Path) -> None:
        """Write what the peer may know, and have it read."""
        table = self.past.interactions
        log = pl.DataFrame({"user_id": table.user, "item_id": table.item, "timestamp": table.time})
        log.write_parquet(folder / "past.parquet")
        np.save(folder / "users.npy", self.user)
        for side, features in (("user", self.past.user_features), ("item", self.past.item_features)):
            values_of(features, f"{side}_id").write_parquet(folder / f"{side}_features.parquet")
        peer.ask("load", folder=folder)

    def ours(self, pair: Pair, k: int) -> Lists:
        """The lists of the retriever."""
        began, found, config = time.perf_counter(), [], self.configured(pair)
        for seed in SEEDS[: pair.seeds]:
            retriever = RETRIEVERS[type(config)](config)
            retriever.fit(self.past, rng=np.random.default_rng(seed))
            found.append(single_lists(retriever, self.queries, k))
        return Lists(found, (time.perf_counter() - began) / pair.seeds)

    def configured(self, pair: Pair) -> Config:
        """The settings of the retriever; least squares is told the names of the features that the peer is given."""
        if not isinstance(pair.config, ALSConfig):
            return pair.config
        past = self.past
        users = tuple(past.user_features.categorical) if "user" in pair.features else ()
        items = (*past.item_features.categorical, *past.item_features.tags) if "item" in pair.features else ()
        return msgspec.structs.replace(pair.config, user_features=users, item_features=items)

    def theirs(self, pair: Pair, k: int, peer: Peer, folder: Path) -> Lists:
        """The lists of the other model."""
        asked: Mapping[str, Any] = {
            "system": pair.system,
            "settings": pair.settings,
            "k": k,
            "keep_seen": self.keep_seen,
            "out": folder / "lists.npy",
            "features": pair.features,
            "once": self.repeats,
        }
        found, seconds = [], 0.0
        for seed in SEEDS[: pair.seeds]:
            seconds += peer.ask("recommend", seed=seed, **asked)["seconds"] / pair.seeds
            found.append(np.load(folder / "lists.npy"))
        return Lists(found, seconds)


def values_of(features: FeatureTable, key: str) -> pl.DataFrame:
    """One row per entity and value that it has: of a category, a tag, or a number with few values."""
    none = {key: pl.Int64, "feature": pl.String, "value": pl.String}
    parts = [pl.DataFrame(schema=none)]
    for name, column in features.categorical.items():
        row = np.flatnonzero(column.code >= 0)
        parts.append(_rows(none, row, name, np.array(column.values)[column.code[row]]))
    for name, tags in features.tags.items():
        parts.append(_rows(none, tags.lists.owner, name, np.array(tags.values)[tags.lists.item]))
    return pl.concat(parts)


def _rows(schema: Mapping[str, Any], row: Any, name: str, value: Any) -> pl.DataFrame:
    key, feature, kind = schema
    return pl.DataFrame({key: row, feature: [name] * len(row), kind: value}, schema=dict(schema))
