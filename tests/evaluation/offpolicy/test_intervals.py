"""Standard errors and intervals against slow twins, and the ratio that is resampled as a ratio."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.offpolicy import estimators, intervals, tuning
from encorec.evaluation.offpolicy.intervals import IntervalKind
from encorec.evaluation.offpolicy.intervals import intervals as interval_of
from encorec.evaluation.offpolicy.terms import Terms, Totals

COLUMNS = st.lists(
    st.tuples(*[st.floats(-4, 4).map(lambda x: round(x, 2))] * 2, st.floats(0.1, 9).map(lambda x: round(x, 2))),
    min_size=3,
    max_size=15,
).map(lambda rows: Terms(*np.array(rows).T))


def slow_value(terms: Terms, rows: list[int]) -> float:
    constant = sum(terms.constant[row] for row in rows) / len(rows)
    return constant + sum(terms.correction[row] for row in rows) / sum(terms.scale[row] for row in rows)


def slow_error(terms: Terms, rows: list[int]) -> float:
    """The delta method, row by row."""
    count, scale = len(rows), sum(terms.scale[row] for row in rows) / len(rows)
    constant = sum(terms.constant[row] for row in rows) / count
    ratio = sum(terms.correction[row] for row in rows) / count / scale
    moved = [
        terms.constant[row] - constant + (terms.correction[row] - ratio * terms.scale[row]) / scale for row in rows
    ]
    return float(np.sqrt(sum(one**2 for one in moved) / count / (count - 1)))


@given(COLUMNS)
def test_value_and_standard_error_equal_their_slow_twins(terms: Terms) -> None:
    totals, rows = terms.totals(), list(range(len(terms.constant)))
    assert totals.value == pytest.approx(slow_value(terms, rows))
    assert totals.standard_error == pytest.approx(slow_error(terms, rows), abs=1e-9)


def test_the_error_of_a_mean_is_that_of_a_mean() -> None:
    reward = np.array([1.0, 0.0, 4.0, 2.0])
    totals = estimators.ips(np.ones(4), reward).totals()
    assert totals.standard_error == pytest.approx(reward.std(ddof=1) / 2)


def test_resamples_are_joint_and_of_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every reward 3, a self-normalised estimate is 3 in every resample: both sums are of the same rows."""
    rng = np.random.default_rng(3)
    monkeypatch.setattr(intervals, "_AT_ONCE", 64)
    weight = rng.gamma(0.3, 3.0, 500)
    same = estimators.snips(weight, np.full(500, 3.0))
    for kind in ("bca", "bootstrap", "bootstrap-t", "delta"):
        for cluster in (None, np.arange(500) // 5):
            ends = interval_of({"snips": same.totals(cluster)}, rng, kind=kind, resamples=50)["snips"]
            assert ends == pytest.approx((3.0, 3.0))


def test_draws_within_blocks_have_the_moments_of_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "_AT_ONCE", 7)
    values = np.arange(50.0) ** 2
    sums = intervals._resampled(values[:, None], np.random.default_rng(0), 20_000)[:, 0] / 50
    assert sums.mean() == pytest.approx(values.mean(), rel=0.01)
    assert sums.std() == pytest.approx(values.std() / np.sqrt(50), rel=0.02)


def test_errors_of_resamples_come_from_sums_of_products_alone() -> None:
    rng = np.random.default_rng(5)
    terms = Terms(rng.normal(size=12), rng.normal(size=12), rng.gamma(2.0, size=12))
    rows = rng.integers(0, 12, 12).tolist()
    columns = intervals._columns(terms.totals(), with_products=True)
    found = intervals._errors(columns[rows].sum(axis=0)[None], 12)[0]
    assert found == pytest.approx(slow_error(terms, rows))


def test_corrected_percentiles_worked_out() -> None:
    """BCa as Efron writes it, from the resamples and influences themselves."""
    rng = np.random.default_rng(11)
    totals = estimators.ips(rng.gamma(0.5, 2.0, 80), (rng.random(80) < 0.4).astype(float)).totals()
    sums = intervals._resampled(totals.columns, np.random.default_rng(1), 4000)
    values = np.sort(sums[:, 1] / sums[:, 2])
    z = NormalDist()
    shift = z.inv_cdf(np.mean(values < totals.value) + np.mean(values == totals.value) / 2)
    moved = totals.correction - totals.correction.mean()
    skewness = np.sum(moved**3) / (6 * np.sum(moved**2) ** 1.5)
    wanted = [
        np.quantile(values, z.cdf(shift + (shift + z.inv_cdf(tail)) / (1 - skewness * (shift + z.inv_cdf(tail)))))
        for tail in (0.025, 0.975)
    ]
    assert interval_of({"ips": totals}, np.random.default_rng(1), resamples=4000)["ips"] == pytest.approx(wanted)
    assert skewness > 0


@pytest.mark.parametrize("kind", ["bca", "bootstrap", "delta"])
def test_intervals_hold_the_truth_as_often_as_they_say(kind: IntervalKind) -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        action = rng.random(400) < 0.3
        weight = np.where(action, 0.6 / 0.3, 0.4 / 0.7)
        reward = (rng.random(400) < np.where(action, 0.5, 0.2)).astype(float)
        totals = estimators.snips(weight, reward).totals()
        low, high = interval_of({"snips": totals}, rng, kind=kind, resamples=200)["snips"]
        held += low <= 0.6 * 0.5 + 0.4 * 0.2 <= high
    assert 0.90 <= held / 200 <= 0.99


@pytest.mark.parametrize("kind", ["bca", "bootstrap", "bootstrap-t", "delta"])
def test_degenerate_columns_give_no_warning(kind: IntervalKind) -> None:
    one = Totals(np.zeros(1), np.ones(1), np.ones(1), np.ones(1))
    nothing = estimators.snips(np.zeros(5), np.ones(5)).totals()
    interval_of({"one": one}, np.random.default_rng(0), kind=kind, resamples=20)
    interval_of({"nothing": nothing}, np.random.default_rng(0), kind=kind, resamples=20)
    assert np.isnan(nothing.value)


def test_the_bound_takes_no_bias_that_the_data_show() -> None:
    """Cutting weights whose rows earn all there is costs more than it saves."""
    rng = np.random.default_rng(2)
    weight = np.where(rng.random(4000) < 0.05, 12.0, 0.42)
    biased = (weight > 1).astype(float)
    clip, totals = tuning.tuned(lambda one: estimators.clipped_ips(weight, biased, one), weight)
    assert np.isinf(clip)
    assert totals.value == pytest.approx(float(np.mean(weight * biased)))
    same = (rng.random(4000) < 0.5).astype(float)
    half = np.full(4000, 0.5)
    tau, found = tuning.tuned(lambda one: estimators.switch_dr(weight, same, half, half, one), weight)
    dr = estimators.doubly_robust(weight, same, half, half).totals()
    assert found.standard_error <= dr.standard_error
    assert abs(found.value - 0.5) < 0.05
    assert tau > 0


def test_slope_stops_at_the_first_disagreement() -> None:
    def of(mean: float, error: float) -> Totals:
        spread = np.array([1, -1] * 8) * error * np.sqrt(15)
        return Terms(np.zeros(16), mean + spread, np.ones(16)).totals()

    estimates = [of(1.0, 0.1), of(1.1, 0.05), of(0.7, 0.02), of(1.0, 0.01)]
    assert [round(one.standard_error, 6) for one in estimates] == [0.1, 0.05, 0.02, 0.01]
    assert tuning.slope(estimates) == 1
