"""A whole experiment on the made-up cinema, from assignment to log files, with the truth beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import numpy as np

from encorec.data.synthetic.world import World
from encorec.errors import ConfigError, unknown_name
from encorec.experiment.assignment.draw import assign
from encorec.experiment.simulation.closed_loop import LoopConfig, Recommender, Visits, play, world_end
from encorec.experiment.simulation.loop_tables import (
    SEGMENTS,
    event_table,
    exposure_table,
    impression_table,
    metric_table,
    unit_values,
    user_labels,
)
from encorec.experiment.simulation.potential_outcomes import potential_outcomes, refuse_unknown_columns, true_effects
from encorec.experiment.spec import ExperimentSpec

__all__ = ["DAYS", "Simulation", "simulate", "truth_of"]

DAYS = 14
"""Length where the specification has none."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Simulation:
    """An experiment that was played.

    Args:
        spec: as registered.
        world: as it was before.
        visits: who came and what happened.
        config: of the loop.
    """

    spec: ExperimentSpec
    world: World
    visits: Visits
    config: LoopConfig

    def write(self, folder: str | Path) -> dict[str, Path]:
        """Write the logs as Parquet files that ``encorec experiment analyze`` reads.

        Args:
            folder: made where it is not there.

        Returns:
            By name: ``exposures``; ``metrics``, one row per user; ``events``, one row per visit; ``impressions``, one
            row per item shown.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        spec, names = self.spec, tuple(self.spec.variants)
        shift = _start(spec) - world_end()
        given, unit = (self.visits, self.world), spec.unit
        segments = tuple(name for name in SEGMENTS if name != unit)
        tables = {
            "exposures": exposure_table(*given, names, unit, shift),
            "metrics": metric_table(*given, self.config, unit, segments),
            "events": event_table(*given, self.config, unit, shift),
            "impressions": impression_table(*given, names, unit, shift),
        }
        paths = {name: folder / f"{name}.parquet" for name in tables}
        for name, table in tables.items():
            table.write_parquet(paths[name])
        return paths


def simulate(
    spec: ExperimentSpec,
    world: World,
    recommenders: Mapping[str, Recommender],
    config: LoopConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Simulation:
    """Play an experiment: everybody is assigned as in production and served by the recommender of the variant.

    Args:
        spec: whose variants, shares, salt and days hold; it begins at the end of the world's past.
        world: its people.
        recommenders: by variant.
        config: of the loop; none = as it is by default.
        seed: of what happens; the assignment depends on the salt alone.
        progress: told the day.

    Raises:
        ConfigError: a variant without a recommender, or the other way round.
        DataError: a metric of a column that a loop does not have, broken lists, or nobody came.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,), days=3)
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> old = lambda users, past, now, k: [world.films.id[:k].tolist()] * len(users)
        >>> new = lambda users, past, now, k: [world.films.id[-k:].tolist()] * len(users)
        >>> played = simulate(spec, world, {"control": old, "new": new})
        >>> sorted(set(played.visits.arm.tolist()))
        [0, 1]
    """
    arms = _arms(spec, recommenders)
    config = config or LoopConfig()
    labels = user_labels(world)
    strata = {name: labels[name] for name in spec.strata if name in SEGMENTS}
    arm = assign(spec, world.people.id, strata).variant
    rng = np.random.default_rng([seed, 2])
    visits = play(world, arms, arm, config, days=spec.days or DAYS, rng=rng, progress=progress)
    refuse_unknown_columns(spec, unit_values(visits, world, config)[1])
    return Simulation(spec, world, visits, config)


def truth_of(
    spec: ExperimentSpec,
    world: World,
    recommenders: Mapping[str, Recommender],
    config: LoopConfig | None = None,
    *,
    rounds: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The true effect of every metric and treatment: all users under each variant, ``rounds`` times.

    Args:
        spec: of the experiment.
        world: its people.
        recommenders: by variant.
        config: of the loop.
        rounds: how often the loop is played anew under each variant.
        seed: of what happens.
        progress: told what is done.

    Raises:
        ConfigError: a variant without a recommender, or the other way round.
    """
    _arms(spec, recommenders)
    outcomes = potential_outcomes(
        world, recommenders, config or LoopConfig(), days=spec.days or DAYS, rounds=rounds, seed=seed, progress=progress
    )
    return true_effects(spec, outcomes)


def _arms(spec: ExperimentSpec, recommenders: Mapping[str, Recommender]) -> list[Recommender]:
    for name in recommenders:
        if name not in spec.variants:
            raise ConfigError(f"systems: {unknown_name('variant', name, spec.variants)}")
    for name in spec.variants:
        if name not in recommenders:
            raise ConfigError(f"systems: variant {name!r} has none; every variant needs one")
    return [recommenders[name] for name in spec.variants]


def _start(spec: ExperimentSpec) -> int:
    """Midnight (UTC) of the first day."""
    if spec.start is None:
        return world_end()
    return int(datetime.combine(spec.start, time(), UTC).timestamp())
