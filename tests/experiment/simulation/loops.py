"""A tiny cinema and recommenders of known quality, made once."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.world import World
from encorec.experiment.simulation.closed_loop import Recommender, Watched, world_end


@cache
def tiny_world() -> World:
    return World.of(WorldConfig(users=500, items=120, interactions=2500))


@cache
def liking() -> np.ndarray:
    """(users, items) true preference at the end of the past."""
    world = tiny_world()
    users, items = len(world.people.id), len(world.films.id)
    every = np.broadcast_to(np.arange(items), (users, items))
    return np.asarray(world.true_preference(np.arange(users), every, world_end()))


def oracle(share: float) -> Recommender:
    """Recommends the items ranked from ``share`` of the catalogue on, by true preference; 0 = the best there are."""
    world = tiny_world()
    order = np.argsort(-liking(), axis=1, kind="stable")
    row = {user: place for place, user in enumerate(world.people.id.tolist())}

    def recommend(users: Sequence[int], past: Sequence[Sequence[Watched]], now: int, k: int) -> list[list[int]]:
        lists: list[list[int]] = []
        for user, watched in zip(users, past, strict=True):
            seen = {one.item_id for one in watched}
            ranked = world.films.id[order[row[user], int(share * order.shape[1]) :]].tolist()
            lists.append([item for item in ranked if item not in seen][:k])
        return lists

    return recommend


def always(*lists: list[int]) -> Recommender:
    """Shows everybody the same list; without one, nobody gets any."""

    def recommend(users: Sequence[int], past: Sequence[Sequence[Watched]], now: int, k: int) -> list[list[int]]:
        return [list(one) for one in lists for _ in users]

    return recommend


SPEC: dict[str, Any] = {
    "name": "loop",
    "variants": {"control": 0.5, "treatment": 0.5},
    "days": 7,
}
