"""Values in any unit: what an effect is must not depend on it, and nothing may overflow on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import DataError
from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.classical import welch
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.spec import MetricSpec

METRIC = MetricSpec(name="m", value="m", role="primary", covariate="before")
FIRST, SECOND = np.arange(0, 60, 2), np.arange(1, 60, 2)


@pytest.mark.parametrize("unit", [2.0**-190, 2.0**-60, 2.0**40, 2.0**120, 2.0**310])
@pytest.mark.parametrize("shift", [0.0, -30.0])
def test_an_effect_is_the_same_in_any_unit(unit: float, shift: float) -> None:
    rng = np.random.default_rng(0)
    before = rng.gamma(2, 5, 60)
    columns = {"m": before + rng.normal(3, 1, 60) + np.arange(60) % 2 + shift, "before": before}
    plain = effect_of(Outcome.of(METRIC, columns), FIRST, SECOND)
    scaled = Outcome.of(METRIC, {name: unit * values for name, values in columns.items()})
    found = effect_of(scaled, FIRST, SECOND)
    assert found.p == pytest.approx(plain.p, rel=1e-9)
    assert found.freedom == pytest.approx(plain.freedom, rel=1e-9)
    assert plain.ci95 is not None
    assert found.ci95 == pytest.approx(tuple(unit * end for end in plain.ci95), rel=1e-9)
    assert (found.relative_ci95 is None) == (plain.relative_ci95 is None) == (shift < 0)
    if plain.relative_ci95 is not None:
        assert found.relative_ci95 == pytest.approx(plain.relative_ci95, rel=1e-9)


def test_a_column_below_all_bounds_is_refused() -> None:
    with pytest.raises(DataError, match="2 values above 0, all below 1e-100"):
        Outcome.of(METRIC, {"m": np.array([1e-150, 0.0, 1e-101]), "before": np.ones(3)})
    assert Outcome.of(METRIC, {"m": np.array([1e-150, 0.0, 1.0]), "before": np.zeros(3)}).cap is None


@given(
    st.integers(2, 5),
    st.integers(2, 5),
    st.floats(1e-8, 1e8),
    st.floats(1e-8, 1e8),
    st.floats(1e-12, 1e24),
    st.floats(0, 1e24),
)
def test_few_units_with_wild_errors_have_an_interval_that_floats_can_hold(
    first: int, second: int, control: float, treatment: float, spread: float, other: float
) -> None:
    found = welch(ArmMean(first, control, spread), ArmMean(second, treatment, other))
    ends = [end for end in (found.low, found.high, found.relative_low, found.relative_high) if end is not None]
    assert np.isfinite(ends).all()
    assert 0 <= found.p <= 1
