"""Own events worth half after a half-life."""

import numpy as np
import pytest
from tests.contracts.worlds import DAY, world
from tests.retrieval.asking import HISTORIES, asks, filled

from encorec.errors import ConfigError
from encorec.retrieval.repeats import Repeats, RepeatsConfig

WORLD = world()


def fitted(half_life_days: float) -> Repeats:
    return Repeats(RepeatsConfig(half_life_days=half_life_days)).fit(WORLD, rng=np.random.default_rng(0))


def test_scores_are_faded_sums_and_popularity_for_the_rest() -> None:
    days = [[(item, time * DAY, weight) for item, time, weight in events] for events in HISTORIES]
    scores = fitted(3).scores(asks(WORLD, days, now=10 * DAY))
    for row, events in enumerate(HISTORIES):
        own = np.zeros(WORLD.interactions.items)
        for item, day, weight in events:
            own[item] += weight * 0.5 ** ((10 - day) / 3)
        assert scores[row] == pytest.approx(filled(own, WORLD), abs=1e-6)


def test_half_a_half_life_worked_by_hand() -> None:
    """Asked on day 8 with a half-life of 4 days: an event of day 8 counts 1, of day 4 a half, of day 0 a quarter."""
    queries = asks(WORLD, [[(5, 0, 1.0), (6, 4 * DAY, 1.0), (6, 8 * DAY, 1.0)]], now=8 * DAY)
    assert fitted(4).scores(queries)[0, [5, 6]].tolist() == [0.25, 1.5]


def test_an_event_later_than_now_counts_as_one_of_now() -> None:
    assert fitted(4).scores(asks(WORLD, [[(5, 9 * DAY, 1.0)]], now=8 * DAY))[0, 5] == 1


@pytest.mark.parametrize("days", [0, -1, 1e6])
def test_settings_out_of_bounds_are_refused(days: float) -> None:
    with pytest.raises(ConfigError, match=r"RepeatsConfig\.half_life_days is"):
        RepeatsConfig(half_life_days=days)


def test_only_the_newest_events_are_used() -> None:
    model = Repeats(RepeatsConfig(half_life_days=4, last=2)).fit(WORLD, rng=np.random.default_rng(0))
    scores = model.scores(asks(WORLD, [[(5, 0, 1.0), (6, 4 * DAY, 1.0), (7, 8 * DAY, 1.0)]], now=8 * DAY))[0]
    assert scores[[6, 7]].tolist() == [0.5, 1]
    assert scores[5] < 0


def test_an_item_is_its_own_reason() -> None:
    queries = asks(WORLD, [[(5, 0, 1.0), (6, 4 * DAY, 1.0), (6, 8 * DAY, 1.0)]] * 3, now=8 * DAY)
    reasons = fitted(4).explain(queries, np.array([6, 5, 7]))
    assert reasons.indptr.tolist() == [0, 1, 2, 2]
    assert (reasons.item.tolist(), reasons.share.tolist()) == ([6, 5], [1.5, 0.25])


def test_a_second_fit_forgets_the_first() -> None:
    model = fitted(4)
    model.scores(asks(WORLD, HISTORIES))
    other = world(seed=1)
    again, fresh = model.fit(other, rng=np.random.default_rng(0)), Repeats(RepeatsConfig(half_life_days=4))
    fresh.fit(other, rng=np.random.default_rng(0))
    queries = asks(other, HISTORIES)
    assert again.scores(queries).tolist() == fresh.scores(queries).tolist()
