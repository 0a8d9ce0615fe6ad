"""Units, effect and power against tea-tasting, published sample sizes, the formulas written out, and simulation."""

from dataclasses import replace
from math import asin, ceil, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from encorec.errors import ConfigError
from encorec.experiment.design.power import Formula, TwoArms, share_formulas
from encorec.experiment.sequential.group_sequential import Side

CONVERSION = TwoArms(0.10, 0.30, share=True)


def test_ten_to_eleven_per_cent_by_every_formula() -> None:
    """The formulas written out, for z = 1.959964 and 0.841621; miller2010's calculator prints 14,313."""
    a, b = norm.isf(0.025), norm.isf(0.2)
    p, q, d = 0.1, 0.11, 0.01
    both, middle = p * (1 - p) + q * (1 - q), (p + q) / 2
    written = {
        "z": (a + b) ** 2 * both / d**2,
        "z-pooled": (a * sqrt(2 * middle * (1 - middle)) + b * sqrt(both)) ** 2 / d**2,
        "z-baseline": (a * sqrt(2 * p * (1 - p)) + b * sqrt(both)) ** 2 / d**2,
        "arcsine": 2 * ((a + b) / (2 * asin(sqrt(q)) - 2 * asin(sqrt(p)))) ** 2,
    }
    found = share_formulas(CONVERSION, d, 0.8)
    assert found == pytest.approx(written, rel=1e-5)
    assert ceil(found["z-baseline"]) == 14_313
    assert 14_300 < min(found.values()) < max(found.values()) < 14_800


def test_t_is_the_published_answer() -> None:
    """statsmodels: tt_ind_solve_power(0.5, alpha=0.05, power=0.8) is 63.765611775409525; cohen1988 has 64."""
    assert TwoArms(0, 1, formula="t").units(0.5, 0.8) == pytest.approx(63.765611775409525, rel=1e-6)
    assert TwoArms(0, 1, formula="t", side="greater").units(0.5, 0.8) == pytest.approx(50.1508, abs=1e-3)
    assert TwoArms(0, 1, formula="t").power(0.5, 20) == pytest.approx(0.3379390, abs=1e-6)


@pytest.mark.parametrize("use_t", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 0.25, 2.0])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_it_is_tea_tasting(use_t: bool, ratio: float, alternative: Any) -> None:
    rng = np.random.default_rng(1)
    before = rng.gamma(2, 3, 800)
    value = before / 2 + rng.gamma(1, 2, 800)
    table = pa.table({"value": value, "before": before})
    left = value.var(ddof=1) * (1 - np.corrcoef(value, before)[0, 1] ** 2)
    sides: dict[str, Side] = {"two-sided": "two", "greater": "greater", "less": "less"}
    side = sides[alternative]
    sign = -1 if side == "less" else 1
    mine = TwoArms(value.mean(), left**0.5, ratio=ratio, side=side, formula="t" if use_t else "z")
    given: dict[str, Any] = {"covariate": "before", "use_t": use_t, "equal_var": False, "ratio": ratio}
    given["alternative"] = alternative
    effect = sign * 0.05 * value.mean()
    if not use_t or ratio == 1:  # else tea-tasting starts from less than one unit in an arm
        units = tt.Mean("value", effect_size=effect, **given).solve_power(table, "n_obs")[0].n_obs
        assert ceil(mine.units(effect, 0.8) * (1 + ratio)) == units
    found = tt.Mean("value", n_obs=700, **given).solve_power(table, "effect_size")[0].effect_size
    assert mine.effect(700 / (1 + ratio), 0.8) == pytest.approx(found, rel=1e-6)
    chance = tt.Mean("value", effect_size=effect, n_obs=700, **given).solve_power(table, "power")[0].power
    assert mine.power(effect, 700 / (1 + ratio)) == pytest.approx(chance, abs=1e-6)


@given(
    st.sampled_from(["z", "z-pooled", "z-baseline", "arcsine", "t"]),
    st.floats(0.02, 0.9),
    st.floats(0.02, 0.5),
    st.floats(0.2, 5),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_each_of_the_three_follows_from_the_others(
    formula: Formula, share: float, lift: float, ratio: float, power: float
) -> None:
    arms = TwoArms(share, sqrt(share * (1 - share)), share=True, ratio=ratio, formula=formula)
    effect = lift * min(share, 1 - share)
    units = arms.units(effect, power)
    assert arms.power(effect, units) == pytest.approx(power, abs=1e-6)
    if formula != "t" and units > 20:
        assert arms.effect(units, power) == pytest.approx(effect, rel=1e-6)


def test_planned_power_is_reached_by_simulated_shares() -> None:
    rng = np.random.default_rng(5)
    units = ceil(CONVERSION.units(0.02, 0.8))
    control, treatment = (rng.binomial(units, p, 20_000) / units for p in (0.1, 0.12))
    z = (treatment - control) / np.sqrt((control * (1 - control) + treatment * (1 - treatment)) / units)
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.012)


def test_covariates_take_their_share_of_the_units() -> None:
    half = replace(CONVERSION, std=0.30 * sqrt(0.5))
    assert half.units(0.01, 0.8) == pytest.approx(CONVERSION.units(0.01, 0.8) / 2, rel=1e-9)
    assert replace(half, formula="arcsine").units(0.01, 0.8) == pytest.approx(
        replace(CONVERSION, formula="arcsine").units(0.01, 0.8) / 2, rel=1e-9
    )


def test_non_inferiority_by_its_formula() -> None:
    """(z_alpha + z_power)^2 2 p (1 - p) / margin^2, the effect being none."""
    arms = TwoArms(0.03, sqrt(0.03 * 0.97), share=True, side="less", null=0.002)
    written = (norm.isf(0.05) + norm.isf(0.2)) ** 2 * 2 * 0.03 * 0.97 / 0.002**2
    assert arms.units(0.0, 0.8) == pytest.approx(written, rel=1e-7)
    assert arms.power(0.002, 5000) == pytest.approx(0.05, abs=1e-4)


def test_a_share_is_bounded_and_falls_otherwise_than_it_rises() -> None:
    assert CONVERSION.effect(1000, 0.8, down=True) == pytest.approx(-0.0341, abs=1e-3)
    assert abs(CONVERSION.effect(1000, 0.8, down=True)) < CONVERSION.effect(1000, 0.8)
    with pytest.raises(ConfigError, match=r"cannot change by -0\.2"):
        CONVERSION.power(-0.2, 100)
    with pytest.raises(ConfigError, match="more units are needed"):
        TwoArms(0.9, 0.3, share=True).effect(8, 0.99)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"formula": "zz"}, "unknown formula 'zz'"),
        ({"share": False, "formula": "arcsine"}, "is one of shares"),
        ({"std": 0.0}, "must be above 0"),
        ({"std": float("nan")}, "must be above 0"),
        ({"ratio": 0.0}, "must be above 0"),
        ({"alpha": 0.6, "side": "less"}, "below 0.5"),
        ({"alpha": 0.0}, "alpha is 0"),
        ({"baseline": 1.0}, "baseline of a share"),
    ],
)
def test_broken_arms_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        replace(CONVERSION, **wrong)


def test_questions_without_an_answer_are_refused() -> None:
    for power in (0.05, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="power is"):
            CONVERSION.units(0.01, power)
    with pytest.raises(ConfigError, match="no number of units"):
        CONVERSION.units(0.0, 0.8)
    with pytest.raises(ConfigError, match="at least one"):
        CONVERSION.power(0.01, 0)


def test_a_std_that_grows_with_the_values_asks_for_more_units() -> None:
    """By hand: 10 -> 10.5 with std 20 -> 21 needs (1.959964 + 0.841621)^2 (20^2 + 21^2) / 0.5^2 units per arm."""
    arms = TwoArms(10, 20, grows=True)
    assert arms.units(0.5, 0.8) == pytest.approx((1.959963985 + 0.841621234) ** 2 * 841 / 0.25, rel=1e-5)
    assert arms.units(-0.5, 0.8) == pytest.approx((1.959963985 + 0.841621234) ** 2 * (400 + 361) / 0.25, rel=1e-5)
    assert arms.effect(arms.units(0.5, 0.8), 0.8) == pytest.approx(0.5)
    assert arms.effect(3, 0.8) > arms.effect(30, 0.8) > 10  # the std stops at twice, so few units have an answer too
    with pytest.raises(ConfigError, match="grows with values above 0"):
        TwoArms(-1, 20, grows=True)
    with pytest.raises(ConfigError, match="that are no share"):
        TwoArms(0.5, 0.5, share=True, grows=True)


def test_multiplied_values_are_found_as_often_as_planned() -> None:
    """Skewed minutes times 1.3 in the treatment: simulated power meets the planned one, which the plain std misses."""
    rng = np.random.default_rng(5)
    mean, std = 1.0, sqrt(np.expm1(0.64))
    units = ceil(TwoArms(mean, std, grows=True).units(0.3, 0.8))
    arms = [np.exp(0.8 * rng.normal(size=(4000, units)) - 0.32) for _ in range(2)]
    arms[1] *= 1.3
    error = np.sqrt(sum(one.var(axis=1, ddof=1) for one in arms) / units)
    found = (np.abs(arms[1].mean(axis=1) - arms[0].mean(axis=1)) > 1.959964 * error).mean()
    assert found == pytest.approx(0.8, abs=0.03)
    assert TwoArms(mean, std, grows=True).power(0.3, TwoArms(mean, std).units(0.3, 0.8)) < 0.74
