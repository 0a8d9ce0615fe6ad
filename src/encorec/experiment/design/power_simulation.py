"""Power by trial: real units drawn again, an effect put in, and the analysis of the experiment run over them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from encorec.errors import ConfigError
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.design.baseline import known_covariates
from encorec.experiment.spec import MetricSpec
from encorec.types import FloatVector, IntVector

__all__ = ["SimulatedPower", "lifted", "simulated_power"]


@dataclass(frozen=True)
class SimulatedPower:
    """How often the analysis found the effect.

    Args:
        power: share of the rounds.
        low: end of its 95 % interval (wilson1927).
        high: end of it.
        rounds: how many.

    Example:
        >>> found = SimulatedPower.of(80, 100)
        >>> found.power, round(found.low, 3), round(found.high, 3)
        (0.8, 0.711, 0.867)
    """

    power: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, found: int, rounds: int) -> "SimulatedPower":
        """That many of so many rounds."""
        z = 1.959963984540054
        share, weight = found / rounds, z * z / rounds
        middle = (share + weight / 2) / (1 + weight)
        reach = z / (1 + weight) * (share * (1 - share) / rounds + weight / rounds / 4) ** 0.5  # wilson1927
        return cls(share, max(0.0, middle - reach), min(1.0, middle + reach), rounds)


def simulated_power(
    metric: MetricSpec,
    columns: Mapping[str, FloatVector],
    lift: float,
    units: tuple[int, int],
    *,
    alpha: float,
    rounds: int,
    rng: np.random.Generator,
) -> SimulatedPower:
    """Share of the rounds in which the analysis finds a relative effect among units drawn from the history.

    Args:
        metric: as registered; covariates that are not in the history are left out.
        columns: (n,) float64 of the history's units by name.
        lift: relative effect, as 0.05; of a guardrail the loss that is there, in its bad direction 0 or less.
        units: of control and treatment; both are drawn with replacement.
        alpha: of the test, two-sided; of a guardrail one-sided.
        rounds: how many experiments.
        rng: draws them.

    Raises:
        ConfigError: no rounds, fewer than two units in an arm, a lift that takes a share out of 0 to 1.
        DataError: columns that are missing or broken.
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> metric = MetricSpec(name="minutes", value="minutes", role="primary")
        >>> past = {"minutes": np.random.default_rng(0).gamma(1.0, 30.0, 5000)}
        >>> found = simulated_power(metric, past, 0.1, (1600, 1600), alpha=0.05, rounds=200,
        ...                         rng=np.random.default_rng(1))
        >>> 0.7 < found.power < 0.9
        True
    """
    if rounds < 1 or min(units) < 2:
        raise ConfigError(f"{rounds} rounds with {min(units)} units in an arm: at least 1 round and 2 units are needed")
    metric = known_covariates(metric, columns)
    named = {name: np.asarray(columns[name], np.float64) for name in (*metric.columns, *metric.covariates)}
    many, found = len(named[metric.columns[0]]), 0
    control = np.arange(units[0])
    treatment = np.arange(units[0], sum(units))
    for _ in range(rounds):
        row = rng.integers(0, many, sum(units))
        drawn = {name: column[row] for name, column in named.items()}
        name = metric.columns[0]
        drawn[name][treatment] = lifted(metric, drawn[name][treatment], lift, rng)
        found += _finds(Outcome.of(metric, drawn), control, treatment, alpha)
    return SimulatedPower.of(found, rounds)


def lifted(metric: MetricSpec, values: FloatVector, lift: float, rng: np.random.Generator) -> FloatVector:
    """Values of units with a relative effect: multiplied, or, of a share, 0 and 1 turned over at random.

    Args:
        metric: whose value or numerator they are.
        values: (n,) float64.
        lift: relative effect.
        rng: chooses who is turned over.

    Raises:
        ConfigError: a share that would leave 0 to 1.

    Example:
        >>> metric = MetricSpec(name="minutes", value="minutes", role="primary")
        >>> lifted(metric, np.array([10.0, 0.0]), 0.5, np.random.default_rng(0)).tolist()
        [15.0, 0.0]
    """
    if metric.kind != "share":
        return values * (1 + lift)
    share = float(values.mean())
    chance = -lift if lift < 0 else lift * share / max(1 - share, 1e-300)
    if not 0 <= chance <= 1:
        raise ConfigError(f"metric {metric.name!r}: a share of {share:g} cannot change by {lift:+.1%}")
    turned = rng.random(len(values)) < chance
    return np.where(turned & (values == (1.0 if lift < 0 else 0.0)), 1 - values, values)


def _finds(outcome: Outcome, control: IntVector, treatment: IntVector, alpha: float) -> bool:
    metric, effect = outcome.metric, effect_of(outcome, control, treatment)
    if metric.role != "guardrail":
        return effect.p is not None and effect.p < alpha
    ends = effect.bound(alpha)
    if ends is None or metric.margin is None:
        return False
    return ends[0] > -metric.margin if metric.direction == "up" else ends[1] < metric.margin
