"""How a world comes to be: catalogue, a trial run that fits the front page, then the past of all users."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from encorec.data.synthetic.activity import activity_table
from encorec.data.synthetic.exposure import alias_tables, daily_views, trends, wanted_views
from encorec.data.synthetic.figures import WATCHED_TENTHS
from encorec.data.synthetic.films import Films
from encorec.data.synthetic.generation import watch
from encorec.data.synthetic.people import People, Tastes, draw_people, draw_tastes
from encorec.data.synthetic.records import GRID, Crowd, Shelf, Stage, Views
from encorec.data.synthetic.rhythm import DAY_SECONDS, DAYS, HOURS, Rhythm
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.stream import generator
from encorec.data.synthetic.surveys import mean_chances
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["crowd_of", "live", "make_stage", "shelf_of"]

_TRIAL_USERS, _TRIALS = (4_000, 40_000), 4
_ASKED = 900
_SURE = 12.0
_LEAST_CHANCE = 0.004
_BLOCK, _SHELF_PART = 20_000, 2_048
_NEVER = DAYS + 1


def crowd_of(people: People, tastes: Tastes) -> Crowd:
    """Users as compiled loops read them.

    Example:
        >>> config = WorldConfig(users=100)
        >>> people = draw_people(config)
        >>> crowd_of(people, draw_tastes(people, config)).vector.shape
        (110, 20)
    """
    return Crowd(people.amount, people.arrival, tastes.vector, tastes.favourite, tastes.drift)


def shelf_of(films: Films) -> Shelf:
    """Items as compiled loops read them; what is never watched is never released.

    Example:
        >>> from encorec.data.synthetic.films import draw_films
        >>> int((shelf_of(draw_films(WorldConfig())).release > 163).sum())
        257
    """
    release = np.where(films.rank < films.watched, films.release, _NEVER).astype(np.int32)
    return Shelf(films.taste, films.quality, films.kind, release, films.previous, films.following, films.seconds)


def live(config: WorldConfig, crowd: Crowd, shelf: Shelf, stage: Stage, users_per_block: int = _BLOCK) -> Views:
    """All views of all users, by user and time; neither the blocks nor the threads change them.

    Args:
        config: of the world.
        crowd: all users.
        shelf: all items.
        stage: what the world does.
        users_per_block: how many users one thread takes at a time.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> views = live(world.config, world.crowd, world.shelf, world.stage, users_per_block=7)
        >>> bool((views.second == world.views.second).all())
        True
    """
    offset = np.concatenate([[0], np.cumsum(crowd.amount, dtype=np.int64)])
    total = int(offset[-1])
    item, second, percent, duration = (np.empty(total, np.int32) for _ in range(4))
    views = Views(item, second, percent, duration, np.empty(total, np.float32))

    def block(first: int) -> None:
        stop = min(first + users_per_block, len(crowd.amount))
        rows = slice(offset[first], offset[stop])
        part = Views(*(column[rows] for column in views))  # pyright: ignore[reportArgumentType]
        watch(config.seed, first, stop, crowd, shelf, stage, part)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(block, range(0, len(crowd.amount), users_per_block)))
    return views


def make_stage(config: WorldConfig, films: Films, progress: Callable[[str], None]) -> tuple[Stage, FloatVector]:
    """Everything that the world does, fitted in trial runs so that views come out as wanted.

    Args:
        config: of the world.
        films: its items.
        progress: told of each trial run.

    Returns:
        the stage, without certain views; (items,) float64 probability of a certain view.

    Example:
        >>> from encorec.data.synthetic.films import draw_films
        >>> config = WorldConfig(users=5000, items=150)
        >>> stage, first = make_stage(config, draw_films(config), print)
        trial run 1 of 4
        trial run 2 of 4
        trial run 3 of 4
        trial run 4 of 4
        >>> stage.keep.shape, first.shape
        ((163, 150), (150,))
    """
    table = activity_table(config.rows / config.users, config.items // 4)
    rhythm = Rhythm.fitted(table)
    later, first = wanted_views(config, films)
    trial = _trial(config)
    people = draw_people(trial, 11)
    crowd, shelf = crowd_of(people, draw_tastes(people, trial, 12)), shelf_of(films)
    mean = _mean_chances(trial, crowd, shelf, rhythm)
    interest, offer = trends(config, films), later
    hours = np.cumsum(HOURS) / HOURS.sum()
    tenths = np.round(np.cumsum(WATCHED_TENTHS) / sum(WATCHED_TENTHS), 9)
    grid = np.arange(1, GRID) / GRID
    nothing = np.zeros(len(people.id) + 1, np.int64), np.empty(0, np.int32)
    for number in range(_TRIALS + 1):
        keep, other = _front_page(interest, offer, rhythm.views, mean)
        stage = Stage(rhythm.ahead, hours, keep, other, grid, tenths, *nothing)
        if number == _TRIALS:
            break
        progress(f"trial run {number + 1} of {_TRIALS}")
        views = live(trial, crowd, shelf, stage)
        offer = _corrected(offer, later, np.bincount(views.item, minlength=len(films.id)), films)
        grid = np.sort(views.chance).astype(np.float64)[(np.arange(1, GRID) * len(views.chance)) // GRID]
    return stage, first


def _trial(config: WorldConfig) -> WorldConfig:
    """The same world with as many users as it takes to measure the views of its items."""
    users = min(max(3 * config.items, _TRIAL_USERS[0]), _TRIAL_USERS[1])
    return WorldConfig(
        users=users, items=config.items, interactions=config.rows * users // config.users, seed=config.seed
    )


def _mean_chances(config: WorldConfig, crowd: Crowd, shelf: Shelf, rhythm: Rhythm) -> FloatVector:
    """(items,) float64: mean probability over users by activity and times by traffic."""
    rng = generator(config.seed, 13)
    levels = np.cumsum(np.minimum(crowd.amount, 40), dtype=np.int64)
    user = np.searchsorted(levels, rng.integers(levels[-1], size=_ASKED), side="right").astype(np.int64)
    day = np.searchsorted(np.cumsum(rhythm.views), rng.random(_ASKED) * 0.999999)
    second = day.astype(np.int64) * DAY_SECONDS + rng.integers(9 * 3600, 24 * 3600, _ASKED)
    out = np.empty(len(shelf.quality))

    def ask(first: int) -> None:
        mean_chances(first, min(first + _SHELF_PART, len(out)), crowd, shelf, user, second, out)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(ask, range(0, len(out), _SHELF_PART)))
    return np.maximum(np.round(out, 9), _LEAST_CHANCE)


def _front_page(
    interest: FloatMatrix, offer: FloatVector, days: FloatVector, mean: FloatVector
) -> tuple[FloatMatrix, IntMatrix]:
    views = np.empty_like(interest)
    daily_views(interest, offer, days * float(np.round(offer.sum(), 3)), 8, 0.5, views)
    keep, other = np.empty((DAYS, len(offer))), np.empty((DAYS, len(offer)), np.int32)
    alias_tables(views, mean, keep, other)
    return keep, other


def _corrected(offer: FloatVector, wanted: FloatVector, found: IntVector, films: Films) -> FloatVector:
    """Offers after a trial: popular items one by one, the others by groups of rank and place in a chain."""
    scale = found.sum() / wanted.sum()
    group = np.floor(np.round(np.log2(films.rank + 1.0) * 3, 9)).astype(int) * 2 + (films.part > 0)
    expected_group = np.bincount(group, wanted * scale)
    found_group = np.bincount(group, found)
    trust = expected_group / (expected_group + _SURE)
    by_group = 1 + trust * (found_group / np.maximum(expected_group, 1e-9) - 1)
    expected = wanted * scale * by_group[group]
    trust = expected / (expected + 2 * _SURE)
    ratio = by_group[group] * (1 + trust * (found / np.maximum(expected, 1e-9) - 1))
    return np.round(offer / np.clip(ratio, 0.3, 3.0), 6)
