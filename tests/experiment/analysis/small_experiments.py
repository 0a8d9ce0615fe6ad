"""Small experiments with a known effect, and how tests analyse them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import numpy as np
import polars as pl

from encorec.experiment.analysis.analyse import analyze
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import ExperimentSpec, MetricSpec, MoneySpec

__all__ = ["CTR", "DAY", "LEFT", "LONG", "START", "WATCH", "entry", "frames", "run", "spec"]

START, DAY = 1_796_083_200, 86_400
WATCH = MetricSpec(name="watch", value="minutes", covariate="before", role="primary")
CTR = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views")
LEFT = MetricSpec(name="left", kind="share", value="left", role="guardrail", margin=0.03, direction="down")
LONG = MetricSpec(name="p90", kind="quantile", value="minutes", quantile=0.9)


def spec(**changed: Any) -> ExperimentSpec:
    given: dict[str, Any] = {
        "name": "shelf",
        "variants": {"control": 0.5, "new": 0.5},
        "metric": (WATCH, CTR, LEFT, LONG),
        "start": date(2026, 12, 1),
        "days": 14,
        "money": MoneySpec(metric="watch", value_per_unit=0.5, population=1000, cost=100, horizon_periods=3, decay=0.5),
    }
    return ExperimentSpec(**{**given, **changed})


def frames(
    n: int = 4000,
    seed: int = 0,
    lift: tuple[float, ...] = (0.0, 0.2),
    left: tuple[float, ...] = (0.05, 0.05),
    days: int = 14,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % len(lift)
    taste = rng.gamma(2, 10, n)
    views = rng.poisson(10, n) + 1
    names = np.array(["control", "new", "third"])[arm]
    times = START + rng.integers(0, days * DAY, n)
    exposures = pl.DataFrame({"unit": np.arange(n), "variant": names, "first_exposed_at": times})
    metrics = pl.DataFrame(
        {
            "unit": np.arange(n),
            "minutes": taste * rng.gamma(4, 0.25, n) * (1 + np.array(lift)[arm]),
            "before": taste * rng.gamma(4, 0.25, n),
            "clicks": rng.binomial(views, 0.2),
            "views": views,
            "left": (rng.random(n) < np.array(left)[arm]).astype(np.int64),
            "city": np.array(["Omsk", "Perm"])[rng.integers(0, 2, n)],
        }
    )
    return exposures, metrics


def run(registered: ExperimentSpec, tables: tuple[pl.DataFrame, pl.DataFrame], **how: Any) -> dict[str, Any]:
    exposures = read_exposures(tables[0], registered)
    found = analyze(registered, exposures, UnitTable.read(registered, exposures, tables[1]), **how)
    msgspec.json.encode(found)
    assert "NaN" not in repr(found).replace("nan", "NaN")
    return found


def entry(found: Mapping[str, Any], name: str, variant: str = "new") -> dict[str, Any]:
    return next(one for one in found["metrics"] if (one["name"], one["variant"]) == (name, variant))
