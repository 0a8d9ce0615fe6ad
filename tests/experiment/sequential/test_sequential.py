"""Confidence sequences against GrowthBook's printed answers, the twin written out, and simulated peeking."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from scipy.stats import norm

from encorec.errors import ConfigError, DataError
from encorec.experiment.sequential.confidence_sequence import (
    always_valid_p,
    confidence_sequence,
    cs_width,
    running_intersection,
    take_look,
)

SIDES = ("two", "greater", "less")


def test_intervals_are_those_that_growthbook_prints() -> None:
    """`TestSequentialTTest` of gbstats: relative effect, its standard error, units, tuning, 95 % interval."""
    mean = take_look("asymptotic-cs", 0.50336, 0.33341, 6461, 1000)
    assert (mean.low, mean.high) == pytest.approx((-0.55844, 1.56516), abs=5e-5)
    assert mean.p == 1.0
    assert not mean.crossed
    share = take_look("asymptotic-cs", 0.50386, 0.03386, 6461, 5000)
    assert (share.low, share.high) == pytest.approx((0.40098, 0.60675), abs=5e-5)
    assert share.crossed


def test_the_width_is_equation_nine_written_out() -> None:
    alpha, planned, n, variance = 0.05, 9000.0, 1234.0, 2.5
    rho = np.sqrt((-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned)
    inner = 2 * (n * rho**2 + 1) / (n**2 * rho**2) * np.log(np.sqrt(n * rho**2 + 1) / alpha)
    low, high = confidence_sequence(1.0, np.sqrt(variance / n), n, planned)
    assert (high - low) / 2 == pytest.approx(np.sqrt(variance) * np.sqrt(inner))


def test_the_p_value_is_the_mixture_ratio_test() -> None:
    """The e-value of johari2017 with tau^2 = rho^2 n SE^2."""
    effect, se, units, planned, alpha = 0.3, 0.1, 700.0, 2000.0, 0.05
    rho = np.sqrt((-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned)
    tau, variance = rho**2 * units * se**2, se**2
    ratio = np.sqrt(variance / (variance + tau)) * np.exp(effect**2 * tau / (2 * variance * (variance + tau)))
    assert take_look("asymptotic-cs", effect, se, units, planned).p == pytest.approx(1 / ratio)


@pytest.mark.parametrize("side", SIDES)
@given(st.floats(0.01, 20), st.floats(-8, 8), st.floats(0.001, 0.4))
def test_p_and_interval_agree(side: Any, share: float, z: float, alpha: float) -> None:
    look = take_look("asymptotic-cs", z, 1.0, 1000 * share, 1000, alpha=alpha, side=side)
    if abs(look.p - alpha) > 1e-9:
        assert look.crossed == (look.p < alpha)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_it_is_narrowest_about_the_planned_units(alpha: float) -> None:
    exact = float((-lambertw(-(alpha**2) / np.e, -1) - 1).real)  # waudbysmith2024: the exact tuning
    best = np.sqrt((1 + exact) / exact * (np.log1p(exact) - 2 * np.log(alpha)))
    assert cs_width(1.0, alpha) == pytest.approx(best, rel=1e-3)
    assert cs_width(1.0, 0.05) / norm.isf(0.025) < 1.6
    assert cs_width(1.0, alpha, "greater") < cs_width(1.0, alpha)


@pytest.mark.parametrize("side", SIDES)
def test_fifty_looks_seldom_leave_the_truth(side: Any) -> None:
    rng = np.random.default_rng(8)
    n = np.arange(1, 51) * 40.0
    path = np.cumsum(rng.normal(0, np.sqrt(40), (4000, 50)), axis=1) / n
    low, high = confidence_sequence(path, 1 / np.sqrt(n), n, 2000, side=side)
    assert (np.greater(low, 0) | np.less(high, 0)).any(axis=1).mean() <= 0.05
    if side == "two":
        assert (np.abs(path) * np.sqrt(n) > 1.96).any(axis=1).mean() > 0.25


@pytest.mark.parametrize("kind", ["asymptotic-cs", "obrien-fleming", "pocock", "none"])
def test_sides_mirror_each_other_and_the_null_may_move(kind: Any) -> None:
    up = take_look(kind, 0.31, 0.1, 900, 900, side="greater", null=-0.2)
    down = take_look(kind, -0.31, 0.1, 900, 900, side="less", null=0.2)
    assert (up.low, up.p, up.crossed) == (-down.high, down.p, down.crossed)
    assert up.high == np.inf
    assert up.crossed
    assert take_look(kind, 0.51, 0.1, 900, 900).p == pytest.approx(take_look(kind, 0.31, 0.1, 900, 900, null=-0.2).p)


def test_a_planned_look_uses_its_own_bound() -> None:
    first = take_look("obrien-fleming", 0.4, 0.1, 200, 1000)
    assert (first.number, first.bound, first.crossed) == (1, pytest.approx(4.562, abs=1e-3), False)
    before = take_look("pocock", 9.0, 0.1, 199, 1000)
    assert (before.number, before.low, before.high, before.p, before.crossed) == (0, -np.inf, np.inf, 1.0, False)
    late = take_look("pocock", 0.4, 0.1, 5000, 1000)
    assert (late.number, late.bound, late.share) == (5, pytest.approx(2.413, abs=1e-3), 5.0)


def test_the_plain_interval_crosses_only_at_the_end() -> None:
    early, end = (take_look("none", 0.3, 0.1, units, 1000) for units in (999, 1000))
    assert (early.crossed, end.crossed, end.number) == (False, True, None)
    assert end.p == pytest.approx(2 * norm.sf(3), rel=1e-6)
    assert (end.low, end.high) == pytest.approx((0.104, 0.496), abs=1e-3)


def test_no_error_is_no_doubt() -> None:
    equal = take_look("asymptotic-cs", 0.0, 0.0, 10, 10)
    assert (equal.low, equal.high, equal.p, equal.crossed) == (0.0, 0.0, 1.0, False)
    assert take_look("pocock", 0.1, 0.0, 10, 10).crossed
    assert take_look("asymptotic-cs", 0.1, 0.0, 10, 10).p == 0


def test_the_running_intersection_never_grows() -> None:
    low, high = running_intersection(np.array([-1.0, 0.1, -0.5]), np.array([1.0, 0.9, 0.05]))
    assert low.tolist() == [-1.0, 0.1, 0.1]
    assert high.tolist() == [1.0, 0.9, 0.05]


def test_always_valid_p_at_zero_and_far_away() -> None:
    assert np.asarray(always_valid_p(np.array([0.0, 100.0, np.inf]), 1.0)).tolist() == [1.0, 0.0, 0.0]
    assert np.asarray(always_valid_p(np.array([-3.0, 0.0]), 1.0, side="greater")).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "broken",
    [
        {"effect": float("nan")},
        {"se": -1.0},
        {"se": float("inf")},
        {"units": 0},
        {"planned": 0},
        {"units": float("nan")},
    ],
)
def test_broken_numbers_are_refused(broken: dict[str, float]) -> None:
    numbers: dict[str, Any] = {"effect": 0.1, "se": 0.1, "units": 10.0, "planned": 10.0, **broken}
    with pytest.raises(DataError, match="must be finite"):
        take_look("asymptotic-cs", **numbers)


def test_unknown_kinds_and_levels_are_refused() -> None:
    levels: tuple[tuple[float, Any], ...] = ((0.0, "two"), (1.0, "two"), (0.5, "greater"))
    with pytest.raises(ConfigError, match="did you mean 'asymptotic-cs'"):
        take_look("asymptotic", 0.1, 0.1, 10, 10)  # pyright: ignore[reportArgumentType]
    for alpha, side in levels:
        with pytest.raises(ConfigError, match="alpha is"):
            cs_width(1.0, alpha, side)
