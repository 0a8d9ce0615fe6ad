"""From evidence to a verdict, by a rule that is fixed before the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from encorec.experiment.analysis.planned_end import PlannedEnd
from encorec.experiment.spec import ExperimentSpec

__all__ = ["Decision", "decide", "rule"]

Verdict = Literal["ship", "do-not-ship", "keep-running", "invalid"]
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Args:
        verdict: over all variants.
        recommended: variant to ship; none = the control stays.
        reasons: in words.
        variants: verdict and reasons of every variant.

    Example:
        >>> Decision("keep-running", None, ("day 3 of 14",)).verdict
        'keep-running'
    """

    verdict: Verdict
    recommended: str | None
    reasons: tuple[str, ...]
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


def rule(spec: ExperimentSpec) -> str:
    """The rule of decision as it follows from the specification, in words.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> rule(ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric, days=14))
        "Ship a variant if 'm' is significantly higher than in 'a' (two-sided, alpha 0.05), read at the planned end
         (14 days), and the units are split as planned (p of the sample ratio at least 0.001). Otherwise keep the
         control."
    """
    analysis, primary = spec.analysis, spec.primary
    way = "higher" if primary.direction == "up" else "lower"
    several = f", {analysis.correction} over {len(spec.treatments)} variants" if len(spec.treatments) > 1 else ""
    planned = f"the planned end ({spec.days} days)" if spec.days else "the end (none is planned)"
    when = f"read at {planned}"
    if analysis.sequential in _GROUPED:
        when = f"by the bound of {analysis.sequential} at one of {analysis.looks} looks, the last at {planned}"
    elif analysis.sequential != "none":
        when = f"by the boundary of {analysis.sequential} at any look"
        last = f" before, or by p at {planned}"
        when += last if spec.days else " (no end is planned), or by p at a look said to be final"
    guards = [f"{one.name!r} does not lose more than {one.margin:g}" for one in spec.metric if one.role == "guardrail"]
    clauses = [*guards, "the units are split as planned (p of the sample ratio at least 0.001)"]
    return (
        f"Ship a variant if {primary.name!r} is significantly {way} than in {spec.control_variant!r} (two-sided, alpha "
        f"{analysis.alpha:g}{several}), {when}, and {', and '.join(clauses)}. Otherwise keep the control."
    )


def decide(
    spec: ExperimentSpec, end: PlannedEnd, metrics: Sequence[Entry], sequential: Mapping[str, Any] | None
) -> Decision:
    """Apply the rule.

    A group-sequential test has one bound for the planned end as well. A confidence sequence leaves the planned end to
    the fixed test: it spends so little before that both together err in 5.3 % (14 looks) to 5.5 % (50 looks) of
    experiments without an effect, at an alpha of 5 %. Where no end is planned the sequence alone decides, unless the
    look is said to be final: fixed tests at every look would err far more often.

    Args:
        spec: of the experiment.
        end: where it is in its plan.
        metrics: entries of the JSON; p is none before the planned end.
        sequential: of the JSON.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric)
        >>> seen = {"name": "m", "variant": "b", "effect": 1.0, "p_adjusted": 0.01, "notes": [], "guardrail": None}
        >>> decide(spec, PlannedEnd(True, False, 1.0, "day 14 of 14"), [seen], None).verdict
        'ship'
    """
    looks = {(one["name"], one["variant"]): one for one in (sequential or {}).get("metrics", ())}
    variants = {name: _of_variant(spec, end, metrics, looks, name) for name in spec.treatments}
    shipped = [name for name, one in variants.items() if one["verdict"] == "ship"]
    sign = 1 if spec.primary.direction == "up" else -1
    effects = {one["variant"]: one["effect"] for one in metrics if one["name"] == spec.primary.name}
    best = max(shipped, key=lambda name: sign * effects[name]) if shipped else None
    verdicts = {one["verdict"] for one in variants.values()}
    overall: Verdict = next(one for one in _ORDER if one in verdicts)
    several = len(variants) > 1
    reasons = [f"{name}: {why}" if several else why for name, one in variants.items() for why in one["reasons"]]
    return Decision(overall, best, (*reasons, end.reason), variants)


def _of_variant(
    spec: ExperimentSpec, end: PlannedEnd, metrics: Sequence[Entry], looks: Mapping[Any, Entry], variant: str
) -> dict[str, Any]:
    mine = {one["name"]: one for one in metrics if one["variant"] == variant}
    primary = mine[spec.primary.name]
    violated, guard_reasons = _guardrails(spec, mine, looks, variant)
    found, reason = _primary(spec, end, primary, looks.get((spec.primary.name, variant)))
    if violated and found != "unknown":
        verdict: Verdict = "do-not-ship"
    else:
        verdict = _VERDICTS[found]
    return {"verdict": verdict, "reasons": [reason, *guard_reasons]}


_ORDER: tuple[Verdict, ...] = ("ship", "keep-running", "invalid", "do-not-ship")
_GROUPED = ("obrien-fleming", "pocock")
"""Tests whose last bound is that of the planned end."""
_VERDICTS: Mapping[str, Verdict] = {
    "better": "ship",
    "worse": "do-not-ship",
    "unclear": "do-not-ship",
    "open": "keep-running",
    "unknown": "invalid",
}


def _primary(spec: ExperimentSpec, end: PlannedEnd, entry: Entry, look: Entry | None) -> tuple[str, str]:
    """State of the primary metric, and that in words."""
    name, kind, effect = spec.primary.name, spec.analysis.sequential, entry["effect"]
    open_ended = spec.days is None and kind == "asymptotic-cs" and not end.final
    if look is not None and (look["crossed"] or not end.reached or kind in _GROUPED or open_ended):
        p, significant, how = look["p"], look["crossed"], f"{kind}, p {look['p']:.3g}"
    elif end.reached:
        p = entry["p_adjusted"]
        significant, how = p is not None and p < spec.analysis.alpha, "" if p is None else f"p {p:.3g}"
    else:
        return "open", f"primary {name!r} is not read before the planned end"
    if p is None or effect is None:
        return "unknown", f"primary {name!r} cannot be judged: {'; '.join(entry['notes'])}"
    if not significant:
        if not end.reached or open_ended:
            return "open", f"primary {name!r} has not crossed its boundary ({how})"
        return "unclear", f"primary {name!r} is not significantly better ({how})"
    better = (effect > 0) == (spec.primary.direction == "up")
    return (
        "better" if better else "worse"
    ), f"primary {name!r} is significantly {'better' if better else 'worse'} ({how})"


def _guardrails(
    spec: ExperimentSpec, mine: Mapping[str, Entry], looks: Mapping[Any, Entry], variant: str
) -> tuple[bool, list[str]]:
    """Whether any guardrail is violated, and what is to be said of them."""
    violated, reasons = False, []
    for metric in (one for one in spec.metric if one.role == "guardrail"):
        look, guard = looks.get((metric.name, variant)), mine[metric.name]["guardrail"]
        state = guard["state"] if guard else "open"
        if look is not None and look["violated"]:
            state = "violated"
        elif look is not None and look["crossed"] and not guard:
            state = "holds"
        elif look is not None and state == "open":
            state = "unproven"
        violated |= state == "violated"
        reasons.append(_GUARD_WORDS[state].format(name=repr(metric.name), margin=metric.margin))
    return violated, reasons


_GUARD_WORDS = {
    "holds": "guardrail {name} holds: its loss is shown to be below the margin {margin:g}",
    "violated": "guardrail {name} is violated: it loses more than the margin {margin:g}",
    "unproven": "guardrail {name} is not violated, but its loss is not shown to be below the margin {margin:g} either: "
    "too few units for that",
    "unknown": "guardrail {name} cannot be judged",
    "open": "guardrail {name} is not read before the planned end",
}
