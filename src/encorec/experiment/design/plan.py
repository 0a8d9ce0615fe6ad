"""What an experiment is planned from: its specification, and the team's own past or baselines given by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from encorec.errors import ConfigError, DataError, unknown_name
from encorec.experiment.design.baseline import Baseline, measure_baseline
from encorec.experiment.design.duration import Accrual
from encorec.experiment.design.power import TwoArms
from encorec.experiment.intake.history import History
from encorec.experiment.sequential.group_sequential import Side
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.types import FloatVector

__all__ = ["Plan", "metric_alpha", "two_arms"]


@dataclass(frozen=True)
class Plan:
    """What an experiment is planned from.

    Args:
        spec: of the experiment.
        history: the team's own past; none = baselines are given.
        baselines: name of a metric -> where it stands; they replace what the history says.
        units_per_day: new eligible units of every day, in all traffic; none = the accrual of the history.
        mde: smallest relative effect that is worth finding, as 0.05; none = it is solved for.

    Raises:
        ConfigError: an unknown metric, an effect of 0 or that is not finite, units per day that are not above 0.

    Example:
        >>> clicks = MetricSpec(name="conversion", kind="share", value="bought", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> from encorec.experiment.design.designing import design
        >>> plan = design(Plan(spec, baselines={"conversion": Baseline(0.1, 0.3)}, units_per_day=3000, mde=0.1))
        >>> plan["metrics"][0]["n_per_arm"], plan["duration_days"]
        (14749, 14)
    """

    spec: ExperimentSpec
    history: History | None = None
    baselines: Mapping[str, Baseline] | None = None
    units_per_day: float | None = None
    mde: float | None = None

    def __post_init__(self) -> None:
        for name in self.baselines or {}:
            if name not in {one.name for one in self.spec.metric}:
                raise ConfigError(unknown_name("metric", name, [one.name for one in self.spec.metric]))
        if self.mde is not None and not 0 < abs(self.mde) < float("inf"):
            raise ConfigError(f"mde is {self.mde}, a share of the baseline such as 0.05 is wanted")
        if self.units_per_day is not None:
            Accrual.steady(self.units_per_day)

    @property
    def accrual(self) -> Accrual | None:
        """How eligible units come in; none = nobody knows."""
        if self.units_per_day is not None:
            return Accrual.steady(self.units_per_day)
        timed = self.history is not None and self.history.second is not None
        return Accrual.of(self.history.accrual()) if timed and self.history else None

    @property
    def taken(self) -> float:
        """Share of eligible units that enter the experiment."""
        return self.spec.share * (1 - self.spec.holdout)

    def baseline(self, metric: MetricSpec, days: int | None = None) -> Baseline:
        """Where a metric stands, over a stretch of that many days where the history has times.

        Raises:
            DataError: neither given nor in the history.
        """
        given = (self.baselines or {}).get(metric.name)
        if given is not None:
            return given
        if self.history is None:
            raise DataError(f"metric {metric.name!r} has no baseline: give --baseline {metric.name}=VALUE or a history")
        known = self.history.days
        reach = None if known is None or days is None or days >= known else days
        found = measure_baseline(metric, self.history.within(reach))
        if not self.history.sources or not metric.covariates:
            return found
        return replace(found, explained=measure_baseline(metric, self.history.paired(days)).explained)

    def units_of_history(self, metric: MetricSpec, days: int | None = None) -> dict[str, FloatVector]:
        """Columns of the history's units, with covariates where the metric has some.

        Raises:
            DataError: there is no history.
        """
        if self.history is None:
            raise DataError("there is no history to draw units from")
        paired = self.history.sources and metric.covariates
        return self.history.paired(days) if paired else self.history.within(days)

    def planned_units(self, days: int | None) -> float | None:
        """Units of all arms by the end of those days; without times, those of the history."""
        accrual = self.accrual
        if accrual is not None:
            return None if days is None else accrual.units(days) * self.taken
        return None if self.history is None else self.history.units * self.taken


def metric_alpha(spec: ExperimentSpec, metric: MetricSpec) -> float:
    """Share of false positives that one comparison of the metric is planned with.

    With a correction, alpha over the comparisons of its family, the first and hardest step of Holm: the treatments of
    the primary metric, the treatments times the secondary metrics. A guardrail is tested one-sided at alpha.

    Args:
        spec: of the experiment.
        metric: one of its own.

    Example:
        >>> metrics = (MetricSpec(name="a", value="a", role="primary"), MetricSpec(name="b", value="b"))
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.4, "x": 0.3, "y": 0.3}, metric=metrics)
        >>> metric_alpha(spec, metrics[0]), metric_alpha(spec, metrics[1])
        (0.025, 0.025)
    """
    if metric.role == "guardrail":
        return spec.analysis.alpha
    family = len(spec.treatments)
    if metric.role == "secondary":
        family *= sum(one.role == "secondary" for one in spec.metric)
    return spec.analysis.alpha / (1 if spec.analysis.correction == "none" else family)


def two_arms(spec: ExperimentSpec, metric: MetricSpec, baseline: Baseline, treatment: str) -> TwoArms:
    """A treatment of the spec against its control, in one metric.

    An effect multiplies the values of a mean that was measured, so it widens their spread as well. A std that is given
    by hand is that of both arms, as calculators of sample sizes have it.

    Args:
        spec: of the experiment.
        metric: one of its own.
        baseline: where it stands.
        treatment: a variant that is not the control.

    Raises:
        ConfigError: a baseline that the kind of the metric cannot have.

    Example:
        >>> metric = MetricSpec(name="cancelled", kind="share", value="gone", role="primary", direction="down")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.8, "new": 0.2}, metric=(metric,))
        >>> two_arms(spec, metric, Baseline(0.1, 0.3), "new").ratio
        0.25
    """
    up = metric.direction == "up"
    guarded = metric.role == "guardrail"
    side: Side = ("greater" if up else "less") if guarded else "two"
    margin = metric.margin or 0.0
    return TwoArms(
        baseline.value,
        baseline.std_left,
        share=metric.kind == "share",
        grows=metric.kind == "mean" and baseline.units is not None and baseline.value > 0,
        ratio=spec.variants[treatment] / spec.variants[spec.control_variant],
        alpha=metric_alpha(spec, metric),
        side=side,
        null=(-margin if up else margin) if guarded else 0.0,
    )
