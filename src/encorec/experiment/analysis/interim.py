"""Every metric through a test that may be read before the planned end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.planned_end import PlannedEnd
from encorec.experiment.sequential.confidence_sequence import Look, take_look
from encorec.experiment.spec import ExperimentSpec, MetricSpec

__all__ = ["Horizon", "interim"]

Pair = tuple[str, str]


@dataclass(frozen=True)
class Horizon:
    """How far the units have come.

    Args:
        units: so far, of all arms.
        planned: at the planned end; none = not known.
        origin: of the planned units: ``given``, ``plan`` (of the specification), ``time`` (units so far over the share
            of the days that have passed) or ``units`` (the experiment is over: those that came).
        ended: whether the planned end is reached: a group-sequential test then has its last look.

    Example:
        >>> Horizon.of(500, PlannedEnd(False, False, 0.25, "day 4 of 14")).planned
        2000.0
    """

    units: int
    planned: float | None
    origin: str | None
    ended: bool = False

    @classmethod
    def of(cls, units: int, end: PlannedEnd, given: int | None = None, registered: int | None = None) -> "Horizon":
        """From the plan.

        Args:
            units: so far, of all arms.
            end: where the experiment is in its plan.
            given: planned units of all arms, where they were fixed before the data.
            registered: those of the specification, taken where none are given.
        """
        if given is not None or registered is not None:
            planned, origin = (registered, "plan") if given is None else (given, "given")
            return cls(units, float(planned or units), origin, end.reached)
        if end.reached:
            return cls(units, float(units), "units", ended=True)
        return cls(units, units / end.elapsed, "time") if end.elapsed else cls(units, None, None)

    def planned_by(self, kind: str) -> float:
        """Planned units that a test counts with: at the end, a group-sequential one takes what came for the whole."""
        planned = self.units if self.planned is None else self.planned
        return min(planned, self.units) if self.ended and kind != "asymptotic-cs" else planned


def interim(spec: ExperimentSpec, effects: Mapping[Pair, Effect], horizon: Horizon) -> dict[str, Any] | None:
    """Looks at every metric and variant, as for JSON; none where the specification has no sequential test.

    The primary metric's alpha is shared out over its variants, that of secondary metrics over all of their tests. A
    guardrail is tested one-sided against its margin: ``crossed`` means that it holds, ``violated`` the opposite.

    Args:
        spec: of the experiment.
        effects: by metric and variant.
        horizon: how far the units have come.

    Raises:
        ConfigError: from the tests.

    Example:
        >>> from encorec.experiment.analysis.adjustment import ArmMean
        >>> from encorec.experiment.analysis.effect import between
        >>> from encorec.experiment.spec import AnalysisSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> cs = AnalysisSpec(sequential="asymptotic-cs")
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric, analysis=cs)
        >>> found = between(ArmMean(100, 10.0, 4.0), ArmMean(100, 12.0, 4.0), "Welch")
        >>> interim(spec, {("m", "b"): found}, Horizon(200, 400.0, "given"))["metrics"][0]["crossed"]
        True
    """
    kind = spec.analysis.sequential
    if kind == "none":
        return None
    found: dict[str, Any] = {
        "kind": kind,
        "units": horizon.units,
        "planned_units": horizon.planned,
        "planned_from": horizon.origin,
        "looks": None if kind == "asymptotic-cs" else spec.analysis.looks,
        "note": _UNPLANNED if horizon.origin == "units" and spec.days is None else _NOTES[horizon.origin],
        "metrics": [],
    }
    if horizon.planned is None:
        return found
    for metric in spec.metric:
        for variant in spec.treatments:
            effect = effects.get((metric.name, variant))
            if effect is not None and effect.effect is not None and effect.error is not None:
                entry = {"name": metric.name, "role": metric.role, "variant": variant, "effect": effect.effect}
                found["metrics"].append({**entry, **_look_at(spec, metric, effect, horizon)})
    return found


_NOTES: Mapping[str | None, str] = {
    "given": "the planned units were given",
    "plan": "the planned units are those of the specification",
    "time": "the planned units are those so far over the share of the planned days that has passed",
    "units": "the experiment is over: its units are those planned",
    None: "neither planned units nor planned days are known, so nothing can be said before the end",
}


_UNPLANNED = (
    "neither days nor units are planned: the units so far are taken for those planned, which moves the bounds from "
    "look to look"
)


def _look_at(spec: ExperimentSpec, metric: MetricSpec, effect: Effect, horizon: Horizon) -> dict[str, Any]:
    alpha = _share_of_alpha(spec, metric)
    if metric.role == "guardrail":
        return _margin_looks(spec, metric, effect, horizon, alpha)
    look = _look(spec, effect, horizon, alpha)
    return {**_figures(look, alpha), "violated": None}


def _margin_looks(
    spec: ExperimentSpec, metric: MetricSpec, effect: Effect, horizon: Horizon, alpha: float
) -> dict[str, Any]:
    """Two one-sided looks: is the loss below the margin, is it above?"""
    good, bad = ("greater", "less") if metric.direction == "up" else ("less", "greater")
    null = -(metric.margin or 0.0) if metric.direction == "up" else metric.margin or 0.0
    holds = _look(spec, effect, horizon, alpha, good, null)
    broken = _look(spec, effect, horizon, alpha, bad, null)
    return {**_figures(holds, alpha), "violated": broken.crossed}


def _look(
    spec: ExperimentSpec, effect: Effect, horizon: Horizon, alpha: float, side: Any = "two", null: float = 0.0
) -> Look:
    kind, looks = spec.analysis.sequential, spec.analysis.looks
    figures = effect.effect or 0.0, effect.error or 0.0, horizon.units, horizon.planned_by(kind)
    return take_look(kind, *figures, alpha=alpha, looks=looks, side=side, null=null)


def _figures(look: Look, alpha: float) -> dict[str, Any]:
    ends = [end if abs(end) != float("inf") else None for end in (look.low, look.high)]
    bound = look.bound if look.bound != float("inf") else None
    figures = {"ci": ends, "alpha": alpha, "p": look.p, "crossed": bool(look.crossed), "share": look.share}
    return {**figures, "look": look.number, "bound": bound}


def _share_of_alpha(spec: ExperimentSpec, metric: MetricSpec) -> float:
    alpha, variants = spec.analysis.alpha, len(spec.treatments)
    if metric.role == "guardrail" or spec.analysis.correction == "none":
        return alpha
    if metric.role == "primary":
        return alpha / variants
    return alpha / (variants * sum(one.role == "secondary" for one in spec.metric))
