"""Who watches: what the cinema knows of its users, and what only the world knows."""

from dataclasses import dataclass

import numpy as np

from encorec.data.synthetic.activity import activity_table, amounts
from encorec.data.synthetic.figures import (
    AGE_SEX_INCOME,
    KIDS_BY_AGE,
    PROFILES_OF_IDLE,
    UNKNOWN_PROFILE,
    USERS,
    USERS_WITHOUT_PROFILE,
)
from encorec.data.synthetic.genres import AXES, demand
from encorec.data.synthetic.rhythm import arrivals
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.stream import generator
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["HIDDEN", "People", "Tastes", "bell", "draw_people", "draw_tastes"]

HIDDEN = 8
"""Axes of taste that no feature names."""
_ID_GAPS = 1_097_558 / (USERS + PROFILES_OF_IDLE)
_NAMED, _HIDDEN, _COMMON, _FAVOURITES = 3.4, 0.45, 1.1, (1.0, 0.8, 0.6)
_DRIFT = 1.4


@dataclass(frozen=True)
class People:
    """All users, in the order of their ids.

    Args:
        id: (n,) int64.
        age: (n,) int32 position in ``AGES``, true even where it is not known.
        sex: (n,) int32 position in ``SEXES``.
        income: (n,) int32 position in ``INCOMES``.
        kids: (n,) int32, 1 with children.
        described: (n,) bool, whether there is a profile.
        unknown: name -> (n,) bool, whether the profile leaves it out.
        arrival: (n,) int32 day of the first view, -1 for those who never watch.
        amount: (n,) int32 items in the window.
        activity: (n,) float64 share of users who watch less; those who never watch have one too.

    Example:
        >>> people = draw_people(WorldConfig(users=100))
        >>> len(people.id), int((people.amount > 0).sum())
        (110, 100)
    """

    id: IntVector
    age: IntVector
    sex: IntVector
    income: IntVector
    kids: IntVector
    described: BoolVector
    unknown: dict[str, BoolVector]
    arrival: IntVector
    amount: IntVector
    activity: FloatVector


@dataclass(frozen=True)
class Tastes:
    """What each user likes.

    Args:
        vector: (n, 20) float32 weights of the named and hidden axes.
        favourite: (n, 4) int32 named axes: three that moods choose from, and one that the user moves towards.
        drift: (n,) float32 how far the user moves from the first favourite to the fourth within the window.

    Example:
        >>> config = WorldConfig(users=100)
        >>> draw_tastes(draw_people(config), config).favourite.shape
        (110, 4)
    """

    vector: FloatMatrix
    favourite: IntMatrix
    drift: FloatVector


def bell(rng: np.random.Generator, shape: int | tuple[int, ...]) -> FloatVector:
    """Numbers of mean 0 and variance 1, nearly normal: four uniform ones added, equal on every machine.

    Example:
        >>> bool(abs(bell(np.random.default_rng(0), 10_000).std() - 1) < 0.02)
        True
    """
    total = rng.random(shape) + rng.random(shape)
    total += rng.random(shape)
    total += rng.random(shape)
    return (total - 2) * 1.7320508


def draw_people(config: WorldConfig, purpose: int = 1) -> People:
    """The users of a world.

    Args:
        config: of the world.
        purpose: number of the stream.

    Example:
        >>> people = draw_people(WorldConfig(users=100))
        >>> int(people.described.sum())
        88
    """
    rng = generator(config.seed, purpose)
    idle = -(-config.users * PROFILES_OF_IDLE // USERS)
    size = config.users + idle
    order = np.argsort(rng.random(size), kind="stable")
    watching, described = np.zeros(size, bool), np.ones(size, bool)
    watching[order[: config.users]] = True
    described[order[: config.users * USERS_WITHOUT_PROFILE // USERS]] = False
    cells = np.cumsum(np.ravel(AGE_SEX_INCOME))
    cell = np.searchsorted(cells, rng.integers(cells[-1], size=size), side="right")
    age = (cell // 12).astype(np.int32)
    kids = (rng.random(size) < np.array(KIDS_BY_AGE)[age]).astype(np.int32)
    unknown = _unknown(rng, size)
    arrival, amount, activity = _visits(rng, config, watching)
    return People(
        np.arange(size) + np.cumsum(_gaps(rng, size)),
        age,
        (cell // 6 % 2).astype(np.int32),
        (cell % 6).astype(np.int32),
        kids,
        described,
        unknown,
        arrival,
        amount,
        activity,
    )


def _gaps(rng: np.random.Generator, size: int) -> IntVector:
    return (rng.random(size) < _ID_GAPS - 1).astype(np.int64)


def _unknown(rng: np.random.Generator, size: int) -> dict[str, BoolVector]:
    profiles = USERS + PROFILES_OF_IDLE - USERS_WITHOUT_PROFILE
    pattern = np.searchsorted(
        np.cumsum([count for _, count in UNKNOWN_PROFILE]), rng.integers(profiles, size=size), "right"
    )
    missing = {name: [name in names for names, _ in UNKNOWN_PROFILE] + [False] for name in ("age", "income", "sex")}
    return {name: np.array(which)[pattern] for name, which in missing.items()}


def _visits(
    rng: np.random.Generator, config: WorldConfig, watching: BoolVector
) -> tuple[IntVector, IntVector, FloatVector]:
    new = arrivals()
    size = len(watching)
    arrival = np.searchsorted(np.cumsum(new), rng.random(size) * 0.999999999, side="right").clip(0, len(new) - 1)
    table = activity_table(config.rows / config.users, config.items // 4)
    amount, activity = amounts(rng.random(size), arrival, new, table)
    return np.where(watching, arrival, -1).astype(np.int32), np.where(watching, amount, 0).astype(np.int32), activity


def draw_tastes(people: People, config: WorldConfig, purpose: int = 2) -> Tastes:
    """What the users like: half of it told by age, sex and children, the rest their own.

    Args:
        people: the users.
        config: of the world.
        purpose: number of the stream.

    Example:
        >>> config = WorldConfig(users=100)
        >>> draw_tastes(draw_people(config), config).vector.shape
        (110, 20)
    """
    rng = generator(config.seed, purpose)
    size, axes = len(people.id), len(AXES)
    wanted = demand()[people.age, people.sex, people.kids]
    vector = np.empty((size, axes + HIDDEN), np.float32)
    levels = np.cumsum(wanted * wanted, axis=1)
    favourite = np.column_stack([(levels < (rng.random(size) * levels[:, -1])[:, None]).sum(axis=1) for _ in range(4)])
    vector[:, :axes] = _COMMON * wanted + 0.5 * rng.random((size, axes))
    rows = np.arange(size)
    for place, weight in enumerate(_FAVOURITES):
        vector[rows, favourite[:, place]] += np.float32(_NAMED * weight)
    for axis in range(axes, axes + HIDDEN):
        vector[:, axis] = _HIDDEN * bell(rng, size)
    return Tastes(vector, favourite.astype(np.int32), (_DRIFT * rng.random(size)).astype(np.float32))
