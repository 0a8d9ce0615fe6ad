"""A closed loop on the made-up cinema: people come, are shown lists, click and watch, and come back or not.

What somebody is shown today depends on what was shown yesterday, because it was watched or because it brought them
back. Nobody's answers depend on other people, so a user may be played under every recommender: potential outcomes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np

from encorec.config import Config, bounded
from encorec.data.synthetic.records import Views
from encorec.data.synthetic.responses import Responses, Shown
from encorec.data.synthetic.rhythm import DAY_SECONDS, DAYS, HOURS, WINDOW_START
from encorec.data.synthetic.world import World
from encorec.errors import DataError
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["LoopConfig", "Recommender", "Visits", "Watched", "days_until_next", "play", "world_end"]

_FADING = 0.95, -0.35
"""Each day within the week is less likely than the one before by this factor, plus so much times the activity; fitted
to the gaps between the days on which users of the past watched something."""


class Watched(NamedTuple):
    """Something that was watched during the loop.

    Args:
        item_id: id.
        timestamp: seconds since 1970.

    Example:
        >>> Watched(10711, 1_629_676_800).item_id
        10711
    """

    item_id: int
    timestamp: int


Recommender: TypeAlias = Callable[[Sequence[int], Sequence[Sequence[Watched]], int, int], Sequence[Sequence[int]]]
"""From n user ids, what each watched since the loop began (oldest first), the second of asking and k, to n lists of at
most k item ids, best first."""


class LoopConfig(Config):
    """How people come to the cinema.

    Args:
        k: places of a list.
        away_days: mean days that somebody who was not brought back within a week stays away beyond that week.
        first_days: mean days until the first visit of somebody of middling activity; the active come sooner.
        price_per_hour: what an hour watched earns, in money.

    Raises:
        ConfigError: a number out of bounds.

    Example:
        >>> LoopConfig().k
        10
    """

    k: int = 10
    away_days: float = 14.0
    first_days: float = 7.0
    price_per_hour: float = 0.5

    def __post_init__(self) -> None:
        bounded(self, k=(1, 1000), away_days=(0, 3650), first_days=(0, 3650), price_per_hour=(0, 1e6))


@dataclass(frozen=True)
class Visits:
    """What happened, one row per visit, by time.

    Args:
        user: (v,) int64 rows of the world.
        arm: (v,) int16 whose list was shown.
        time: (v,) int64 seconds since 1970.
        item: (v, k) int64 rows of items shown, -1 = empty.
        clicked: (v, k) bool.
        minutes: (v, k) float32 watched.
        returned: (v,) bool, back within 7 days.
        likely_clicks: (v, k) float64 the world's own expectation of ``clicked``.
        likely_minutes: (v, k) float64 of ``minutes``.
        likely_return: (v,) float64 of ``returned``.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> visits = play(world, [lambda users, past, now, k: [[world.films.id[0]]] * len(users)], np.zeros(66, int),
        ...               LoopConfig(), days=2, rng=np.random.default_rng(0))
        >>> visits.item.shape[1], len(visits.user) > 5
        (10, True)
    """

    user: IntVector
    arm: IntVector
    time: IntVector
    item: IntMatrix
    clicked: BoolMatrix
    minutes: FloatMatrix
    returned: BoolVector
    likely_clicks: FloatMatrix
    likely_minutes: FloatMatrix
    likely_return: FloatVector

    @classmethod
    def joined(cls, parts: Sequence["Visits"]) -> "Visits":
        """One after the other.

        Raises:
            DataError: nothing to join.
        """
        if not parts:
            raise DataError("nobody came: there is no visit on any day; more days or more users are needed")
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def world_end() -> int:
    """The first second after the past of every world: midnight of the loop's first day.

    Example:
        >>> world_end()
        1629676800
    """
    return WINDOW_START + DAYS * DAY_SECONDS


def play(
    world: World,
    arms: Sequence[Recommender],
    arm: IntVector,
    config: LoopConfig,
    *,
    days: int,
    rng: np.random.Generator,
    progress: Callable[[str, int, int], None] | None = None,
) -> Visits:
    """Let people come, day by day, from the end of the world's past on. Lists of a day are asked for at its midnight.

    Args:
        world: its people and what they like.
        arms: recommenders.
        arm: (users,) int number of each user's recommender, -1 = stays out of it.
        config: how people come.
        days: of the loop.
        rng: of everything that happens.
        progress: told the day.

    Raises:
        DataError: a recommender gives other than one list per user, unknown items or one twice; or nobody came.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> shelf = world.films.id[:10].tolist()
        >>> visits = play(world, [lambda users, past, now, k: [shelf[:k]] * len(users)], np.zeros(66, int),
        ...               LoopConfig(k=3), days=7, rng=np.random.default_rng(0))
        >>> bool((visits.time >= world_end()).all()), bool((np.diff(visits.time) >= 0).all())
        (True, True)
    """
    arm = np.asarray(arm)
    due = _first_days(world, config, rng)
    past: dict[int, list[Watched]] = {}
    rows = {item: row for row, item in enumerate(world.films.id.tolist())}
    happened: list[Visits] = []
    for day in range(days):
        if progress:
            progress("day", day, days)
        coming = np.flatnonzero((due == day) & (arm >= 0))
        if not len(coming):
            continue
        user, time = _through_the_day(coming, day, rng)
        item = _lists(world, arms, arm[user], user, past, world_end() + day * DAY_SECONDS, config.k, rows)
        shown = Shown(user, item, time)
        visits = _visits(shown, arm[user], world, rng)
        due[user] = day + days_until_next(visits.returned, world.people.activity[user], config, rng)
        world = _remember(world, visits, past)
        happened.append(visits)
    return Visits.joined(happened)


def _first_days(world: World, config: LoopConfig, rng: np.random.Generator) -> IntVector:
    mean = config.first_days * 2 * (1 - world.people.activity)
    return np.floor(rng.exponential(1, len(mean)) * mean).astype(np.int64)


def days_until_next(
    returned: BoolVector, activity: FloatVector, config: LoopConfig, rng: np.random.Generator
) -> IntVector:
    """(n,) int64 days until the next visit: 1 to 7 of those who return within the week, the active sooner; else more.

    Args:
        returned: (n,) within 7 days.
        activity: (n,) share of users who are less active.
        config: how long others stay away.
        rng: of the days.

    Example:
        >>> back, activity = np.array([True, False]), np.array([0.5, 0.5])
        >>> days = days_until_next(back, activity, LoopConfig(), np.random.default_rng(0))
        >>> bool(days[0] <= 7 < days[1])
        True
    """
    fading = _FADING[0] + _FADING[1] * activity
    lot = 1 - rng.random(len(returned)) * (1 - fading**7)
    soon = 1 + np.floor(np.log(lot) / np.log(fading)).astype(np.int64).clip(0, 6)
    late = 8 + np.floor(rng.exponential(1, len(returned)) * config.away_days).astype(np.int64)
    return np.where(returned, soon, late)


def _through_the_day(coming: IntVector, day: int, rng: np.random.Generator) -> tuple[IntVector, IntVector]:
    """Users in the order in which they come, and their seconds."""
    hour = np.searchsorted(np.cumsum(HOURS) / HOURS.sum(), rng.random(len(coming)), side="right").clip(max=23)
    second = hour * 3600 + rng.integers(3600, size=len(coming))
    order = np.argsort(second, kind="stable")
    return coming[order], (world_end() + day * DAY_SECONDS + second[order]).astype(np.int64)


def _lists(
    world: World, arms: Sequence[Recommender], arm: IntVector, user: IntVector, past: dict[int, list[Watched]],
    now: int, k: int, rows: dict[int, int],
) -> IntMatrix:  # fmt: skip
    item = np.full((len(user), k), -1, np.int64)
    for number, recommend in enumerate(arms):
        asked = np.flatnonzero(arm == number)
        if not len(asked):
            continue
        who = user[asked]
        histories = [past.get(one, ()) for one in who.tolist()]
        lists = recommend(world.people.id[who].tolist(), histories, now, k)
        if len(lists) != len(asked):
            raise DataError(f"recommender {number}: {len(lists)} lists for {len(asked)} users; give one for each")
        for place, one in zip(asked, lists, strict=True):
            found = [rows.get(int(each), -1) for each in one[:k]]
            if min(found, default=0) < 0 or len(set(found)) < len(found):
                raise DataError(f"recommender {number}: a list with unknown items or one twice: {list(one[:k])}")
            item[place, : len(found)] = found
    return item


def _visits(shown: Shown, arm: IntVector, world: World, rng: np.random.Generator) -> Visits:
    done: Responses = world.respond(shown, rng)
    likely = world.expected(shown)
    return Visits(
        shown.user, arm.astype(np.int16), shown.time, shown.item, done.clicked, done.minutes, done.returned,
        likely.clicks, likely.minutes, likely.returns,
    )  # fmt: skip


def _remember(world: World, visits: Visits, past: dict[int, list[Watched]]) -> World:
    """The world in which this was watched: nobody likes the same again, and the next part of a chain is due."""
    row, place = np.nonzero(visits.clicked)
    user, item, time = visits.user[row], visits.item[row, place], visits.time[row]
    for one, what, when in zip(user.tolist(), world.films.id[item].tolist(), time.tolist(), strict=True):
        past.setdefault(one, []).append(Watched(what, when))
    order = np.argsort(user, kind="stable")
    user, item, watched = user[order], item[order], visits.minutes[row, place][order] * 60.0
    percent = np.rint(watched * 100 / world.films.seconds[item].clip(max=10_800))
    ends, old = world.indptr[user + 1], world.views
    views = Views(
        np.insert(old.item, ends, item),
        np.insert(old.second, ends, time[order] - WINDOW_START),
        np.insert(old.percent, ends, percent.astype(np.int64)),
        np.insert(old.duration, ends, watched.astype(np.int64)),
        np.insert(old.chance, ends, 0.0),
    )
    grown = world.people.amount + np.bincount(user, minlength=len(world.people.amount)).astype(np.int32)
    return replace(world, views=views, people=replace(world.people, amount=grown))
