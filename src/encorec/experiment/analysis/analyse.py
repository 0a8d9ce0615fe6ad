"""An experiment analysed: checks first, then effects, money and the verdict; one dictionary, as for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.experiment.analysis.alarms import clickbait_alarms
from encorec.experiment.analysis.beside import Beside, beside_effect
from encorec.experiment.analysis.classical import versions
from encorec.experiment.analysis.correction import corrected
from encorec.experiment.analysis.decision import Decision, decide, rule
from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.guardrail import guard
from encorec.experiment.analysis.interim import Horizon, interim
from encorec.experiment.analysis.money import METHOD as MONEY_METHOD
from encorec.experiment.analysis.money import money_line
from encorec.experiment.analysis.novelty import novelty
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.analysis.planned_end import PlannedEnd, planned_end
from encorec.experiment.analysis.segments import by_segment
from encorec.experiment.intake.checks import check, failed_checks
from encorec.experiment.intake.exposures import Exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.types import IntVector

__all__ = ["BLOCKING", "analyze"]

BLOCKING = ("srm", "missing_units")
"""Checks without which no effect is shown: the arms are not what was randomised."""

_FIXED = ("se", "ci95", "relative_ci95", "p", "p_adjusted")
_NUMBERS = ("control", "treatment", "effect", "relative", *_FIXED)
Pair = tuple[str, str]


def analyze(
    spec: ExperimentSpec,
    exposures: Exposures | None,
    table: UnitTable,
    *,
    final: bool = False,
    now: int | None = None,
    planned_units: int | None = None,
    beside: Sequence[Beside] = (),
    rng: np.random.Generator | None = None,
    naive: Mapping[Pair, Effect] | None = None,
) -> dict[str, Any]:
    """Everything that is to be said of an experiment.

    Args:
        spec: as registered.
        exposures: who met which variant; none = only the table is known.
        table: what units did.
        final: the experiment is over, whatever its plan says.
        now: seconds since 1970 of the look, with exposures read ``until`` then; none = the last first exposure.
        planned_units: of all arms at the planned end, for sequential tests; none = those of the specification, else
            from the days that have passed.
        beside: other methods to show beside the registered ones: ``bootstrap``, ``mann-whitney``.
        rng: of the bootstrap; needed for it.
        naive: effects as if views were independent, by metric and variant, to be shown with a warning.

    Returns:
        ``experiment``, ``verdict``, ``recommended``, ``reasons``, ``alarms``, ``rule``, ``planned_end``, ``checks``,
        ``control``, ``variants`` (verdict of each), ``metrics``, ``money``, ``sequential``, ``segments``, ``novelty``,
        ``notes``, ``versions``. Numbers that a check or the planned end withholds are none; ``ci95`` are 95 %
        whatever alpha is.

    Raises:
        ConfigError: settings of a sequential test.
        DataError: values that cannot be analysed, or exposures that lie after ``now``.
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> metric = (MetricSpec(name="minutes", value="minutes", role="primary"),)
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=metric)
        >>> arm = np.arange(1000) % 2
        >>> minutes = np.random.default_rng(0).normal(10, 2, 1000) + arm
        >>> found = analyze(spec, None, UnitTable.of(spec, arm, {"minutes": minutes}), final=True)
        >>> found["verdict"], round(found["metrics"][0]["effect"], 1)
        ('ship', 1.2)
    """
    first_seen = table.first_seen if exposures is None else exposures.first_seen
    _refuse_future(first_seen, now)
    checks = check(spec, exposures, table, now=now)
    end = planned_end(spec, first_seen, now=now, final=final)
    blocked = [name for name in failed_checks(checks) if name in BLOCKING]
    found = _frame(spec, checks, end, table)
    if blocked:
        return found | _withheld(spec, table, checks, blocked)
    outcomes = {one.name: Outcome.of(one, table.columns) for one in spec.metric}
    effects = _effects(spec, table, outcomes)
    entries = _entries(spec, effects, end)
    for entry, pair in zip(entries, effects, strict=True):
        entry["beside"] = {
            one: beside_effect(one, outcomes[pair[0]], *_arms(spec, table, pair[1]), rng) for one in beside
        }
        entry["naive"] = _naive(naive.get(pair) if naive else None, effects[pair])
    horizon = Horizon.of(len(table), end, planned_units, spec.analysis.planned_units)
    found["sequential"] = interim(spec, effects, horizon)
    found["segments"] = by_segment(spec, table, [outcomes[name] for name in _deciding(spec)])
    found["novelty"] = [] if table.daily is None else novelty(spec, table.daily)
    found["alarms"] = clickbait_alarms(spec, entries) if end.reached else []
    if not end.reached:
        for entry in (*entries, *found["segments"], *found["novelty"]):
            _withhold(entry, _FIXED)
    decision = decide(spec, end, entries, found["sequential"])
    found |= {"metrics": entries, "money": _money(spec, effects, end, decision)}
    return found | _verdict(decision, checks, found["alarms"])


def _refuse_future(first_seen: IntVector | None, now: int | None) -> None:
    if now is None or first_seen is None:
        return
    late = int((first_seen >= now).sum())
    if late:
        raise DataError(
            f"{late:,} of {len(first_seen):,} units were first exposed at or after the time of the look; read the "
            "exposures with until=now, so that an early look sees nothing of the future"
        )


def _frame(spec: ExperimentSpec, checks: Mapping[str, Any], end: PlannedEnd, table: UnitTable) -> dict[str, Any]:
    """Fields in the order in which they are read."""
    return {
        "experiment": spec.name,
        "verdict": None,
        "recommended": None,
        "reasons": [],
        "alarms": [],
        "rule": rule(spec),
        "planned_end": end.as_dict(),
        "checks": dict(checks),
        "control": spec.control_variant,
        "variants": {},
        "metrics": [],
        "money": None,
        "sequential": None,
        "segments": [],
        "novelty": [],
        "notes": list(table.notes),
        "versions": versions(),
    }


def _deciding(spec: ExperimentSpec) -> list[str]:
    """The primary metric and that of the money line."""
    return list(dict.fromkeys([spec.primary.name, *([] if spec.money is None else [spec.money.metric])]))


def _arms(spec: ExperimentSpec, table: UnitTable, variant: str) -> tuple[Any, Any]:
    places = (table.variants.index(name) for name in (spec.control_variant, variant))
    first, second = (np.flatnonzero(table.variant == place) for place in places)
    return first, second


def _effects(spec: ExperimentSpec, table: UnitTable, outcomes: Mapping[str, Outcome]) -> dict[Pair, Effect]:
    found: dict[Pair, Effect] = {}
    for variant in spec.treatments:
        arms = _arms(spec, table, variant)
        found |= {(name, variant): effect_of(outcome, *arms) for name, outcome in outcomes.items()}
    return {(one.name, variant): found[one.name, variant] for one in spec.metric for variant in spec.treatments}


def _entries(spec: ExperimentSpec, effects: Mapping[Pair, Effect], end: PlannedEnd) -> list[dict[str, Any]]:
    """One entry per metric and variant, p corrected within its family."""
    known = {one.name: one for one in spec.metric}
    entries: list[dict[str, Any]] = []
    for (name, variant), effect in effects.items():
        metric = known[name]
        entry = {**_named(metric, variant), **effect.figures(), "p_adjusted": effect.p}
        entry["n"] = dict(zip((spec.control_variant, variant), effect.units, strict=True))
        guarded = metric.role == "guardrail" and end.reached
        entry["guardrail"] = guard(metric, effect, spec.analysis.alpha).as_dict() if guarded else None
        entries.append(entry)
    for role in ("primary", "secondary"):
        family = [one for one in entries if one["role"] == role]
        for entry, p in zip(family, corrected([one["p"] for one in family], spec.analysis.correction), strict=True):
            entry["p_adjusted"] = p
    return entries


def _named(metric: MetricSpec, variant: str) -> dict[str, Any]:
    names = {"name": metric.name, "role": metric.role, "kind": metric.kind, "direction": metric.direction}
    return {**names, "margin": metric.margin, "variant": variant}


def _naive(naive: Effect | None, right: Effect) -> dict[str, Any] | None:
    if naive is None:
        return None
    inflation = right.error / naive.error if naive.error and right.error else None
    return {"effect": naive.effect, "ci95": naive.ci95, "p": naive.p, "errors_too_small_by": inflation}


def _withhold(entry: dict[str, Any], names: Sequence[str]) -> None:
    entry |= dict.fromkeys(name for name in names if name in entry)
    entry |= {name: None for name in ("beside", "naive", "guardrail") if name in entry}


def _withheld(
    spec: ExperimentSpec, table: UnitTable, checks: Mapping[str, Any], blocked: Sequence[str]
) -> dict[str, Any]:
    """The report of an experiment whose arms are not what was randomised: no effect is shown."""
    counts = table.counts
    entries: list[dict[str, Any]] = []
    for metric in spec.metric:
        for variant in spec.treatments:
            units = counts[spec.control_variant], counts[variant]
            effect = Effect.unknown("", units, "withheld: a check failed")
            entry = {**_named(metric, variant), **effect.figures(), "p_adjusted": None, "guardrail": None}
            entry["n"] = dict(zip((spec.control_variant, variant), units, strict=True))
            entries.append({**entry, "beside": {}, "naive": None})
    reasons = [_BLOCKED[name].format(p=checks[name]["p"]) for name in blocked]
    reasons += [_warning(name) for name in failed_checks(checks) if name not in blocked]
    variants = {name: {"verdict": "invalid", "reasons": reasons} for name in spec.treatments}
    return {"verdict": "invalid", "reasons": reasons, "variants": variants, "metrics": entries}


_BLOCKED = {
    "srm": "the units are not split as planned (sample ratio, p {p:.2g}): something loses or adds units in one arm; no "
    "effect is shown, find the cause first",
    "missing_units": "exposed units are missing from the metrics in one arm more than in another (p {p:.2g}): what is "
    "left cannot be compared; no effect is shown, find the cause first",
}


def _warning(name: str) -> str:
    return f"check {name!r} failed: see the checks, and read the effects with care"


def _money(
    spec: ExperimentSpec, effects: Mapping[Pair, Effect], end: PlannedEnd, decision: Decision
) -> dict[str, Any] | None:
    """The money line of the recommended variant, else of the first one, and those of all."""
    if spec.money is None:
        return None
    money, alpha = spec.money, spec.analysis.alpha
    lines = {name: money_line(effects[money.metric, name], money, alpha, ended=end.reached) for name in spec.treatments}
    shown = decision.recommended or spec.treatments[0]
    terms = {
        "metric": money.metric,
        "value_per_unit": money.value_per_unit,
        "population": money.population,
        "cost": money.cost,
        "horizon_periods": money.horizon_periods,
        "decay": money.decay,
    }
    return {"variant": shown, **lines[shown], "variants": lines, "terms": terms, "method": MONEY_METHOD}


def _verdict(decision: Decision, checks: Mapping[str, Any], alarms: Sequence[str]) -> dict[str, Any]:
    warnings = [_warning(name) for name in failed_checks(checks)]
    reasons = [*decision.reasons, *(f"alarm: {one}" for one in alarms), *warnings]
    named = {"verdict": decision.verdict, "recommended": decision.recommended, "reasons": reasons}
    return named | {"variants": dict(decision.variants)}
