"""Section of the checks: what must hold before an effect means anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from encorec.data.sources.sheets import counted
from encorec.experiment.report.numerals import figure, p_text, p_words, percent
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Details, Table, Verdict

__all__ = ["checks"]

_NAMES = {
    "srm": "shares of the variants (sample ratio)",
    "units_in_two_arms": "units in two arms",
    "exposure_days": "days with first exposures",
    "missing_units": "exposed units without a row of metrics",
    "covariate_balance": "covariates before exposure",
}
_FEW = 6


def checks(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """The shares first, with what was expected, then every other check.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> found = {"srm": {"p": 0.5, "counts": {"control": 60, "new": 40}, "ok": True}}
        >>> [str(one).replace("\\N{NO-BREAK SPACE}", " ") for one in checks({"checks": found}, spec)[1].rows[0]]
        ['control', '50 %', '50', '60', '60 %', '+10']
    """
    found = {name: one for name, one in (analysis.get("checks") or {}).items() if isinstance(one, Mapping)}
    if not found:
        return []
    broken = [name for name, one in found.items() if not one.get("ok", True)]
    said = "All checks hold." if not broken else f"Not in order: {', '.join(_name(one) for one in broken)}."
    blocks: list[Any] = [Verdict(said, "bad" if broken else "good")]
    if found.get("srm", {}).get("counts"):
        blocks.append(_shares(found["srm"], spec))
    rows = [(_name(name), "fails" if name in broken else "holds", _seen(name, one)) for name, one in found.items()]
    blocks.append(Table(("check", "result", "what was seen"), rows))
    covariates = found.get("covariate_balance", {}).get("covariates") or ()
    return [*blocks, *([Details("Covariates before exposure", [_covariates(covariates)])] if covariates else [])]


def _shares(srm: Mapping[str, Any], spec: ExperimentSpec) -> Table:
    counts = srm["counts"]
    total = sum(counts.values())
    expected = srm.get("expected") or {name: share * total for name, share in spec.variants.items()}
    rows = [
        (
            name,
            percent(share),
            figure(float(expected.get(name, 0)), 0),
            int(counts.get(name, 0)),
            percent(counts.get(name, 0) / total) if total else "",
            figure(float(counts.get(name, 0) - expected.get(name, 0)), 0, "+"),
        )
        for name, share in spec.variants.items()
    ]
    caption = f"Units per variant. Chi-square: {p_words(srm.get('p'))}; below 0.001 no effect may be read."
    return Table(("variant", "share", "expected", "counted", "of all", "difference"), rows, caption=caption)


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", " "))


def _seen(name: str, one: Mapping[str, Any]) -> str:
    """A check in words."""
    if name == "units_in_two_arms":
        return f"{figure(one.get('count', 0))} units ({percent(one.get('share', 0.0))}), left out of everything"
    if name == "exposure_days":
        missing = list(one.get("missing") or ())
        days = f"{len(missing)} without any: {', '.join(missing[:_FEW])}" if missing else "every day has some"
        days += " and more" if len(missing) > _FEW else ""
        return f"{days}; {figure(one.get('before_start', 0))} before the start, {figure(one.get('after_end', 0))} after"
    if name == "missing_units":
        counts = one.get("counts") or {}
        if not any(counts.values()):
            return "none"
        return f"{', '.join(f'{arm} {figure(many)}' for arm, many in counts.items())}; {p_words(one.get('p'))}"
    if name == "srm":
        return f"chi-square {figure(one.get('chi2'))}, {p_words(one.get('p'))}"
    if name == "covariate_balance":
        return _largest(one.get("covariates") or ())
    plain = ((key, value) for key, value in one.items() if key != "ok" and isinstance(value, int | float | str))
    return "; ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in plain)


def _largest(covariates: Sequence[Mapping[str, Any]]) -> str:
    many = counted(len(covariates), "covariate")
    known = [one for one in covariates if one.get("difference") is not None]
    if not known:
        return many
    most = max(known, key=lambda one: abs(one["difference"]))
    return (
        f"{many}; the largest difference is {figure(most['difference'], 3, '+')} standard "
        f"deviations ({most['name']}, {p_words(most.get('p'))}, adjusted {p_words(most.get('p_adjusted'))})"
    )


def _covariates(rows: Sequence[Mapping[str, Any]]) -> Table:
    arms = list(dict.fromkeys(arm for row in rows for arm in row.get("means") or {}))
    cells = [
        [
            row["name"],
            *(figure((row.get("means") or {}).get(arm)) for arm in arms),
            figure(row.get("difference"), 3, "+"),
            p_text(row.get("p")),
            p_text(row.get("p_adjusted")),
        ]
        for row in rows
    ]
    head = ("covariate", *arms, "largest difference (sd)", "p", "p adjusted")
    return Table(head, cells, caption="Means before anything was shown: chance alone may tell the arms apart.")


def _plain(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else figure(value)
