"""Units with a known effect: skewed watch time, real-looking ratios, and what was known of them before."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from encorec.experiment.spec import MetricSpec, MoneySpec
from encorec.types import FloatVector

__all__ = ["METRICS", "MONEY", "World", "views_of"]

MINUTES = {"kind": "mean", "value": "minutes"}
METRICS = tuple(
    MetricSpec(name=name, **{"role": "primary", **more})
    for name, more in {
        "mean": MINUTES,
        "mean, CUPED": {**MINUTES, "covariate": "minutes_before"},
        "mean, CUPED of two": {**MINUTES, "covariate": ("minutes_before", "visits_before")},
        "share": {"kind": "share", "value": "came"},
        "ratio": {"kind": "ratio", "numerator": "clicks", "denominator": "views"},
        "ratio, CUPED": {
            **{"kind": "ratio", "numerator": "clicks", "denominator": "views"},
            "covariate": ("clicks_before", "views_before"),
        },
        "median": {"kind": "quantile", "value": "session", "quantile": 0.5},
        "quantile 0.9": {"kind": "quantile", "value": "session", "quantile": 0.9},
    }.items()
)
MONEY = MoneySpec(metric="mean", value_per_unit=0.35, population=1e6, cost=4e5, horizon_periods=12, decay=0.9)

_SPREAD, _MINUTES = 1.1, 30.0
_HEAVY = 0.3
_VIEWS, _CLICKED = (4.0, 25.0), (0.05, 0.09)
_COMES = (0.35, 0.75)


@dataclass(frozen=True)
class World:
    """Light and heavy users: heavy ones come more often, view more and click more per view.

    Args:
        lift: relative effect on minutes, sessions and clicks; of a share on the chance to come.
    """

    lift: float = 0.0

    def draw(self, units: int, rng: np.random.Generator) -> dict[str, FloatVector]:
        """Columns of that many units, (units,) float64 each."""
        heavy = (rng.random(units) < _HEAVY).astype(np.int64)
        grown = 1 + self.lift
        taste = rng.normal(size=units)
        seen = np.array(_VIEWS)[heavy]
        rate = rng.gamma(2.0, 0.5, units) * seen
        clicked = np.array(_CLICKED)[heavy]
        love = rng.beta(20 * clicked, 20 * (1 - clicked))
        views = 1 + rng.poisson(rate)
        came = rng.random(units) < np.array(_COMES)[heavy] * grown
        watched = rng.random(units) < np.array(_COMES)[heavy]
        minutes = watched * _MINUTES * np.exp(_SPREAD * (0.8 * taste + 0.6 * rng.normal(size=units)))
        before = 1 + rng.poisson(rate)
        return {
            "minutes": minutes * grown,
            "minutes_before": _MINUTES * np.exp(_SPREAD * (0.8 * taste + 0.6 * rng.normal(size=units))),
            "visits_before": rng.poisson(3 + 9 * heavy).astype(np.float64),
            "came": came.astype(np.float64),
            "clicks": rng.binomial(views, np.minimum(love * grown, 1.0)).astype(np.float64),
            "views": views.astype(np.float64),
            "clicks_before": rng.binomial(before, love).astype(np.float64),
            "views_before": before.astype(np.float64),
            "session": grown * 20 * np.exp(0.9 * rng.normal(size=units)),
        }

    def truth(self, metric: MetricSpec) -> float:
        """The value of a metric over endlessly many units."""
        chance = np.array([1 - _HEAVY, _HEAVY])
        grown = 1 + self.lift
        if metric.kind == "quantile":
            return float(grown * 20 * np.exp(0.9 * norm.ppf(metric.quantile)))
        if metric.kind == "share":
            return float(grown * chance @ np.array(_COMES))
        if metric.kind == "ratio":
            views = 1 + np.array(_VIEWS)
            return float(grown * (chance * views) @ np.array(_CLICKED) / (chance @ views))
        return float(grown * (chance @ np.array(_COMES)) * _MINUTES * np.exp(_SPREAD**2 / 2))


def views_of(units: int, rng: np.random.Generator) -> dict[str, Any]:
    """One row per view: whose it is and whether it was clicked; users differ in taste, so their views are alike."""
    columns = World().draw(units, rng)
    views = columns["views"].astype(np.int64)
    user = np.repeat(np.arange(units), views)
    first = np.cumsum(views) - views
    place = np.arange(len(user)) - first[user]
    return {"user_id": user, "clicked": (place < columns["clicks"][user]).astype(np.float64)}
