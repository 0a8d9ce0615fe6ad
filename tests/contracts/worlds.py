"""A small world with all that trips a component: cold users and items, repeats, equal times, unknown features."""

from dataclasses import replace

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.ranking.training_set import TrainingSet

DAY = 86_400
USERS, ITEMS = 60, 130


def world(seed: int = 0, users: int = USERS, items: int = ITEMS, rows: int = 900) -> Dataset:
    """Some items are taken often, the last five never; the last two users did nothing."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, users - 2, rows)
    item = ((items - 5) * rng.random(rows) ** 2.5).astype(np.int64)
    time = rng.integers(0, 60, rows) * DAY
    weight = rng.choice(np.array([1, 1, 1, 3], np.float32), rows)
    data = Dataset.of(Interactions.of(user, item, time, weight, users=users, items=items), "world")
    age = rng.integers(0, 3, users).astype(np.float32)
    age[::7] = np.nan
    sex = Categories.of(rng.choice(np.array(["F", "M", None], object), users).tolist())
    liked = Tags.of([["drama"] if user % 2 else [] for user in range(users)])
    return replace(data, user_features=FeatureTable(users, {"age": age}, {"sex": sex}, {"liked": liked}))


def lessons(rows: int = 300, features: int = 4, seed: int = 0) -> TrainingSet:
    """Rows whose label follows from the first feature, ten per query, one query per user; some features are unknown."""
    rng = np.random.default_rng(seed)
    values = rng.random((rows, features)).astype(np.float32)
    labels = (values[:, 0] + 0.3 * rng.random(rows) > 0.8).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    group = np.arange(rows) // 10
    return TrainingSet(values, labels, group, group.astype(np.int32))
