"""Tables of the size of KION drawn by Zipf's law: for what depends on size only. Users and items are numbers from 0."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["distinct_draws", "interactions", "popularity"]

FLATTENING = 3.0
SECONDS, START = 162 * 86_400, 1_615_593_600


def popularity(items: int) -> NDArray[np.float64]:
    """(items,) chance of each item, by Zipf's law with a flattened head: of 15,706 items the top one gets 3.8 %."""
    chance = 1 / (np.arange(items) + FLATTENING)
    return chance / chance.sum()


def distinct_draws(
    users: int, items: int, width: int, rng: np.random.Generator, *, drawn: int = 40
) -> NDArray[np.int32]:
    """(users, width) different items for each user, drawn by popularity, in the order drawn."""
    lists = _by_popularity((users, drawn), items, rng)
    first = np.zeros(lists.shape, bool)
    order = np.argsort(lists, axis=1, kind="stable")
    ordered = np.take_along_axis(lists, order, axis=1)
    new = np.ones(lists.shape, bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    np.put_along_axis(first, order, new, axis=1)
    kept = np.argsort(~first, axis=1, kind="stable")[:, :width]
    if not np.take_along_axis(first, kept, axis=1).all():
        raise ValueError(f"{drawn} draws do not give {width} different items to everybody")
    return np.take_along_axis(lists, kept, axis=1)


def interactions(users: int, items: int, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """About ``rows`` different pairs as ``user_id, item_id, timestamp`` (seconds); few users have many, most few."""
    activity = rng.permutation(1 / (np.arange(users) + users / 2000) ** 0.7)
    user = _choose(activity / activity.sum(), int(rows * 1.07), rng)
    pairs = np.unique(user * items + _by_popularity((len(user),), items, rng))
    pairs = np.sort(rng.choice(pairs, min(rows, len(pairs)), replace=False))
    time = START + rng.integers(SECONDS, size=len(pairs))
    return pl.DataFrame({"user_id": pairs // items, "item_id": pairs % items, "timestamp": time})


def _by_popularity(shape: tuple[int, ...], items: int, rng: np.random.Generator) -> NDArray[np.int32]:
    return _choose(popularity(items), int(np.prod(shape)), rng).reshape(shape).astype(np.int32)


def _choose(chance: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    ends = np.cumsum(chance)
    return np.minimum(np.searchsorted(ends, rng.random(size) * ends[-1], side="right"), len(chance) - 1)
