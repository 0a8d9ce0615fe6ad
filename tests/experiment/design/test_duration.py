"""How units accrue: by the history, beyond it by the stated rule, and in whole weeks."""

import numpy as np
import pytest

from encorec.errors import ConfigError, DataError
from encorec.experiment.design.duration import Accrual, days_until


def test_a_population_that_runs_dry_is_foreseen() -> None:
    """Everybody comes with chance 5 % a day: 1000 (1 - .95^d), of which 28 days are known."""
    day = np.arange(1, 29)
    known = Accrual.of(1000 * (1 - 0.95**day))
    assert known.decay == pytest.approx(0.95)
    assert known.ceiling == pytest.approx(1000)
    assert [known.units(days) for days in (10, 28, 29, 60)] == pytest.approx(
        [1000 * (1 - 0.95**days) for days in (10, 28, 29, 60)]
    )
    assert days_until(known, lambda _: 900) == 49
    assert days_until(known, lambda _: 1001) is None


def test_steady_traffic_never_dries_up() -> None:
    steady = Accrual.of(np.arange(1, 22) * 50.0)
    assert (steady.decay, steady.recent, steady.ceiling) == (1.0, 50.0, float("inf"))
    assert steady.units(100) == 5000
    assert days_until(steady, lambda _: 5000) == 105
    assert days_until(Accrual.steady(50), lambda _: 5000) == 105


def test_growth_is_not_extrapolated() -> None:
    growing = Accrual.of(np.cumsum(np.arange(1.0, 22.0)))
    assert growing.decay == 1.0
    assert growing.recent == pytest.approx(np.arange(15, 22).mean())


@pytest.mark.parametrize(("seen", "later"), [([80], 160.0), ([80, 80], 80.0), ([10, 10, 10], 10.0)])
def test_short_and_standing_histories(seen: list[float], later: float) -> None:
    found = Accrual.of(np.array(seen, float))
    assert found.units(2 * len(seen)) == pytest.approx(later, rel=1.01)
    assert found.units(2 * len(seen)) <= found.ceiling


def test_needs_that_grow_with_time_are_met_together() -> None:
    assert days_until(Accrual.steady(100), lambda days: 60 * days + 100) == 7
    assert days_until(Accrual.steady(100), lambda days: 60 * days + 300) == 14
    assert days_until(Accrual.steady(100), lambda days: 60 * days + 300, taken=0.5) is None


def test_broken_accrual_is_refused() -> None:
    for seen in ([], [0.0], [3.0, 2.0]):
        with pytest.raises(DataError, match="must not fall"):
            Accrual.of(np.array(seen))
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="units per day"):
            Accrual.steady(wrong)
