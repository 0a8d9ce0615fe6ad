"""What people do with slates: draws agree with the exact expectations, and these with sums over all outcomes."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from encorec.data.synthetic.responses import ReadingConfig, Shown, draw_responses, examination, expect
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


def told(preference: np.ndarray, least: np.ndarray, enough: int) -> tuple[np.ndarray, float]:
    """Chances to look at each place and to be pleased and delighted, by walking through every depth and every fate.

    ``least``: (places, 11) chance of each tenth or more, after a click.
    """
    k, read = len(preference), [1 / (1 + 0.2 * place) for place in range(len(preference))] + [0.0]
    looked, gain = np.zeros(k), 0.0
    for depth, fates in product(range(1, k + 1), product(range(-1, 10), repeat=k)):
        chance, seen = read[depth - 1] - read[depth], list[int]()
        for place, tenth in enumerate(fates):
            click = preference[place]
            chance *= 1 - click if tenth < 0 else click * (least[place, tenth] - least[place, tenth + 1])
            if place < depth and not any(one >= enough for one in seen if one >= 0):
                seen.append(tenth)
        looked[: len(seen)] += chance
        gain += chance * (0.10 * (max(seen) >= 0) + 0.22 * (max(seen) >= 8))
    return looked, gain


@pytest.mark.parametrize("enough", [0, 1, 5, 8, 9, 10])
def test_expectations_are_sums_over_all_that_may_happen(enough: int) -> None:
    preference, likeness = np.array([[0.5, 0.2, 0.7]]), np.array([[0.5, 0.25, 0.0]])
    shown = Shown(np.zeros(1, int), np.array([[1, 2, 3]]), np.zeros(1, int))
    found = expect(
        shown, preference, likeness, np.full((1, 3), 60.0), np.array([0.5]), TENTHS, ReadingConfig(enough=enough)
    )
    ends = [np.sqrt(2 * end) if end < 0.5 else 2 - np.sqrt(2 * (1 - min(end, 1))) for end in (0.0, *TENTHS)]
    least = np.array([[1.0, *(1 - np.clip(end - one, 0, 1) for end in ends[1:10]), 0.0] for one in likeness[0]])
    looked, gain = told(preference[0], least, enough)
    habit = 0.12 + 0.62 * 0.5
    assert found.examined[0] == pytest.approx(looked, rel=1e-12)
    assert found.clicks[0] == pytest.approx(looked * preference[0], rel=1e-12)
    assert found.returns[0] == pytest.approx(habit + (1 - habit) * gain, rel=1e-12)


@pytest.mark.parametrize("enough", [0, 5, 9, 10])
def test_draws_mean_what_is_expected_whoever_reads(town: World, enough: int) -> None:
    other = replace(town, reading=ReadingConfig(enough=enough, fading=0.5))
    shown = shown_to(other, 40_000, 4)
    drawn, mean = other.respond(shown, np.random.default_rng(2)), other.expected(shown)
    for found, wanted in ((drawn.examined, mean.examined), (drawn.clicked, mean.clicks)):
        deviation = found.mean(axis=0) - wanted.mean(axis=0)
        assert np.all(np.abs(deviation) <= 4.5 * found.std(axis=0) / np.sqrt(40_000))
    assert abs(drawn.returned.mean() - mean.returns.mean()) < 4.5 * 0.5 / np.sqrt(40_000)


def test_two_places_by_hand() -> None:
    """Of even tenths, likeness 1/2 is half watched by 1/2 of those who click: 0.75 / 1.2 read the second place."""
    half = np.array([[0.5, 0.5]])
    shown = Shown(np.zeros(1, int), np.array([[1, 2]]), np.zeros(1, int))
    found = expect(shown, half, half, np.full((1, 2), 60.0), np.array([0.0]), np.arange(1, 11) / 10)
    assert found.examined[0] == pytest.approx([1, 0.75 / 1.2])
    assert found.clicks[0] == pytest.approx([0.5, 0.375 / 1.2])


def test_nobody_reads_on_after_watching_and_all_do_after_giving_up(region: World) -> None:
    shown = shown_to(region, 30_000, 8)
    drawn = region.respond(shown, np.random.default_rng(4))
    watched = drawn.clicked & (drawn.percent >= 50)
    assert watched.sum() > 1000
    assert not drawn.examined[np.cumsum(watched, axis=1) - watched > 0].any()
    assert not (drawn.examined[:, 1:] & ~drawn.examined[:, :-1]).any()
    left = drawn.clicked[:, 0] & (drawn.percent[:, 0] < 50)
    idle = ~drawn.clicked[:, 0]
    assert left.sum() > 200
    for group in (left, idle):
        share = drawn.examined[group, 1].mean()
        assert abs(share - 1 / 1.2) < 4.5 * np.sqrt(1 / 1.2 * (1 - 1 / 1.2) / group.sum())


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
