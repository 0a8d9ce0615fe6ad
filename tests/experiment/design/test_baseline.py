"""Baselines: values and spreads by hand, against numpy and scipy, and covariates in any unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from encorec.errors import ConfigError, DataError
from encorec.experiment.design.baseline import Baseline, explained_share, measure_baseline, stated_baseline
from encorec.experiment.spec import MetricSpec

RNG = np.random.default_rng(4)
BEFORE = RNG.gamma(2, 10, 3000)
MINUTES = 0.7 * BEFORE + RNG.gamma(1, 12, 3000)


def mean(**more: object) -> MetricSpec:
    return MetricSpec(name="m", value="m", role="primary", **more)  # pyright: ignore[reportArgumentType]


@given(st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_one_covariate_explains_its_squared_correlation_in_any_unit(scale: float, shift: float) -> None:
    squared = np.corrcoef(BEFORE, MINUTES)[0, 1] ** 2
    found = measure_baseline(mean(covariate="b"), {"m": MINUTES, "b": scale * BEFORE + shift})
    assert found.explained == pytest.approx(squared, rel=1e-6)
    assert found.std_left**2 == pytest.approx(MINUTES.var(ddof=1) * (1 - squared))


def test_several_covariates_explain_their_r_squared() -> None:
    other = RNG.normal(size=3000)
    design = np.column_stack([np.ones(3000), BEFORE, other])
    left = MINUTES - design @ np.linalg.lstsq(design, MINUTES, rcond=None)[0]
    written = 1 - left.var() / MINUTES.var()
    columns = {"m": MINUTES, "b": BEFORE, "o": other, "same": 60 * BEFORE, "flat": np.ones(3000)}
    for names in (("b", "o"), ("b", "o", "same"), ("b", "o", "flat"), ("b", "o", "missing")):
        assert measure_baseline(mean(covariate=names), columns).explained == pytest.approx(written)
    assert explained_share(MINUTES, np.ones((3000, 1))) == 0


def test_a_ratio_has_the_spread_of_its_delta_method_terms() -> None:
    views = RNG.integers(1, 30, 4000).astype(float)
    clicks = RNG.binomial(views.astype(int), RNG.beta(2, 18, 4000)).astype(float)
    metric = MetricSpec(name="ctr", kind="ratio", numerator="c", denominator="v", role="primary")
    found = measure_baseline(metric, {"c": clicks, "v": views})
    matrix, ratio = np.cov(clicks, views), clicks.sum() / views.sum()
    written = (matrix[0, 0] - 2 * ratio * matrix[0, 1] + ratio**2 * matrix[1, 1]) / views.mean() ** 2
    assert (found.value, found.std**2) == pytest.approx((ratio, written))


def test_a_quantile_has_the_spread_of_its_density() -> None:
    metric = MetricSpec(name="q", kind="quantile", value="m", quantile=0.75, role="primary")
    values = np.random.default_rng(0).normal(size=200_000)
    written = np.sqrt(0.75 * 0.25) / norm.pdf(norm.ppf(0.75))
    assert measure_baseline(metric, {"m": values}).std == pytest.approx(written, rel=0.05)


def test_values_are_capped_as_in_the_analysis() -> None:
    wild = np.append(np.ones(999), 1e6)
    wild[:500] = 2
    assert measure_baseline(mean(winsorize=0.99), {"m": wild}).std == pytest.approx(0.5, abs=0.01)
    assert measure_baseline(mean(), {"m": wild}).std > 1000


@pytest.mark.parametrize(
    ("metric", "columns", "told"),
    [
        (mean(), {"n": np.ones(9)}, "unknown column 'm'"),
        (mean(), {"m": np.ones(9)}, "all units are alike"),
        (mean(), {"m": np.array([1.0, 2])}, "at least 3"),
        (mean(), {"m": np.array([1.0, 2, np.nan])}, "finite"),
        (MetricSpec(name="s", kind="share", value="m", role="primary"), {"m": np.arange(3.0)}, "0 and 1"),
        (MetricSpec(name="q", kind="quantile", quantile=0.5, value="m", role="primary"), {"m": np.ones(9)}, "alike"),
        (
            MetricSpec(name="r", kind="ratio", numerator="m", denominator="z", role="primary"),
            {"m": np.ones(3), "z": np.zeros(3)},
            "adds up to 0",
        ),
    ],
)
def test_broken_histories_are_refused(metric: MetricSpec, columns: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(DataError, match=told):
        measure_baseline(metric, columns)


def test_stated_baselines_are_checked() -> None:
    share = MetricSpec(name="s", kind="share", value="m", role="primary")
    assert stated_baseline(share, 0.1, correlation=0.6) == Baseline(0.1, 0.3, 0.36)
    assert stated_baseline(mean(), 30, 12).std == 12
    with pytest.raises(ConfigError, match="no share"):
        stated_baseline(share, 1.0)
    with pytest.raises(ConfigError, match="--std m=VALUE"):
        stated_baseline(mean(), 30)
    with pytest.raises(ConfigError, match="correlation is 1"):
        stated_baseline(mean(), 30, 12, 1.0)
    for value, std in ((1.0, 0.0), (float("nan"), 1.0), (1.0, float("inf"))):
        with pytest.raises(ConfigError, match="std above 0"):
            Baseline(value, std)
