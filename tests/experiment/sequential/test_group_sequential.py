"""Bounds against the tables of Jennison and Turnbull (2000), against Monte Carlo, and at the edges."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from encorec.errors import ConfigError
from encorec.experiment.sequential.group_sequential import (
    boundary,
    crossing_probability,
    inflation,
    look_boundary,
    repeated_p,
    spending_boundary,
)

# jennison2000, tables 2.1 and 2.3: two-sided alpha .05
POCOCK = {2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 6: 2.453, 7: 2.485, 8: 2.512, 9: 2.535, 10: 2.555}
FLEMING = {2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 6: 2.053, 7: 2.063, 8: 2.072, 9: 2.080, 10: 2.087}


@pytest.mark.parametrize("looks", POCOCK)
def test_bounds_are_those_of_the_tables(looks: int) -> None:
    assert boundary("pocock", looks) == pytest.approx(np.full(looks, POCOCK[looks]), abs=1e-3)
    expected = FLEMING[looks] * np.sqrt(looks / np.arange(1, looks + 1))
    assert boundary("obrien-fleming", looks) == pytest.approx(expected, abs=1e-3 * np.sqrt(looks))


@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_other_levels_are_those_of_the_tables(alpha: float) -> None:
    pocock, fleming = {0.01: (2.986, 2.621), 0.1: (2.122, 1.751)}[alpha]  # jennison2000, five looks
    assert boundary("pocock", 5, alpha)[0] == pytest.approx(pocock, abs=1e-3)
    assert boundary("obrien-fleming", 5, alpha)[-1] == pytest.approx(fleming, abs=1e-3)


def test_spent_bounds_are_the_published_ones() -> None:
    # lan1983, as printed by every group-sequential package for five even looks and two-sided alpha .05
    assert spending_boundary("obrien-fleming", 5) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3)
    assert spending_boundary("pocock", 5) == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=1e-3)


@pytest.mark.parametrize(("looks", "pocock", "fleming"), [(2, 1.110, 1.008), (5, 1.229, 1.028), (10, 1.301, 1.040)])
def test_inflation_is_that_of_the_tables(looks: int, pocock: float, fleming: float) -> None:
    assert inflation("pocock", looks, 0.05, 0.8) == pytest.approx(pocock, abs=1.1e-3)  # jennison2000, 2.2 and 2.4
    assert inflation("obrien-fleming", looks, 0.05, 0.8) == pytest.approx(fleming, abs=1e-3)


@pytest.mark.parametrize("side", ["two", "greater", "less"])
@pytest.mark.parametrize("shape", ["pocock", "obrien-fleming"])
def test_one_look_is_the_fixed_test(shape: Any, side: Any) -> None:
    fixed = norm.isf(0.025 if side == "two" else 0.05)
    assert boundary(shape, 1, 0.05, side) == pytest.approx([fixed], abs=1e-6)
    assert spending_boundary(shape, 1, 0.05, side) == pytest.approx([fixed], abs=1e-6)
    assert inflation(shape, 1, 0.05, 0.8, "greater") == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("side", ["two", "greater", "less"])
@pytest.mark.parametrize("drift", [0.0, 2.0])
def test_crossings_are_those_of_simulated_paths(side: Any, drift: float) -> None:
    """The slow twin: a Brownian motion drawn at uneven looks."""
    times = np.array([0.15, 0.4, 0.8, 1.0])
    bounds = boundary("pocock", times.tolist(), 0.05, side)
    gaps = np.diff(times, prepend=0.0)
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.normal(drift * gaps, np.sqrt(gaps), (200_000, 4)), axis=1) / np.sqrt(times)
    beyond = {"two": np.abs(path), "greater": path, "less": -path}[side] > bounds
    first = beyond & (np.cumsum(beyond, axis=1) == 1)
    found = crossing_probability(times.tolist(), bounds, drift, side)
    assert found == pytest.approx(first.mean(axis=0), abs=4e-3)
    if drift == 0:
        assert found.sum() == pytest.approx(0.05, abs=1e-6)


def test_two_looks_are_the_bivariate_normal() -> None:
    from scipy.stats import multivariate_normal

    bounds = np.array([2.2, 1.9])
    spread: Any = [[1, 0.5**0.5], [0.5**0.5, 1]]
    inside = multivariate_normal([0, 0], spread).cdf(bounds, lower_limit=-bounds)
    assert crossing_probability(2, bounds).sum() == pytest.approx(1 - inside, abs=1e-6)


@pytest.mark.parametrize("shape", ["pocock", "obrien-fleming"])
@pytest.mark.parametrize("looks", [4, (0.2, 0.3, 0.75)])
@pytest.mark.parametrize("side", ["two", "greater"])
def test_p_is_alpha_on_the_bound(shape: Any, looks: int | tuple[float, ...], side: Any) -> None:
    number, bound = look_boundary(shape, 0.75, looks, 0.03, side)
    assert number == 3
    assert repeated_p(shape, bound, number, looks, side) == pytest.approx(0.03, rel=1e-4)
    assert repeated_p(shape, 0.0, number, looks, side) == 1.0
    assert repeated_p(shape, 50.0, number, looks, side) < 1e-9


def test_a_plan_with_many_looks_is_bounded_by_bonferroni() -> None:
    bound = boundary("pocock", 60)[0]
    assert norm.isf(0.025) < bound < norm.isf(0.025 / 60)
    assert crossing_probability(60, np.full(60, bound)).sum() == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("times", [0, 1001, [], [0.0, 1.0], [0.5, 0.5], [0.6, 0.4], [0.5, 1.2], [float("nan")]])
def test_impossible_looks_are_refused(times: int | list[float]) -> None:
    with pytest.raises(ConfigError, match="look"):
        boundary("pocock", times)


def test_unknown_shape_side_and_alpha_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'pocock'"):
        boundary("pocok", 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="unknown side 'up'"):
        boundary("pocock", 3, 0.05, "up")  # pyright: ignore[reportArgumentType]
    for alpha in (0.0, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="alpha is"):
            boundary("pocock", 3, alpha)
    with pytest.raises(ConfigError, match=r"below 0\.5"):
        spending_boundary("pocock", 3, 0.6, "less")
