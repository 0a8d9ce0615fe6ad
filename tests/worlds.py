"""A small world where order matters: series watched part by part, by people of a few tastes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.data.sources import Table
from encorec.data.splits import LastN
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.verdict import EvaluationConfig
from encorec.workflow import Exam, RunConfig, examine, train

DAY = 86_400
START = 20_000 * DAY
USERS, ITEMS, TASTES = 300, 150, 4
SERIES, PARTS = 16, 6
NEVER_TAKEN, NEVER_ACTIVE = 3, 2
TAGS = ("crime", "family", "space", "war")


def small_world(seed: int = 0) -> Dataset:
    """Items 0 to 95 are the parts of series, the others stand alone; the last items and users have no interactions."""
    rng = np.random.default_rng(seed)
    user, item, time = [], [], []
    for one in range(USERS - NEVER_ACTIVE):
        watched = list(_watch(rng, one % TASTES))
        user += [one] * len(watched)
        item += watched
        gaps = rng.exponential(2 * DAY, len(watched)) + 60
        time += (START + rng.uniform(0, 60 * DAY) + np.cumsum(gaps)).astype(int).tolist()
    weight = rng.choice(np.array([1, 2, 3], np.float32), len(user))
    data = Dataset.of(Interactions.of(user, item, time, weight, users=USERS, items=ITEMS), "small-world")
    titles = np.array([f"{'Part' if one < SERIES * PARTS else 'Film'} {one}" for one in range(ITEMS)])
    return replace(data, user_features=_people(rng), item_features=_shelf(rng), titles=titles)


def _watch(rng: np.random.Generator, taste: int) -> Iterator[int]:
    """Items that one person takes, in order, none twice."""
    seen: set[int] = set()
    following = None
    for _ in range(rng.integers(6, 24)):
        item = following if following is not None and rng.random() < 0.75 else _start(rng, taste)
        if item in seen:
            following = None
            continue
        seen.add(item)
        in_series = item < SERIES * PARTS and item % PARTS < PARTS - 1
        following = item + 1 if in_series else None
        yield item


def _start(rng: np.random.Generator, taste: int) -> int:
    """The first part of a series or a film, mostly of one's own taste, the lower numbers more often."""
    place = int(rng.random() ** 2 * (SERIES // TASTES)) * TASTES
    kind = taste if rng.random() < 0.8 else int(rng.integers(TASTES))
    if rng.random() < 0.6:
        return (place + kind) * PARTS
    films = (ITEMS - NEVER_TAKEN - SERIES * PARTS) // TASTES
    return SERIES * PARTS + int(rng.random() ** 2 * films) * TASTES + kind


def taste_of(item: int) -> int:
    """Which of the four tastes an item is for."""
    return item // PARTS % TASTES if item < SERIES * PARTS else item % TASTES


def _people(rng: np.random.Generator) -> FeatureTable:
    age = np.array([20 + 10 * (one % TASTES) for one in range(USERS)]) + rng.integers(-5, 6, USERS)
    age = np.where(rng.random(USERS) < 0.1, np.nan, age).astype(np.float32)
    sex = Categories.of([None if one % 11 == 0 else "FM"[one % 2] for one in range(USERS)])
    return FeatureTable(USERS, {"age": age}, {"sex": sex})


def _shelf(rng: np.random.Generator) -> FeatureTable:
    year = np.where(rng.random(ITEMS) < 0.1, np.nan, rng.integers(1980, 2024, ITEMS)).astype(np.float32)
    kind = Categories.of(["series" if one < SERIES * PARTS else "film" for one in range(ITEMS)])
    genres = [[TAGS[taste_of(one)], *(["comedy"] if one % 5 == 0 else [])] for one in range(ITEMS - 1)]
    return FeatureTable(ITEMS, {"year": year}, {"kind": kind}, {"genres": Tags.of([*genres, []])})


def small_run(**changes: Any) -> RunConfig:
    """One retriever of each sort, few trees."""
    settings: dict[str, Any] = {
        "name": "small",
        "data": Table(path="small-world.csv"),
        "split": LastN(),
        "retrievers": {
            "steps": CovisitationConfig(window=2, last=3, damping=2),
            "knn": ItemKNNConfig(neighbours=30),
            "als": ALSConfig(embedding_size=8, epochs=4),
            "popular": PopularityConfig(days=60),
        },
        "candidates": CandidatesConfig(per_source=20),
        "ranker": CatBoostConfig(max_trees=60, depth=4, learning_rate=0.15),
        "training": TrainingConfig(folds=3, negatives=20, guard=False),
        "evaluation": EvaluationConfig(resamples=200),
    }
    return RunConfig(**settings | changes)


class Trained:
    """Everything from data to answers, made once. Not a dataclass: hypothesis would print all of it."""

    def __init__(self, data: Dataset, run: RunConfig, exam: Exam, folder: Path, engine: Engine) -> None:
        self.data, self.run, self.exam, self.folder, self.engine = data, run, exam, folder, engine


def train_small_world(folder: Path) -> Trained:
    """The small world, examined, refitted, saved into ``folder`` and loaded from there."""
    data, run = small_world(), small_run()
    exam = examine(run, data)
    saved = train(run, data, folder / "artifact", exam=exam)
    return Trained(data, run, exam, saved, load_engine(saved))
