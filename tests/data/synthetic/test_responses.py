"""What people do with slates: draws agree with the exact expectations, and these with sums over all outcomes."""

from itertools import product

import numpy as np
import pytest

from encorec.data.synthetic.responses import Shown, draw_responses, examination, expect
from encorec.data.synthetic.rhythm import WINDOW_START
from encorec.data.synthetic.world import World
from encorec.errors import QueryError

TENTHS = np.cumsum([1750, 610, 300, 230, 165, 180, 155, 150, 160, 1770]) / 5470


def shown_to(world: World, n: int, k: int, seed: int = 1) -> Shown:
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, len(world.people.id), n), rng.integers(0, len(world.films.id), (n, k))
    return Shown(user, item, WINDOW_START + rng.integers(150 * 86_400, 160 * 86_400, n))


def test_draws_have_the_expected_means(town: World) -> None:
    shown = shown_to(town, 60_000, 6)
    drawn, mean = town.respond(shown, np.random.default_rng(2)), town.expected(shown)
    pairs = [
        (drawn.examined, mean.examined),
        (drawn.clicked, mean.clicks),
        (drawn.percent, mean.percent),
        (drawn.minutes, mean.minutes),
    ]
    for found, wanted in pairs:
        deviation = found.mean(axis=0, dtype=np.float64) - wanted.mean(axis=0)
        assert np.all(np.abs(deviation) <= 4.5 * found.std(axis=0, dtype=np.float64) / np.sqrt(60_000))
    deviation = drawn.returned.mean() - mean.returns.mean()
    assert abs(deviation) < 4.5 * 0.5 / np.sqrt(60_000)


def test_expectations_hold_for_every_likeness() -> None:
    """Not only on average over users: one slate, drawn many times."""
    n = 40_000
    likeness = np.tile([[0.0, 0.25, 0.5, 63 / 64]], (n, 1))
    preference, seconds = (
        np.tile([[0.9, 0.4, 0.7, 0.2]], (n, 1)),
        np.tile([[600.0, 3600.0, 10_800.0, 90_000.0]], (n, 1)),
    )
    shown, activity = Shown(np.zeros(n, int), np.tile([[4, 5, 6, 7]], (n, 1)), np.zeros(n, int)), np.full(n, 0.3)
    mean = expect(shown, preference, likeness, seconds, activity, TENTHS)
    drawn = draw_responses(shown, preference, likeness, seconds, activity, TENTHS, np.random.default_rng(3))
    for found, wanted in ((drawn.clicked, mean.clicks), (drawn.percent, mean.percent), (drawn.minutes, mean.minutes)):
        spread = found.std(axis=0, dtype=np.float64) / np.sqrt(n)
        assert np.all(np.abs(found.mean(axis=0, dtype=np.float64) - wanted[0]) < 4.5 * spread)
    assert abs(drawn.returned.mean() - mean.returns[0]) < 4.5 * 0.5 / np.sqrt(n)


def test_the_chance_to_return_is_a_sum_over_all_that_may_happen() -> None:
    preference, likeness = np.array([[0.5, 0.2]]), np.array([[0.5, 0.5]])
    shown = Shown(np.zeros(1, int), np.array([[1, 2]]), np.zeros(1, int))
    even = np.arange(1, 11) / 10
    found = expect(shown, preference, likeness, np.full((1, 2), 60.0), np.array([0.5]), even).returns[0]
    finish = 1 - (2 - np.sqrt(0.4) - 0.5)
    habit, wanted = 0.12 + 0.62 * 0.5, 0.0
    for fates in product(("none", "click", "finish"), repeat=2):
        chance = 1.0
        for fate, click in zip(fates, (0.5, 0.2 / 1.2), strict=True):
            chance *= {"none": 1 - click, "click": click * (1 - finish), "finish": click * finish}[fate]
        gain = 0.10 * any(fate != "none" for fate in fates) + 0.22 * ("finish" in fates)
        wanted += chance * (habit + (1 - habit) * gain)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_positions_fade_and_empty_places_are_nothing(town: World) -> None:
    assert examination(4) == pytest.approx([1, 1 / 1.2, 1 / 1.4, 1 / 1.6])
    shown = shown_to(town, 50, 4)
    shown.item[:, 2] = -1
    mean, drawn = town.expected(shown), town.respond(shown, np.random.default_rng(0))
    assert np.all(mean.clicks[:, 2] == 0)
    assert not drawn.examined[:, 2].any()
    assert not drawn.minutes[~drawn.clicked].any()
    assert not drawn.clicked[~drawn.examined].any()


def test_better_slates_bring_more_of_everything_and_the_active_respond_more(region: World) -> None:
    shown = shown_to(region, 500, 60)
    order = np.argsort(-region.true_preference(shown.user, shown.item, shown.time), axis=1)
    best = Shown(shown.user, np.take_along_axis(shown.item, order, axis=1), shown.time)
    worst = Shown(shown.user, best.item[:, ::-1], shown.time)
    good, bad = (region.expected(Shown(one.user, one.item[:, :10], one.time)) for one in (best, worst))
    assert good.clicks.mean() > 3 * bad.clicks.mean()
    assert good.minutes.mean() > 3 * bad.minutes.mean()
    assert good.returns.mean() > bad.returns.mean() + 0.03
    amount = region.people.amount[shown.user]
    assert np.corrcoef(np.log1p(amount), good.returns)[0, 1] > 0.3


def test_equal_generators_give_equal_responses(town: World) -> None:
    shown = shown_to(town, 40, 5)
    one, two = (town.respond(shown, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.percent, two.percent)
    np.testing.assert_array_equal(one.returned, two.returned)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(QueryError, match=r"got \(\(2,\), \(3, 4\), \(2,\)\)"):
        Shown(np.zeros(2, int), np.zeros((3, 4), int), np.zeros(2, int))
