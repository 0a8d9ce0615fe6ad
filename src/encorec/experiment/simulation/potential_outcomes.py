"""The same users under every recommender: what no experiment ever sees, the truth that one is checked against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.data.synthetic.world import World
from encorec.errors import DataError, unknown_name
from encorec.experiment.simulation.closed_loop import LoopConfig, Recommender, play
from encorec.experiment.simulation.loop_tables import unit_values
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["PotentialOutcomes", "potential_outcomes", "refuse_unknown_columns", "true_effects"]


@dataclass(frozen=True)
class PotentialOutcomes:
    """What n users did under each recommender; a user of several rounds is there several times.

    Args:
        variants: names.
        user: (n,) int64 rows of the world.
        columns: name -> (variants, n) float64, as in ``unit_values``.

    Example:
        >>> found = PotentialOutcomes(("a", "b"), np.array([0, 1, 2]), {"clicks": np.array([[1.0, 0, 1], [2, 2, 2]])})
        >>> variant, columns = found.draw(np.array([0.5, 0.5]), 5, np.random.default_rng(0))
        >>> variant.tolist(), columns["clicks"].tolist()
        ([0, 1, 1, 1, 1], [1.0, 2.0, 2.0, 2.0, 2.0])
    """

    variants: tuple[str, ...]
    user: IntVector
    columns: Mapping[str, FloatMatrix]

    def draw(self, shares: FloatVector, n: int, rng: np.random.Generator) -> tuple[IntVector, dict[str, FloatVector]]:
        """A made-up experiment: n users drawn from these, with replacement, each seen under one variant alone.

        Its true effect is exactly that of ``true_effects`` with ``likely=False``.

        Args:
            shares: (variants,) chance of each variant.
            n: users.
            rng: of users and variants.

        Returns:
            (n,) int16 variants and columns of (n,) float64.
        """
        row = rng.integers(len(self.user), size=n)
        variant = rng.choice(len(self.variants), size=n, p=shares).astype(np.int16)
        return variant, {name: values[variant, row] for name, values in self.columns.items()}


def potential_outcomes(
    world: World,
    recommenders: Mapping[str, Recommender],
    config: LoopConfig,
    *,
    days: int,
    rounds: int = 1,
    seed: int = 0,
    users: IntVector | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PotentialOutcomes:
    """Play every user under every recommender. Who comes first on which day is the same under all of them.

    Args:
        world: as it was before the loop.
        recommenders: by variant.
        config: of the loop.
        days: of the loop.
        rounds: how often the loop is played anew.
        seed: of all rounds.
        users: (u,) rows that take part; none = all.
        progress: told the variants that are done.

    Raises:
        DataError: as ``play``, or no rounds.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> shelf = world.films.id[:10].tolist()
        >>> one = lambda users, past, now, k: [shelf[:k]] * len(users)
        >>> found = potential_outcomes(world, {"a": one, "b": one}, LoopConfig(), days=3)
        >>> found.columns["clicks"].shape == (2, len(found.user))
        True
    """
    if rounds < 1:
        raise DataError(f"rounds is {rounds}, allowed is 1 or more")
    parts: list[tuple[IntVector, dict[str, FloatMatrix]]] = []
    for number in range(rounds):
        played: list[tuple[IntVector, dict[str, FloatVector]]] = []
        for place, (name, recommend) in enumerate(recommenders.items()):
            if progress:
                progress(f"truth: {name}", number * len(recommenders) + place, rounds * len(recommenders))
            arm = np.zeros(len(world.people.id), np.int64)
            if users is not None:
                arm = np.where(np.isin(np.arange(len(arm)), users), 0, -1)
            visits = play(world, [recommend], arm, config, days=days, rng=np.random.default_rng([seed, number]))
            played.append(unit_values(visits, world, config))
        parts.append((played[0][0], {name: np.stack([one[1][name] for one in played]) for name in played[0][1]}))
    columns = {name: np.concatenate([one[name] for _, one in parts], axis=1) for name in parts[0][1]}
    return PotentialOutcomes(tuple(recommenders), np.concatenate([user for user, _ in parts]), columns)


def true_effects(spec: ExperimentSpec, outcomes: PotentialOutcomes, *, likely: bool = True) -> list[dict[str, Any]]:
    """What every metric truly is under every variant.

    Args:
        spec: names the metrics and the control.
        outcomes: of all its variants.
        likely: take the world's own expectations where there are some, which leaves less to chance; false = what
            happened in ``outcomes``, from which ``draw`` makes experiments.

    Returns:
        One row per metric and treatment: ``name, variant, control, treatment, effect, relative``.

    Raises:
        DataError: a metric of columns that a loop does not have.

    Example:
        >>> clicks = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="impressions", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> columns = {"clicks": np.array([[1.0, 1], [1, 2]]), "impressions": np.full((2, 2), 10.0)}
        >>> outcomes = PotentialOutcomes(("a", "b"), np.arange(2), columns)
        >>> found = true_effects(spec, outcomes)[0]
        >>> round(found["effect"], 6), round(found["relative"], 6)
        (0.05, 0.5)
    """
    refuse_unknown_columns(spec, outcomes.columns)
    control = outcomes.variants.index(spec.control_variant)
    rows: list[dict[str, Any]] = []
    for metric in spec.metric:
        values = [_value(metric, outcomes, arm, likely=likely) for arm in range(len(outcomes.variants))]
        for name in spec.treatments:
            treated, base = values[outcomes.variants.index(name)], values[control]
            relative = treated / base - 1 if base else None
            rows.append(
                {"name": metric.name, "variant": name, "control": base, "treatment": treated,
                 "effect": treated - base, "relative": relative}
            )  # fmt: skip
    return rows


def refuse_unknown_columns(spec: ExperimentSpec, known: Sequence[str] | Mapping[str, Any]) -> None:
    """Complain about the first column that a spec names and a loop does not have.

    Args:
        spec: of the experiment.
        known: columns that there are.

    Raises:
        DataError: with the nearest name that there is.
    """
    allowed = [name for name in known if not name.startswith("likely_")]
    for metric in spec.metric:
        for column in (*metric.columns, *metric.covariates):
            if column not in allowed:
                raise DataError(f"metric {metric.name!r}: {unknown_name('column of a loop', column, allowed)}")


def _value(metric: MetricSpec, outcomes: PotentialOutcomes, arm: int, *, likely: bool) -> float:
    def column(name: str) -> FloatVector:
        wanted = f"likely_{name}" if likely and f"likely_{name}" in outcomes.columns else name
        return outcomes.columns[wanted][arm]

    if metric.kind == "ratio":
        numerator, denominator = (float(column(name).sum()) for name in metric.columns)
        return numerator / denominator if denominator else float("nan")
    if metric.kind == "quantile" and metric.quantile is not None:
        return float(np.quantile(outcomes.columns[metric.columns[0]][arm], metric.quantile))
    return float(column(metric.columns[0]).mean())
