"""What an effect earns, and what is left of it when only significant ones are reported."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import DataError
from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.effect import Effect, between
from encorec.experiment.analysis.money import break_even_effect, money_line, net_of
from encorec.experiment.analysis.winners_curse import expected_when_significant, shrunk
from encorec.experiment.spec import MoneySpec

MONEY = MoneySpec(metric="m", value_per_unit=0.35, population=1e6, cost=40_000, horizon_periods=12, decay=0.9)


@pytest.mark.parametrize(("power", "inflated"), [(0.17, 2.49), (0.52, 1.39), (0.80, 1.13)])
def test_inflation_is_the_published_one(power: float, inflated: float) -> None:
    """2.49 times at 17 % power, 1.39 at 52 %, 1.13 at 80 %."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    z: Any = brentq(lambda true: norm.sf(1.96 - true) + norm.cdf(-1.96 - true) - power, 0.01, 6)
    assert expected_when_significant(z) / z == pytest.approx(inflated, rel=0.02)


def test_expectation_is_that_of_draws() -> None:
    drawn = np.random.default_rng(0).normal(1.5, 1, 400_000)
    assert expected_when_significant(1.5) == pytest.approx(drawn[np.abs(drawn) > 1.96].mean(), rel=0.01)


@given(st.floats(2.0, 25), st.floats(0.01, 100))
def test_shrinking_undoes_the_selection(z: float, error: float) -> None:
    true = shrunk(z * error, error)
    assert 0 <= true <= z * error
    assert expected_when_significant(true / error) == pytest.approx(z, rel=1e-6)
    assert shrunk(-z * error, error) == pytest.approx(-true)


def test_what_was_not_selected_is_not_shrunk() -> None:
    assert shrunk(1.0, 1.0) == 1.0
    for effect, error in ((1.0, 0.0), (np.nan, 1.0), (1.0, np.inf)):
        with pytest.raises(DataError, match="must be finite"):
            shrunk(effect, error)


def test_periods_are_added_up_one_by_one() -> None:
    by_hand = sum(1e6 * 0.5 * 0.9**period * 0.35 - 40_000 for period in range(12))
    assert net_of(0.5, MONEY) == pytest.approx(by_hand)
    assert net_of(break_even_effect(MONEY) or 0, MONEY) == pytest.approx(0, abs=1e-6)
    flat = MoneySpec(metric="m", value_per_unit=0.35, population=1e6, cost=40_000, horizon_periods=12)
    assert net_of(0.5, flat) == pytest.approx(12 * (175_000 - 40_000))
    once = MoneySpec(metric="m", value_per_unit=0.35, population=1e6, cost=40_000, horizon_periods=12, decay=0)
    assert net_of(0.5, once) == pytest.approx(175_000 - 12 * 40_000)


def test_a_metric_of_which_less_is_worth_money() -> None:
    cheaper = MoneySpec(metric="m", value_per_unit=-2.0, population=100, cost=10)
    found = between(ArmMean(500, 10.0, 4.0), ArmMean(500, 9.0, 4.0), "Welch")
    line = money_line(found, cheaper, 0.05, ended=True)
    assert line["net"] == pytest.approx(190)
    assert line["ci95"][0] < 190 < line["ci95"][1]
    assert line["p_positive"] > 0.999


def test_money_of_nothing() -> None:
    free = MoneySpec(metric="m", value_per_unit=0.0, population=100, cost=10)
    found = between(ArmMean(500, 10.0, 4.0), ArmMean(500, 9.0, 4.0), "Welch")
    line = money_line(found, free, 0.05, ended=True)
    assert (line["net"], line["break_even_effect"], line["p_positive"]) == (-10.0, None, 0.0)
    unknown = money_line(Effect.unknown("", (1, 1), "one unit"), MONEY, 0.05, ended=True)
    assert (unknown["net"], unknown["ci95"], unknown["note"]) == (None, None, "one unit")


def test_coverage_of_the_money() -> None:
    rng = np.random.default_rng(1)
    truth, covered = net_of(0.2, MONEY), 0
    for _ in range(1000):
        arms = rng.gamma(1.5, 4, 300), rng.gamma(1.5, 4, 300) + 0.2
        first, second = (ArmMean(300, float(one.mean()), float(one.var(ddof=1))) for one in arms)
        low, high = money_line(between(first, second, "Welch"), MONEY, 0.05, ended=True)["ci95"]
        covered += low <= truth <= high
    assert 0.935 <= covered / 1000 <= 0.967
