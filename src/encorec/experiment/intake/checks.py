"""What must hold before any effect is shown: sample ratio, units in two arms, exposure days, missing rows, balance."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from encorec.config import Config, bounded
from encorec.errors import DataError
from encorec.evaluation.uncertainty import holm
from encorec.experiment.intake.balance import covariate_balance
from encorec.experiment.intake.event_sums import DAY_SECONDS
from encorec.experiment.intake.exposures import Exposures
from encorec.experiment.intake.metric_columns import MetricColumns
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import ExperimentSpec

__all__ = ["CheckConfig", "check", "failed_checks", "sample_ratio"]

_EPOCH = date(1970, 1, 1)


class CheckConfig(Config):
    """When a check fails.

    Args:
        p: below it the sample ratio, the balance of the covariates or the share of missing units is no chance.
        two_arms: the largest share of units that met two variants.

    Raises:
        ConfigError: numbers out of bounds.

    Example:
        >>> CheckConfig().p
        0.001
    """

    p: float = 0.001
    two_arms: float = 0.01

    def __post_init__(self) -> None:
        bounded(self, p=(1e-9, 0.5), two_arms=(0, 1))


def check(
    spec: ExperimentSpec,
    exposures: Exposures | None,
    table: UnitTable | None = None,
    *,
    now: int | None = None,
    config: CheckConfig | None = None,
) -> dict[str, Any]:
    """All checks that can be made, each with ``ok``.

    ``srm``: units per arm against the shares; ``units_in_two_arms``: left out of everything; ``exposure_days``: days of
    the planned window without a first exposure, a failure where later days have some, and units that came before or
    after it; with a table: ``missing_units``: exposed units without a row, a failure where arms differ; and
    ``covariate_balance``: means that differ between arms before anything was shown (p corrected by Holm).

    Args:
        spec: of the experiment.
        exposures: of the experiment; none = only what the table can tell.
        table: what units did.
        now: seconds since 1970, so that days to come are not missed; none = the last exposure.
        config: when a check fails.

    Raises:
        DataError: neither exposures nor table.

    Example:
        >>> import polars as pl
        >>> from encorec.experiment.intake.exposures import read_exposures
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> log = pl.DataFrame({"unit": range(100), "variant": ["a"] * 30 + ["b"] * 70})
        >>> found = check(spec, read_exposures(log, spec))
        >>> found["srm"]["counts"], round(found["srm"]["p"], 6), failed_checks(found)
        ({'a': 30, 'b': 70}, 6.3e-05, ['srm'])
    """
    config = config or CheckConfig()
    seen = exposures if exposures is not None else table
    if seen is None:
        raise DataError("checks need exposures, a unit table, or both; none was given")
    found: dict[str, Any] = {"srm": sample_ratio(seen.counts, spec.variants, config)}
    if exposures is not None:
        units = len(exposures) + exposures.two_arms
        share = exposures.two_arms / units if units else 0.0
        found["units_in_two_arms"] = {"count": exposures.two_arms, "share": share, "ok": share <= config.two_arms}
    if seen.first_seen is not None and spec.start is not None:
        found["exposure_days"] = _days(spec, spec.start, seen.first_seen // DAY_SECONDS, now)
    if table is not None:
        if table.missing is not None:
            found["missing_units"] = _missing(table, table.missing, config)
        if MetricColumns.of(spec.metric).covariates:
            found["covariate_balance"] = _balance(spec, table, config)
    return found


def failed_checks(found: Mapping[str, Any]) -> list[str]:
    """Names of the checks that are not ok.

    Example:
        >>> failed_checks({"srm": {"ok": False}, "units_in_two_arms": {"ok": True}})
        ['srm']
    """
    return [name for name, one in found.items() if not one["ok"]]


def sample_ratio(
    counts: Mapping[str, int], shares: Mapping[str, float], config: CheckConfig | None = None
) -> dict[str, Any]:
    """Chi-square test of the units per arm against the planned shares (k - 1 degrees of freedom).

    Args:
        counts: variant -> units.
        shares: variant -> share; they add up to 1.
        config: below which p it fails.

    Raises:
        DataError: no units at all.

    Example:
        >>> sample_ratio({"a": 4850, "b": 5150}, {"a": 0.5, "b": 0.5})["chi2"]
        9.0
    """
    from scipy.stats import chi2

    total = sum(counts.values())
    if not total:
        raise DataError("the sample ratio of no units cannot be checked")
    expected = {name: total * share for name, share in shares.items()}
    statistic = sum((counts[name] - wanted) ** 2 / wanted for name, wanted in expected.items())  # fabijan2019
    p = float(chi2.sf(statistic, len(expected) - 1))
    ok = p >= (config or CheckConfig()).p
    return {"p": p, "chi2": statistic, "counts": dict(counts), "expected": expected, "ok": ok}


def _days(spec: ExperimentSpec, start: date, day: Any, now: int | None) -> dict[str, Any]:
    """First exposures by day, in UTC, held against the planned window."""
    first, last = (start - _EPOCH).days, int(day.max())
    planned = last + 1 - first if spec.days is None else spec.days
    until = last if now is None else max(last, now // DAY_SECONDS - 1)
    looked_at = max(0, min(planned, until + 1 - first))
    inside = day[(day >= first) & (day < first + planned)] - first
    silent = np.flatnonzero(np.bincount(inside, minlength=looked_at)[:looked_at] == 0)
    early, late = int((day < first).sum()), int((day >= first + planned).sum())
    gap = bool((silent + first < last).any())
    return {
        "missing": [(start + timedelta(int(one))).isoformat() for one in silent],
        "before_start": early,
        "after_end": late,
        "ok": not gap and not early and not late,
    }


def _missing(table: UnitTable, missing: tuple[int, ...], config: CheckConfig) -> dict[str, Any]:
    """Exposed units without a row: as often in one arm as in another?"""
    there, gone = np.array(list(table.counts.values()), np.float64), np.array(missing, np.float64)
    p = _independent(np.stack([there, gone])) if gone.any() else 1.0
    return {
        "counts": dict(zip(table.variants, missing, strict=True)),
        "shares": dict(zip(table.variants, (gone / (there + gone)).tolist(), strict=True)),
        "p": p,
        "ok": p >= config.p,
    }


def _independent(seen: Any) -> float:
    """p of Pearson's chi-square test that rows and columns of a table (r, c) without empty ones are independent."""
    from scipy.stats import chi2

    expected = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0) / seen.sum()
    return float(chi2.sf(((seen - expected) ** 2 / expected).sum(), (seen.shape[0] - 1) * (seen.shape[1] - 1)))


def _balance(spec: ExperimentSpec, table: UnitTable, config: CheckConfig) -> dict[str, Any]:
    """Every covariate, with the arm that lies farthest from the control."""
    names, arms = MetricColumns.of(spec.metric).covariates, len(table.variants)
    control = table.variants.index(spec.control_variant)
    found = [covariate_balance(table.columns[name], table.variant, arms, control) for name in names]
    adjusted = holm([1.0 if one.p is None else one.p for one in found])
    rows = [
        {
            "name": name,
            "means": dict(zip(table.variants, one.means.tolist(), strict=True)),
            "difference": _finite(one.difference[np.abs(one.difference).argmax()]),
            "p": one.p,
            "p_adjusted": None if one.p is None else p,
        }
        for name, one, p in zip(names, found, adjusted, strict=True)
    ]
    return {"covariates": rows, "ok": all(p >= config.p for p in adjusted)}


def _finite(value: Any) -> float | None:
    """A number, or none where it is infinite, which JSON cannot say."""
    return float(value) if np.isfinite(value) else None
