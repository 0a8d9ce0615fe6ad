"""The front page: proportional fitting and drawing by alias, against obvious twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.synthetic.exposure import alias_tables, daily_views, wanted_views
from encorec.data.synthetic.figures import ITEMS_WATCHED, ROWS
from encorec.data.synthetic.films import draw_films
from encorec.data.synthetic.settings import WorldConfig


def fitted(interest: np.ndarray, views: np.ndarray, days: np.ndarray, rounds: int) -> np.ndarray:
    table = interest.copy()
    for _ in range(rounds):
        table = table * (days / table.sum(axis=0))
        table = table * (views / table.sum(axis=1))[:, None]
    return table


def test_daily_views_are_fitted_to_both_totals_as_the_twin_does() -> None:
    rng = np.random.default_rng(3)
    interest, views = rng.random((6, 9)) + 0.2, rng.random(6) * 20 + 1
    days = rng.random(9) + 0.5
    days *= views.sum() / days.sum()
    out = np.empty_like(interest)
    daily_views(interest, views, days, 30, 0.0, out)
    np.testing.assert_allclose(out, fitted(interest, views, days, 30), rtol=1e-9)
    np.testing.assert_allclose(out.sum(axis=0), days, rtol=1e-3)


def test_nothing_is_shown_before_its_release_and_feedback_carries_fame_on() -> None:
    interest = np.ones((60, 12))
    interest[0, :5], interest[1, 4:7] = 0, 5
    views, days = np.full(60, 12.0), np.full(12, 60.0)
    plain, fed = np.empty_like(interest), np.empty_like(interest)
    daily_views(interest, views, days, 20, 0.0, plain)
    daily_views(interest, views, days, 20, 0.5, fed)
    for out in (plain, fed):
        assert np.all(out[0, :5] == 0)
        np.testing.assert_allclose(out.sum(axis=1), views)
    assert fed[1, 7] / fed[1, 3] > 1.3 * plain[1, 7] / plain[1, 3]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_alias_tables_hold_the_distribution(weights: list[int]) -> None:
    views = np.array(weights, float)[:, None]
    keep, other = np.empty((1, len(weights))), np.empty((1, len(weights)), np.int32)
    alias_tables(views, np.ones(len(weights)), keep, other)
    share = keep[0] / len(weights)
    np.add.at(share, other[0], (1 - keep[0]) / len(weights))
    np.testing.assert_allclose(share, views[:, 0] / views.sum(), atol=1e-12)


@pytest.mark.parametrize("users", [24_000, 962_179, 3_000_000])
def test_wanted_views_keep_their_shape_at_any_size(users: int) -> None:
    config = WorldConfig(users=users)
    later, first = wanted_views(config, draw_films(config))
    assert later.sum() + first.sum() == pytest.approx(config.rows, rel=1e-3)
    total = np.sort(later + first)[::-1]
    assert total[0] / config.rows == pytest.approx(0.037, abs=0.001)
    assert total[:1000].sum() / config.rows == pytest.approx(0.769, abs=0.005)
    assert (first > 0).sum() == ITEMS_WATCHED
    assert first.max() == pytest.approx(min(config.rows / ROWS, 1), rel=1e-3)
