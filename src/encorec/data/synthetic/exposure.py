"""What people are shown when nobody recommends: a front page that follows popularity, trends and releases.

An item is proposed in proportion to its exposure and taken with its true probability, so that its views follow
exposure times the mean probability of those who come. The exposure is fitted backwards from the wanted views.
"""

import numpy as np

from encorec.compiled import FLOAT64, INT32, INT64, compiled, read, write
from encorec.data.synthetic.figures import ITEMS_WATCHED, ROWS, VIEW_KNOTS
from encorec.data.synthetic.films import Films
from encorec.data.synthetic.people import bell
from encorec.data.synthetic.rhythm import DAYS
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.stream import generator
from encorec.types import FloatMatrix, FloatVector, IntMatrix

__all__ = ["alias_tables", "daily_views", "trends", "wanted_views"]

_ROUNDS = 8
_FEEDBACK = 0.5


def wanted_views(config: WorldConfig, films: Films) -> tuple[FloatVector, FloatVector]:
    """Views of every item after the first, and the probability that there is a certain first one.

    Args:
        config: of the world.
        films: its items.

    Returns:
        (items,) float64 expected views; (items,) float64 probabilities.

    Example:
        >>> from encorec.data.synthetic.films import draw_films
        >>> config = WorldConfig()
        >>> later, first = wanted_views(config, draw_films(config))
        >>> round(float(later.max() / later.sum()), 3), int(first.sum())
        (0.037, 15706)
    """
    watched = films.watched
    stretch = np.log(VIEW_KNOTS[-1][0]) / np.log(watched)
    place = np.arange(1, watched + 1).astype(float) ** stretch
    ranks, views = np.array(VIEW_KNOTS, float).T
    later = np.exp(np.interp(np.log(place), np.log(ranks), np.log(views)))
    first = np.full(watched, min(config.rows / ROWS * ITEMS_WATCHED / watched, 1.0))
    later *= max(config.rows - first.sum(), 0.05 * config.rows) / later.sum()
    by_rank = np.zeros((2, len(films.id)))
    by_rank[0, :watched], by_rank[1, :watched] = np.round(later, 4), np.round(first, 9)
    return by_rank[0, films.rank], by_rank[1, films.rank]


def trends(config: WorldConfig, films: Films, purpose: int = 4) -> FloatMatrix:
    """(items, 163) float64 interest over time: releases that fade, old items with a month of fame each.

    Args:
        config: of the world.
        films: its items.
        purpose: number of the stream.

    Example:
        >>> from encorec.data.synthetic.films import draw_films
        >>> config = WorldConfig(users=5000, items=200)
        >>> trends(config, draw_films(config)).shape
        (200, 163)
    """
    rng = generator(config.seed, purpose)
    size = len(films.id)
    height, middle = 2.5 * rng.random(size) ** 2, rng.random(size) * (DAYS + 40) - 20
    width, floor = 6 + 22 * rng.random(size), 0.08 + 0.25 * rng.random(size)
    fade = 0.90 + 0.075 * rng.random(size)
    age = np.arange(DAYS) - films.release[:, None]
    interest = 1 + height[:, None] / (1 + ((np.arange(DAYS) - middle[:, None]) / width[:, None]) ** 2)
    fresh = films.release > 0
    decay = np.cumprod(np.repeat(fade[:, None], DAYS, axis=1), axis=1)
    late = np.take_along_axis(decay, age.clip(0), axis=1)
    interest[fresh] = floor[fresh, None] + (1 - floor[fresh, None]) * late[fresh]
    interest[age < 0] = 0
    jitter = 1 + 0.12 * bell(rng, (size, DAYS)).clip(-3, 3)
    return interest * jitter


@compiled(read(FLOAT64, 2), read(FLOAT64), read(FLOAT64), INT64, FLOAT64, write(FLOAT64, 2))
def daily_views(
    interest: FloatMatrix, views: FloatVector, days: FloatVector, rounds: int, feedback: float, out: FloatMatrix
) -> None:
    """Expected views of every item on every day, fitted to both totals; what was watched lately is shown more.

    Args:
        interest: (items, days) float64.
        views: (items,) float64 wanted of each item.
        days: (days,) float64 wanted of each day, with the same total.
        rounds: of proportional fitting (deming1940).
        feedback: share of the exposure that follows the popularity of the last week.
        out: (items, days) float64, written; the total of each item is met, that of a day nearly.

    Example:
        >>> out = np.empty((1, 2))
        >>> daily_views(np.ones((1, 2)), np.array([6.0]), np.array([4.0, 2.0]), 3, 0.0, out)
        >>> out.round(6).tolist()
        [[4.0, 2.0]]
    """
    items, n = interest.shape
    level = np.empty(n)
    for item in range(items):
        recent, total, open_days = 0.0, 0.0, 0
        for day in range(n):
            total += interest[item, day]
            open_days += interest[item, day] > 0.0
        for day in range(n):
            now = interest[item, day]
            if recent > 0.0:
                now *= 1.0 - feedback + feedback * recent * open_days / total
                recent = 0.75 * recent + 0.25 * now
            else:
                recent = now
            out[item, day] = now
    for _ in range(rounds):
        level[:] = 0.0
        for item in range(items):
            for day in range(n):
                level[day] += out[item, day]
        for day in range(n):
            level[day] = days[day] / level[day] if level[day] > 0.0 else 0.0
        for item in range(items):
            total = 0.0
            for day in range(n):
                out[item, day] *= level[day]
                total += out[item, day]
            scale = views[item] / total if total > 0.0 else 0.0
            for day in range(n):
                out[item, day] *= scale


@compiled(read(FLOAT64, 2), read(FLOAT64), write(FLOAT64, 2), write(INT32, 2))
def alias_tables(views: FloatMatrix, mean: FloatVector, keep: FloatMatrix, other: IntMatrix) -> None:
    """For each day a table from which an item is drawn in proportion to ``views / mean`` by one look-up (vose1991).

    Args:
        views: (items, days) float64.
        mean: (items,) float64 mean probability of a click.
        keep: (days, items) float64, written: probability of staying at the cell drawn.
        other: (days, items) int32, written: the item to take otherwise.

    Example:
        >>> keep, other = np.empty((1, 2)), np.empty((1, 2), np.int32)
        >>> alias_tables(np.array([[3.0], [1.0]]), np.ones(2), keep, other)
        >>> keep.tolist(), other.tolist()
        ([[1.0, 0.5]], [[0, 0]])
    """
    items, days = views.shape
    small, large = np.empty(items, np.int64), np.empty(items, np.int64)
    for day in range(days):
        total = 0.0
        for item in range(items):
            keep[day, item] = views[item, day] / mean[item]
            total += keep[day, item]
            other[day, item] = item
        smalls, larges = 0, 0
        for item in range(items):
            keep[day, item] = keep[day, item] * items / total if total > 0.0 else 1.0
            if keep[day, item] < 1.0:
                small[smalls] = item
                smalls += 1
            else:
                large[larges] = item
                larges += 1
        while smalls > 0 and larges > 0:
            smalls -= 1
            less, more = small[smalls], large[larges - 1]
            other[day, less] = more
            keep[day, more] -= 1.0 - keep[day, less]
            if keep[day, more] < 1.0:
                larges -= 1
                small[smalls] = more
                smalls += 1
        for place in range(smalls):
            keep[day, small[place]] = 1.0
        for place in range(larges):
            keep[day, large[place]] = 1.0
