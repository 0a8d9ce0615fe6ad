"""Every kind of retriever, in its several forms, keeps the contract of its seam."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from tests.contracts.worlds import world

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.bpr import BPRConfig
from encorec.retrieval.content_knn import ContentKNNConfig
from encorec.retrieval.continue_watching import ContinueWatchingConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.ease import EASEConfig
from encorec.retrieval.hybrid import HybridConfig
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.neumf import NeuMFConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.retrieval.random_items import RandomConfig
from encorec.retrieval.registry import RETRIEVERS, RetrieverConfig, make_retriever
from encorec.retrieval.repeats import RepeatsConfig
from encorec.retrieval.sasrec import SASRecConfig
from encorec.retrieval.svd import SVDConfig
from encorec.retrieval.two_tower import TwoTowerConfig
from encorec.retrieval.user_knn import UserKNNConfig
from encorec.testing import RetrieverCase, check_retriever, yield_retriever_checks
from encorec.testing.retriever import RetrieverCheck

BRIEF = TrainingConfig(epochs=2, batch_size=64, learning_rate=0.01)

CONFIGS: Mapping[str, RetrieverConfig] = {
    "popularity": PopularityConfig(),
    "popularity, window": PopularityConfig(days=14),
    "popularity, half-life": PopularityConfig(half_life_days=10),
    "popularity, segments": PopularityConfig(segments=("age", "sex"), min_users=5, days=30, half_life_days=10),
    "popularity, weights": PopularityConfig(count="mean-weight", half_life_days=10),
    "popularity, events in turns": PopularityConfig(count="events", category="genres", mixing="rotate"),
    "popularity, segments in groups": PopularityConfig(
        segments=("sex",), min_users=5, category="kind", categories=2, mixing="group", quota="equal", places=4
    ),
    "random": RandomConfig(),
    "item-knn, cosine": ItemKNNConfig(weighting="cosine"),
    "item-knn, jaccard": ItemKNNConfig(weighting="jaccard", neighbours=9, half_life_days=20),
    "item-knn, tfidf": ItemKNNConfig(neighbours=7, last=3, decay=0.5),
    "item-knn, bm25": ItemKNNConfig(weighting="bm25", neighbours=200),
    "user-knn, cosine": UserKNNConfig(neighbours=5),
    "user-knn, tfidf": UserKNNConfig(weighting="tfidf", last=4, decay=0.7),
    "user-knn, bm25": UserKNNConfig(weighting="bm25", neighbours=9, half_life_days=20),
    "user-knn, jaccard": UserKNNConfig(weighting="jaccard", neighbours=9, decay=0.9, half_life_days=20),
    "content-knn": ContentKNNConfig(neighbours=30),
    "content-knn, chosen": ContentKNNConfig(
        features=("kind", "genres", "year"), weights={"genres": 2, "year": 0.5}, weighting="one-hot", bins=4, decay=0.9
    ),
    "ease, dense": EASEConfig(reg=20),
    "ease, dense, some items": EASEConfig(reg=20, max_items=30, last=5, decay=0.9),
    "ease, truncated": EASEConfig(reg=20, max_items=40, neighbours=9),
    "ease, dual": EASEConfig(reg=20, neighbours=9),
    "ease, local": EASEConfig(reg=20, form="local", nearest=12, last=6, half_life_days=20),
    "ease, dropout and relaxation": EASEConfig(reg=20, dropout=0.4, relaxation=0.3),
    "ease, dual, dropout and relaxation": EASEConfig(reg=20, neighbours=9, dropout=0.4, relaxation=0.3),
    "als": ALSConfig(embedding_size=8, reg=1, epochs=8),
    "als, decay": ALSConfig(embedding_size=3, reg=0.1, alpha=5, epochs=8, decay=0.8),
    "als, bias": ALSConfig(embedding_size=4, reg=1, epochs=8, bias=True, last=4, half_life_days=20),
    "als, features": ALSConfig(
        embedding_size=4, reg=1, epochs=8, bias=True, user_features=("age", "sex"), item_features=("genres", "year")
    ),
    "als, index": ALSConfig(embedding_size=4, reg=1, epochs=8, bias=True, index=IndexConfig(kind="ivf", probes=99)),
    "svd": SVDConfig(embedding_size=8),
    "svd, newest": SVDConfig(embedding_size=6, last=4, half_life_days=9, index=IndexConfig(kind="ivf", probes=99)),
    "bpr": BPRConfig(embedding_size=8, epochs=20),
    "bpr, newest": BPRConfig(embedding_size=5, epochs=20, last=3, decay=0.7),
    "hybrid": HybridConfig(embedding_size=8, epochs=8),
    "hybrid, cosine": HybridConfig(embedding_size=8, loss="bpr", epochs=8, cosine=True, half_life_days=9),
    "two-tower": TwoTowerConfig(embedding_size=8, training=BRIEF),
    "two-tower, features": TwoTowerConfig(
        embedding_size=8, user_features=("age", "sex"), item_features=("genres", "kind", "year"), training=BRIEF
    ),
    "two-tower, attention": TwoTowerConfig(embedding_size=6, history="attention", last=9, decay=0.8, training=BRIEF),
    "two-tower, triplet": TwoTowerConfig(
        embedding_size=6, blocks=2, last=3, loss="triplet", hard=2, alpha=0.5, training=BRIEF
    ),
    "two-tower, index": TwoTowerConfig(
        embedding_size=4, loss="gbce", training=BRIEF, index=IndexConfig(kind="ivf", probes=99)
    ),
    "neumf": NeuMFConfig(embedding_size=4, hidden=8, training=BRIEF),
    "neumf, pretrained": NeuMFConfig(embedding_size=4, hidden=8, last=3, pretraining=1, training=BRIEF),
    "sasrec": SASRecConfig(embedding_size=8, training=BRIEF),
    "sasrec, time and features": SASRecConfig(
        embedding_size=8,
        blocks=1,
        last=7,
        time_gaps=True,
        item_features=("genres", "kind"),
        loss="gbce",
        training=BRIEF,
    ),
    "covisitation": CovisitationConfig(),
    "covisitation, both ways": CovisitationConfig(window=2, last=3, damping=0, backward=0.5),
    "covisitation, few kept": CovisitationConfig(window=3, backward=1, neighbours=4, half_life_days=7),
    "repeats": RepeatsConfig(half_life_days=10),
    "repeats, newest": RepeatsConfig(half_life_days=10, last=3),
    "continue-watching": ContinueWatchingConfig(unfinished_below=2, series_from=2),
    "continue-watching, summed": ContinueWatchingConfig(unfinished_below=4, progress="summed", last=9),
}
WORLD = world()
CROWD = world(users=150, rows=1500)  # as many users as items, so that EASE solves the primal form


def described(seed: int = 1) -> FeatureTable:
    """Of the items of the world, some without a kind, a year or genres."""
    rng, items = np.random.default_rng(seed), WORLD.interactions.items
    kind = Categories.of(rng.choice(np.array(["film", "series", "show", None], object), items).tolist())
    year = rng.integers(1950, 2020, items).astype(np.float32)
    year[::9] = np.nan
    genres = Tags.of([[name for name in ("drama", "war", "love") if rng.random() < 0.4] for _ in range(items)])
    return FeatureTable(items, {"year": year}, {"kind": kind}, {"genres": genres})


DESCRIBED = replace(WORLD, item_features=described())


def case_of(name: str, config: RetrieverConfig) -> RetrieverCase:
    featured = isinstance(config, ContentKNNConfig) or getattr(config, "category", None) is not None
    featured = featured or name in ("als, features", "two-tower, features", "sasrec, time and features")
    data = DESCRIBED if featured else CROWD if name == "ease, truncated" else WORLD
    tolerance = 1e-3 if isinstance(config, ALSConfig) else 1e-5  # alternations start from random vectors of the users
    return RetrieverCase(lambda: make_retriever(config), data, tolerance=tolerance)


CASES = {name: case_of(name, config) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", list(yield_retriever_checks()), ids=lambda check: check.__name__)
def test_contract_holds(check: RetrieverCheck, name: str) -> None:
    check(CASES[name])


def test_every_registered_kind_is_held_to_it() -> None:
    assert {type(config) for config in CONFIGS.values()} == set(RETRIEVERS)


@pytest.mark.parametrize(
    ("name", "learnt", "absent"),
    [
        ("ease, dense", "weights", "inverse"),
        ("ease, truncated", "value", "inverse"),
        ("ease, dual", "inverse", "weights"),
        ("ease, local", "value", "weights"),
        ("ease, dropout and relaxation", "weights", "kept"),
        ("ease, dual, dropout and relaxation", "kept", "weights"),
    ],
)
def test_forms_of_ease_are_what_they_are_called(name: str, learnt: str, absent: str) -> None:
    arrays = CASES[name].model.arrays()
    assert learnt in arrays
    assert absent not in arrays


def test_segments_are_counted_apart() -> None:
    assert len(CASES["popularity, segments"].model.arrays()["code"]) > 3


def test_one_call_runs_every_check() -> None:
    check_retriever(lambda: make_retriever(CovisitationConfig()), WORLD, rng_seed=3)
