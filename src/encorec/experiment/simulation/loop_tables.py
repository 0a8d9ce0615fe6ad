"""The visits of a closed loop as the tables that an experiment is analysed from."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from encorec.data.synthetic.kion_files import user_table
from encorec.data.synthetic.rhythm import DAY_SECONDS, WINDOW_START
from encorec.data.synthetic.world import World
from encorec.experiment.simulation.closed_loop import LoopConfig, Visits, world_end
from encorec.types import FloatVector, IntVector

__all__ = [
    "SEGMENTS",
    "_BEFORE_DAYS",
    "event_table",
    "exposure_table",
    "impression_table",
    "metric_table",
    "unit_values",
]

_BEFORE_DAYS = 28
"""Days before the loop that the covariates look at."""
SEGMENTS = ("age", "sex", "income")


def unit_values(visits: Visits, world: World, config: LoopConfig) -> tuple[IntVector, dict[str, FloatVector]]:
    """What each user did in the loop and before it, for all who came.

    Args:
        visits: of the loop.
        world: as it was before the loop.
        config: of the loop.

    Returns:
        (n,) int64 rows of the users, ascending, and columns of (n,) float64. ``returned``, ``cancelled`` = 1 -
        ``returned``: whether the first visit brought the user back within a week; ``revenue``: of the hours watched;
        ``..._before``: of the 28 days before the loop; ``likely_...``: the world's own expectation, given the lists.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.experiment.simulation.closed_loop import play
        >>> world, config = World.of(WorldConfig(users=60, items=120)), LoopConfig()
        >>> visits = play(world, [lambda users, past, now, k: [[world.films.id[0]]] * len(users)], np.zeros(66, int),
        ...               config, days=2, rng=np.random.default_rng(0))
        >>> user, columns = unit_values(visits, world, config)
        >>> len(user) == len(columns["clicks"]), bool((columns["clicks"] <= columns["impressions"]).all())
        (True, True)
    """
    user, first, row = np.unique(visits.user, return_index=True, return_inverse=True)

    def total(values: FloatVector) -> FloatVector:
        return np.bincount(row, values, minlength=len(user)).astype(np.float64)

    minutes, likely_minutes = (total(one.sum(axis=1)) for one in (visits.minutes, visits.likely_minutes))
    returned, likely_return = visits.returned[first] * 1.0, visits.likely_return[first]
    an_hour = config.price_per_hour / 60
    columns = {
        "watch_minutes": minutes,
        "clicks": total(visits.clicked.sum(axis=1)),
        "impressions": total((visits.item >= 0).sum(axis=1)),
        "visits": total(np.ones(len(row))),
        "returned": returned,
        "cancelled": 1 - returned,
        "revenue": minutes * an_hour,
        "likely_watch_minutes": likely_minutes,
        "likely_clicks": total(visits.likely_clicks.sum(axis=1)),
        "likely_returned": likely_return,
        "likely_cancelled": 1 - likely_return,
        "likely_revenue": likely_minutes * an_hour,
    }
    return user, columns | {name: values[user] for name, values in _before(world).items()}


def metric_table(
    visits: Visits, world: World, config: LoopConfig, unit: str = "user_id", segments: Sequence[str] = SEGMENTS
) -> pl.DataFrame:
    """One row per user who came: what ``unit_values`` says, but for the world's own knowledge, and the segments.

    Args:
        visits: of the loop.
        world: as it was before the loop.
        config: of the loop.
        unit: name of the column of ids.
        segments: which of ``SEGMENTS`` to give.
    """
    user, columns = unit_values(visits, world, config)
    table = pl.DataFrame({name: one for name, one in columns.items() if not name.startswith("likely_")})
    labels = user_labels(world)
    table.insert_column(0, pl.Series(unit, world.people.id[user]))
    return table.with_columns(labels[name].gather(user).alias(name) for name in segments)


def user_labels(world: World) -> pl.DataFrame:
    """``SEGMENTS`` of all users, in the order of the world; what the cinema does not know is ``unknown``.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> user_labels(World.of(WorldConfig(users=60, items=120))).columns
        ['age', 'sex', 'income']
    """
    profiles = user_table(world.people).select(pl.col("user_id").cast(pl.Int64), *SEGMENTS)
    everybody = pl.DataFrame({"user_id": world.people.id}).cast(pl.Int64)
    return everybody.join(profiles, on="user_id", how="left", maintain_order="left").select(
        pl.col(name).fill_null("unknown") for name in SEGMENTS
    )


def exposure_table(
    visits: Visits, world: World, variants: Sequence[str], unit: str = "user_id", shift: int = 0
) -> pl.DataFrame:
    """One row per user who came: variant and the second of the first visit.

    Args:
        visits: of the loop.
        world: for the ids.
        variants: name of each arm.
        unit: name of the column of ids.
        shift: seconds that are added to the world's clock.
    """
    user, first = np.unique(visits.user, return_index=True)
    names = np.array(variants)[visits.arm[first]]
    return pl.DataFrame(
        {unit: world.people.id[user], "variant": names, "first_exposed_at": _moments(visits.time[first] + shift)}
    )


def event_table(
    visits: Visits, world: World, config: LoopConfig, unit: str = "user_id", shift: int = 0
) -> pl.DataFrame:
    """One row per visit: what was clicked and watched.

    Args:
        visits: of the loop.
        world: for the ids.
        config: of the loop.
        unit: name of the column of ids.
        shift: seconds that are added to the world's clock.
    """
    minutes = visits.minutes.sum(axis=1).astype(np.float64)
    return pl.DataFrame(
        {
            unit: world.people.id[visits.user],
            "timestamp": _moments(visits.time + shift),
            "watch_minutes": minutes,
            "clicks": visits.clicked.sum(axis=1),
            "impressions": (visits.item >= 0).sum(axis=1),
            "visits": np.ones(len(minutes), np.int64),
            "revenue": minutes * config.price_per_hour / 60,
        }
    )


def impression_table(
    visits: Visits, world: World, variants: Sequence[str], unit: str = "user_id", shift: int = 0
) -> pl.DataFrame:
    """One row per item shown, with its place from 1.

    Args:
        visits: of the loop.
        world: for the ids.
        variants: name of each arm.
        unit: name of the column of ids.
        shift: seconds that are added to the world's clock.
    """
    row, place = np.nonzero(visits.item >= 0)
    return pl.DataFrame(
        {
            "request": row,
            unit: world.people.id[visits.user[row]],
            "variant": np.array(variants)[visits.arm[row]],
            "timestamp": _moments(visits.time[row] + shift),
            "position": place + 1,
            "item_id": world.films.id[visits.item[row, place]],
            "click": visits.clicked[row, place].astype(np.int8),
            "watch": visits.minutes[row, place],
        }
    )


def _moments(seconds: IntVector) -> pl.Series:
    return pl.from_epoch(pl.Series(seconds), time_unit="s")


def _before(world: World) -> dict[str, FloatVector]:
    """(users,) float64 minutes and views of the days before the loop."""
    recent = world.views.second >= world_end() - WINDOW_START - _BEFORE_DAYS * DAY_SECONDS
    user, people = world.view_user[recent], len(world.people.id)
    minutes = np.minimum(world.views.duration[recent], 10_800) / 60
    return {
        "watch_minutes_before": np.bincount(user, minutes, minlength=people).astype(np.float64),
        "views_before": np.bincount(user, minlength=people).astype(np.float64),
    }
