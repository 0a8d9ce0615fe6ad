"""Interleaving in a closed loop: everybody is shown one list of several rankers, and whose each place was is kept."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from encorec.data.synthetic.world import World
from encorec.experiment.interleaving.interleaved import NOBODY, Interleaved
from encorec.experiment.interleaving.mixing import InterleavingMethod, interleave
from encorec.experiment.simulation.closed_loop import Recommender, Visits, Watched

__all__ = ["InterleavingRecommender", "interleaving_table"]


class InterleavingRecommender:
    """Recommenders mixed into one, which remembers whose each place was.

    Args:
        recommenders: rankers.
        method: of mixing.
        rng: of mixing.

    Example:
        >>> one, other = (lambda users, past, now, k, first=first: [[first, 3]] * len(users) for first in (1, 2))
        >>> mixed = InterleavingRecommender([one, other], "team-draft", np.random.default_rng(0))
        >>> mixed([7], [()], 0, 2), mixed.shown[7, 0].team.tolist()
        ([[1, 2]], [0, 1])
    """

    def __init__(
        self, recommenders: Sequence[Recommender], method: InterleavingMethod, rng: np.random.Generator
    ) -> None:
        self._recommenders, self._rng = recommenders, rng
        self._method: InterleavingMethod = method
        self.shown: dict[tuple[int, int], Interleaved] = {}

    def __call__(
        self, users: Sequence[int], histories: Sequence[Sequence[Watched]], now: int, k: int
    ) -> list[list[int]]:
        """One mixed list per user."""
        lists = [recommend(users, histories, now, k) for recommend in self._recommenders]
        answers: list[list[int]] = []
        for user, *rankings in zip(users, *lists, strict=True):
            mixed = interleave(rankings, k, self._rng, self._method)
            self.shown[user, now] = mixed
            answers.append([int(item) for item in mixed.items])
        return answers


def interleaving_table(
    visits: Visits, world: World, mixed: InterleavingRecommender, rankers: Sequence[str]
) -> pl.DataFrame:
    """The log that ``read_interleaving_log`` reads: one row per place.

    Args:
        visits: of a loop with ``mixed`` as its only recommender.
        world: for the ids.
        mixed: knows whose each place was.
        rankers: names, in the order in which ``mixed`` has them.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.experiment.simulation.closed_loop import LoopConfig, play
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> one = lambda users, past, now, k: [world.films.id[:k].tolist()] * len(users)
        >>> other = lambda users, past, now, k: [world.films.id[k:0:-1].tolist()] * len(users)
        >>> mixed = InterleavingRecommender([one, other], "team-draft", np.random.default_rng(0))
        >>> visits = play(world, [mixed], np.zeros(66, int), LoopConfig(), days=2, rng=np.random.default_rng(0))
        >>> sorted(interleaving_table(visits, world, mixed, ["up", "down"])["team"].unique())
        ['down', 'up']
    """
    ids = world.people.id[visits.user]
    midnight = visits.time - visits.time % 86_400
    shown = [mixed.shown[key] for key in zip(ids.tolist(), midnight.tolist(), strict=True)]
    row, place = np.nonzero(visits.item >= 0)
    team = np.concatenate([one.team for one in shown])
    names = np.array([*rankers, ""])
    return pl.DataFrame(
        {
            "request": row,
            "unit": ids[row],
            "position": place + 1,
            "item": world.films.id[visits.item[row, place]],
            "team": names[np.where(team == NOBODY, len(rankers), team)],
            "credit": np.concatenate([one.credit for one in shown]),
            "click": visits.clicked[row, place].astype(np.int8),
            "watch": visits.minutes[row, place],
        }
    )
