"""Effects against tea-tasting's own answers, scipy's, a slow twin, and laws that must hold."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from encorec.errors import DataError
from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.effects import adjusted_values, effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.spec import MetricSpec
from encorec.types import FloatVector

N = 700
CTR = {"kind": "ratio", "numerator": "clicks", "denominator": "views"}


def units(seed: int = 0, n: int = N, lift: float = 0.1) -> tuple[dict[str, FloatVector], Any]:
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, n)
    taste = rng.gamma(1.5, 10, n)
    views = rng.poisson(8, n) + 1.0
    columns = {
        "minutes": taste * rng.gamma(3, 1 / 3, n) * (1 + lift * arm),
        "before": taste * rng.gamma(3, 1 / 3, n),
        "age": rng.uniform(18, 70, n),
        "views": views,
        "clicks": rng.binomial(views.astype(int), 0.2 + 0.04 * arm).astype(np.float64),
        "left": (rng.random(n) < 0.2 + 0.05 * arm).astype(np.float64),
    }
    return columns, arm


def found(columns: dict[str, FloatVector], arm: Any, **metric: Any) -> Effect:
    outcome = Outcome.of(MetricSpec(name="m", role="primary", **metric), columns)
    return effect_of(outcome, np.flatnonzero(arm == 0), np.flatnonzero(arm == 1))


def peer(columns: dict[str, FloatVector], arm: Any, metric: Any) -> Any:
    table = pa.table({**columns, "variant": arm})
    return tt.Experiment(m=metric).analyze(table, control=0)["m"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"value": "minutes"}, tt.Mean("minutes")),
        ({"value": "minutes", "covariate": "before"}, tt.Mean("minutes", "before")),
        ({"value": "left", "kind": "share", "covariate": "before"}, tt.Mean("left", "before")),
        (CTR, tt.RatioOfMeans("clicks", "views")),
        (
            {**CTR, "covariate": "before"},
            tt.RatioOfMeans("clicks", "views", "before", None),
        ),
    ],
)
def test_effects_are_those_of_tea_tasting(ours: dict[str, Any], theirs: Any) -> None:
    columns, arm = units()
    mine, its = found(columns, arm, **ours), peer(columns, arm, theirs)
    assert mine.control == pytest.approx(its.control, rel=1e-9)
    assert mine.effect == pytest.approx(its.effect_size, rel=1e-9)
    assert mine.ci95 == pytest.approx((its.effect_size_ci_lower, its.effect_size_ci_upper), rel=1e-9)
    assert mine.relative == pytest.approx(its.rel_effect_size, rel=1e-9)
    assert mine.relative_ci95 == pytest.approx((its.rel_effect_size_ci_lower, its.rel_effect_size_ci_upper), rel=1e-9)
    assert mine.p == pytest.approx(its.pvalue, rel=1e-9)


def test_shares_are_tested_with_the_pooled_variance_and_shown_with_their_own() -> None:
    columns, arm = units()
    mine = found(columns, arm, value="left", kind="share")
    tested = peer(columns, arm, tt.Proportion("left", method="norm", correction=False))
    shown = peer(columns, arm, tt.Proportion("left", method="norm", correction=False, equal_var=False))
    assert mine.p == pytest.approx(tested.pvalue, rel=1e-9)
    assert mine.ci95 == pytest.approx((shown.effect_size_ci_lower, shown.effect_size_ci_upper), rel=1e-9)
    assert mine.relative_ci95 == pytest.approx(
        (shown.rel_effect_size_ci_lower, shown.rel_effect_size_ci_upper), rel=1e-9
    )


def test_welch_is_that_of_scipy() -> None:
    columns, arm = units(3)
    mine = found(columns, arm, value="minutes")
    theirs: Any = stats.ttest_ind(columns["minutes"][arm == 1], columns["minutes"][arm == 0], equal_var=False)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert mine.ci95 == pytest.approx(tuple(theirs.confidence_interval(0.95)), rel=1e-9)
    assert mine.freedom == pytest.approx(theirs.df, rel=1e-9)


def test_several_covariates_are_a_regression_over_the_units_of_both_arms() -> None:
    """The slow twin: least squares with an intercept, residuals, Welch."""
    columns, arm = units(1)
    mine = found(columns, arm, value="minutes", covariate=("before", "age"))
    design = np.column_stack([np.ones(N), columns["before"], columns["age"]])
    beta = np.linalg.lstsq(design, columns["minutes"], rcond=None)[0]
    left = columns["minutes"] - (design[:, 1:] - design[:, 1:].mean(axis=0)) @ beta[1:]
    theirs: Any = stats.ttest_ind(left[arm == 1], left[arm == 0], equal_var=False)
    assert mine.theta == pytest.approx(beta[1:], rel=1e-8)
    assert mine.effect == pytest.approx(left[arm == 1].mean() - left[arm == 0].mean(), rel=1e-8)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-8)


@pytest.mark.parametrize(
    "metric", [{"value": "minutes"}, {"kind": "ratio", "numerator": "clicks", "denominator": "views"}]
)
@pytest.mark.parametrize("covariate", ["before", ("before", "age")])
@pytest.mark.parametrize("scale", [60.0, 1e-9, 1e12])
def test_the_scale_of_a_covariate_does_not_matter(metric: dict[str, Any], covariate: Any, scale: float) -> None:
    columns, arm = units(2)
    plain = found(columns, arm, covariate=covariate, **metric)
    scaled = found({**columns, "before": columns["before"] * scale}, arm, covariate=covariate, **metric)
    assert scaled.theta[0] * scale == pytest.approx(plain.theta[0], rel=1e-7)
    assert scaled.effect == pytest.approx(plain.effect, rel=1e-7)
    assert scaled.error == pytest.approx(plain.error, rel=1e-7)
    assert scaled.relative_ci95 == pytest.approx(plain.relative_ci95, rel=1e-7)


def test_the_scale_of_a_covariate_does_not_matter_to_the_cap_either() -> None:
    columns, arm = units(2)
    metric = {"value": "minutes", "covariate": "minutes_before", "winsorize": 0.9}
    plain = found({**columns, "minutes_before": columns["before"]}, arm, **metric)
    scaled = found({**columns, "minutes_before": columns["before"] * 60}, arm, **metric)
    assert scaled.cap == pytest.approx(plain.cap, rel=1e-12)
    assert scaled.effect == pytest.approx(plain.effect, rel=1e-9)


def test_collinear_and_constant_covariates_change_nothing() -> None:
    columns, arm = units(4)
    columns |= {"twice": 2 * columns["before"] + 3, "same": np.full(N, 7.0)}
    plain = found(columns, arm, value="minutes", covariate="before")
    more = found(columns, arm, value="minutes", covariate=("before", "twice", "same"))
    assert more.effect == pytest.approx(plain.effect, rel=1e-8)
    assert more.error == pytest.approx(plain.error, rel=1e-8)
    assert more.theta[2] == 0
    assert any("'same' explains nothing" in note for note in more.notes)


def test_a_covariate_cuts_the_variance_by_its_correlation_squared() -> None:
    rng = np.random.default_rng(5)
    arm, before = rng.integers(0, 2, 40_000), rng.normal(size=40_000)
    columns: dict[str, FloatVector] = {"minutes": 10 + 0.8 * before + 0.6 * rng.normal(size=40_000), "before": before}
    plain, less = (found(columns, arm, value="minutes", covariate=one) for one in ((), "before"))
    cut = np.corrcoef(columns["minutes"], before)[0, 1] ** 2
    assert plain.error is not None
    assert less.error is not None
    assert (less.error / plain.error) ** 2 == pytest.approx(1 - cut, rel=0.01)


def test_exact_tests_where_units_are_few() -> None:
    columns = {"left": np.array([1.0] * 7 + [0] * 5 + [1] * 2 + [0] * 11)}
    arm = np.array([0] * 12 + [1] * 13)
    mine = found(columns, arm, value="left", kind="share")
    exact: Any = stats.boschloo_exact([[2, 7], [11, 5]])
    assert mine.p == pytest.approx(exact.pvalue, rel=1e-9)
    assert mine.relative_ci95 is not None
    rare = np.zeros(4000)
    rare[:7] = 1.0
    many = found({"left": rare}, np.arange(4000) // 2000, value="left", kind="share")
    assert many.method.startswith("Fisher")
    exact = stats.fisher_exact([[0, 7], [2000, 1993]])
    assert many.p == pytest.approx(exact.pvalue, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_shares_that_nobody_or_everybody_has(value: float) -> None:
    mine = found({"left": np.full(60, value)}, np.arange(60) % 2, value="left", kind="share")
    assert (mine.effect, mine.p) == (0.0, 1.0)
    assert mine.error == pytest.approx(np.sqrt(2 * (1 / 32) * (31 / 32) / 32))
    assert mine.ci95 is not None
    assert mine.ci95[0] < 0 < mine.ci95[1]
    assert (mine.relative is None) == (value == 0)


def test_a_relative_effect_needs_a_control_above_zero() -> None:
    rng = np.random.default_rng(0)
    arm = np.arange(400) % 2
    loss = rng.normal(-5, 1, 400) + arm
    mine = found({"m": loss}, arm, value="m")
    theirs: Any = stats.ttest_ind(loss[arm == 1], loss[arm == 0], equal_var=False)
    assert mine.relative is None
    assert mine.relative_ci95 is None
    assert any("negative: there is no relative effect" in note for note in mine.notes)
    assert mine.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert mine.ci95 == pytest.approx(tuple(theirs.confidence_interval(0.95)), rel=1e-9)
    zero = found({"m": arm * rng.normal(5, 1, 400)}, arm, value="m")
    assert zero.relative is None
    assert any("value is 0" in note for note in zero.notes)
    fallen = found({"m": rng.normal(5, 1, 400) - 8 * arm}, arm, value="m")
    assert fallen.relative is not None
    assert fallen.relative_ci95 is None


def test_no_variance_one_unit_and_empty_arms_are_said() -> None:
    same = found({"m": np.array([1.0, 1, 2, 2])}, np.array([0, 0, 1, 1]), value="m")
    assert (same.effect, same.p, same.ci95) == (1.0, None, None)
    assert "no unit differs" in same.notes[0]
    single = found({"m": np.array([1.0, 3, 2])}, np.array([0, 0, 1]), value="m")
    assert (single.effect, single.error, single.p) == (0.0, None, None)
    assert "one unit" in single.notes[0]
    with pytest.raises(DataError, match="no units"):
        found({"m": np.ones(3)}, np.zeros(3), value="m")
    with pytest.raises(DataError, match="0 were given"):
        found({"m": np.ones(3)}, np.zeros(3), value="m", kind="quantile", quantile=0.5)
    none = found(
        {"a": np.ones(4), "b": np.zeros(4)}, np.array([0, 0, 1, 1]), kind="ratio", numerator="a", denominator="b"
    )
    assert none.effect is None
    assert "not above 0" in none.notes[0]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(broken: float) -> None:
    values = np.array([1.0, broken, 2.0, 3.0])
    for metric in ({"value": "m"}, {"value": "m", "kind": "quantile", "quantile": 0.5}):
        with pytest.raises(DataError, match="column 'm' has 1 value not finite"):
            found({"m": values}, np.array([0, 0, 1, 1]), **metric)
    with pytest.raises(DataError, match="column 'before' has 1"):
        found({"m": np.ones(4), "before": values}, np.array([0, 0, 1, 1]), value="m", covariate="before")
    with pytest.raises(DataError, match="takes 0 or 1"):
        found({"m": np.array([0, 1, 2.0, 1])}, np.array([0, 0, 1, 1]), value="m", kind="share")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="did you mean 'minutes'"):
        found({"minutes": np.ones(4)}, np.array([0, 0, 1, 1]), value="minuts")


def test_the_cap_is_a_quantile_of_all_arms_where_nothing_was_before() -> None:
    columns, arm = units(6)
    mine = found(columns, arm, value="minutes", winsorize=0.95)
    cap = float(np.quantile(columns["minutes"], 0.95))
    assert mine.cap == cap
    assert mine.treatment == pytest.approx(np.minimum(columns["minutes"], cap)[arm == 1].mean())
    assert mine.method == f"Welch, capped at {cap:.6g}"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_moving_and_scaling_values_moves_and_scales_the_effect(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    arm, values = np.arange(60) % 2, rng.normal(size=60)
    plain, moved = found({"m": values}, arm, value="m"), found({"m": scale * values + shift}, arm, value="m")
    assert plain.effect is not None
    assert moved.effect == pytest.approx(scale * plain.effect, rel=1e-6, abs=1e-9)
    assert moved.p == pytest.approx(plain.p, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(
    "metric",
    [{"value": "minutes", "covariate": "before"}, {"kind": "ratio", "numerator": "clicks", "denominator": "views"}],
)
def test_values_per_unit_have_the_mean_and_the_error_of_the_arm(metric: dict[str, Any]) -> None:
    columns, arm = units(7)
    outcome = Outcome.of(MetricSpec(name="m", role="primary", **metric), columns)
    first, second = adjusted_values(outcome, np.flatnonzero(arm == 0), np.flatnonzero(arm == 1))
    mine = found(columns, arm, **metric)
    assert first.mean() == pytest.approx(mine.control, rel=1e-9)
    assert second.mean() == pytest.approx(mine.treatment, rel=1e-9)
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    assert error == pytest.approx(mine.error, rel=1e-9)


def test_effects_of_huge_and_tiny_values_are_not_lost() -> None:
    columns, arm = units(8)
    plain = found(columns, arm, value="minutes", covariate="before")
    for scale in (1e-12, 1e12):
        scaled = found({**columns, "minutes": columns["minutes"] * scale}, arm, value="minutes", covariate="before")
        assert scaled.p == pytest.approx(plain.p, rel=1e-6)
        assert scaled.relative_ci95 == pytest.approx(plain.relative_ci95, rel=1e-6)


def test_intervals_cover_skewed_truth_absolute_and_relative() -> None:
    rng = np.random.default_rng(11)
    metrics = {
        "mean": ({"value": "minutes"}, 1.5),
        "cuped": ({"value": "minutes", "covariate": "before"}, 1.5),
        "ratio": ({"kind": "ratio", "numerator": "minutes", "denominator": "visits"}, 0.75),
    }
    covered = {name: np.zeros(2) for name in metrics}
    arm = np.arange(800) % 2
    for _ in range(500):
        taste = rng.gamma(1.5, 10, 800)
        columns = {
            "minutes": taste * rng.gamma(3, 1 / 3, 800) * (1 + 0.1 * arm),
            "before": taste * rng.gamma(3, 1 / 3, 800),
            "visits": rng.poisson(1, 800) + 1.0,
        }
        for name, (metric, truth) in metrics.items():
            mine = found(columns, arm, **metric)
            for place, (ends, true) in enumerate(((mine.ci95, truth), (mine.relative_ci95, 0.1))):
                covered[name][place] += ends is not None and ends[0] <= true <= ends[1]
    for shares in covered.values():
        assert (shares / 500 > 0.92).all()
        assert (shares / 500 < 0.98).all()
