"""Section of the verdict: what to do, why, and the rule that says so, fixed before the data."""

from collections.abc import Mapping
from typing import Any, Literal

from encorec.experiment.report.numerals import money, percent_with_ends, with_ends
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Facts, Prose, Verdict

__all__ = ["headline", "rule", "verdict"]

_WORDS = {
    "ship": "Ship",
    "do-not-ship": "Do not ship",
    "keep-running": "Keep running",
    "invalid": "Invalid, nothing may be concluded",
}
_KINDS: Mapping[str, Literal["good", "bad", "open"]] = {"ship": "good", "do-not-ship": "bad", "invalid": "bad"}


def headline(analysis: Mapping[str, Any]) -> str:
    """What to do, in a few words.

    Args:
        analysis: of an experiment, as in its JSON.

    Example:
        >>> headline({"verdict": "ship", "recommended": "two-stage"}), headline({"verdict": "invalid"})
        ('Ship two-stage', 'Invalid, nothing may be concluded')
    """
    words = _WORDS.get(analysis["verdict"], str(analysis["verdict"]))
    variant = analysis.get("recommended")
    return f"{words} {variant}" if variant and analysis["verdict"] == "ship" else words


def verdict(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """The reasons, and the figures that they rest on.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> verdict({"verdict": "keep-running", "reasons": ["3 of 14 days"], "metrics": []}, spec)[0].text
        'Keep running: 3 of 14 days'
    """
    kind = _KINDS.get(analysis["verdict"], "open")
    lead = _lead(analysis)
    text = ": ".join([headline(analysis), *([lead] if lead else [])])
    blocks: list[Any] = [Verdict(text, kind)]
    blocks += [Verdict(str(one), "bad") for one in analysis.get("alarms") or ()]
    arms = analysis.get("variants") or {}
    told = tuple(f"{name}: " for name in arms) if len(arms) > 1 else ()
    blocks += [Prose(one) for one in _reasons(analysis) if one != lead and not one.startswith(told)]
    facts = _facts(analysis, spec)
    blocks += [Facts(facts)] if facts else []
    several = len(arms) > 1 and analysis["verdict"] != "invalid"
    return [*blocks, *(_variants(arms) if several else ())]


def rule(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """The decision rule as it was registered.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> rule({}, spec)[0].text
        'Ship a variant if clicks is significantly better than under control (two-sided, alpha 0.05), the shares of
        the variants are as planned, and the planned end is reached.'
    """
    given = analysis.get("rule")
    if given:
        return [Prose(str(one)) for one in ([given] if isinstance(given, str) else given)]
    guards = [one for one in spec.metric if one.role == "guardrail"]
    parts = [
        f"Ship a variant if {spec.primary.name} is significantly better than under {spec.control_variant} "
        f"(two-sided, alpha {spec.analysis.alpha:g})"
    ]
    if guards:
        parts.append("no guardrail loses more than its margin")
    parts.append("the shares of the variants are as planned")
    ends = "the planned end is reached"
    if spec.analysis.sequential != "none":
        ends += f" or the sequential boundary ({spec.analysis.sequential}) is crossed"
    margins = [Prose(f"Margin of {one.name}: {one.margin:g}, {one.direction} is better.") for one in guards]
    return [Prose(", ".join(parts) + f", and {ends}."), *margins]


def _reasons(analysis: Mapping[str, Any]) -> list[str]:
    return [str(one) for one in analysis.get("reasons") or () if not str(one).startswith("alarm: ")]


def _lead(analysis: Mapping[str, Any]) -> str:
    """The reason that decides: of the recommended variant, of the only one, or the first there is."""
    arms, recommended = analysis.get("variants") or {}, analysis.get("recommended")
    name = recommended if recommended in arms else next(iter(arms)) if len(arms) == 1 else None
    own = [str(one) for one in arms[name].get("reasons") or ()] if name is not None else []
    return next(iter([*own, *_reasons(analysis)]), "")


def _variants(arms: Mapping[str, Mapping[str, Any]]) -> list[Prose]:
    return [
        Prose(f"{name}: {_WORDS.get(one['verdict'], one['verdict'])}. {'; '.join(map(str, one.get('reasons') or ()))}")
        for name, one in arms.items()
    ]


def _facts(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = []
    for row in analysis["metrics"]:
        if row["name"] != spec.primary.name or row.get("effect") is None:
            continue
        whose = "" if len(spec.treatments) == 1 else f", {row['variant']}"
        relative = row.get("relative")
        text = with_ends(row["effect"], row.get("ci95"))
        shown = text if relative is None else percent_with_ends(relative, row.get("relative_ci95"))
        facts.append((f"{row['name']}{whose}", shown))
    line = analysis.get("money") or {}
    if spec.money is not None and line.get("net") is not None:
        whose = f", {line['variant']}" if line.get("variant") and len(spec.treatments) > 1 else ""
        facts.append((f"net over {spec.money.horizon_periods} periods{whose}", money(line["net"], line.get("ci95"))))
    counts = ((analysis.get("checks") or {}).get("srm") or {}).get("counts") or {}
    if counts:
        facts.append(("units", sum(counts.values())))
    if spec.days is not None:
        facts.append(("planned days", spec.days))
    return facts
