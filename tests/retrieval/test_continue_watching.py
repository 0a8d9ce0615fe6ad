"""What is begun and not finished comes first, then series, then popularity."""

from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import DAY, world
from tests.retrieval.asking import Events, asks, filled

from encorec.errors import ConfigError
from encorec.retrieval.continue_watching import ContinueWatching, ContinueWatchingConfig

WORLD = world()
BARE = ContinueWatchingConfig(half_life_days=4)


def fitted(config: ContinueWatchingConfig = BARE) -> ContinueWatching:
    return ContinueWatching(config).fit(WORLD, rng=np.random.default_rng(0))


def scores(events: Events, **settings: Any) -> Any:
    return fitted(ContinueWatchingConfig(half_life_days=4, **settings)).scores(asks(WORLD, [events], now=8 * DAY))[0]


def test_unfinished_items_worked_by_hand() -> None:
    """Item 3 left at a half four days ago, item 7 at a tenth now; 5 is finished, 6 was given up."""
    found = scores([(5, 0, 0.95), (6, DAY, 0.01), (3, 4 * DAY, 0.5), (7, 8 * DAY, 0.1)])
    assert found[[3, 7]].tolist() == [1.5, 2.0]
    own = np.zeros(WORLD.interactions.items)
    own[[3, 7]] = 1.5, 2.0
    assert found == pytest.approx(filled(own, WORLD))


def test_progress_is_that_of_the_newest_event_or_the_sum() -> None:
    """Item 3: half, then half again. Where each tells how far, it is unfinished; where each is a sitting, finished."""
    events = [(3, 0, 0.5), (3, 8 * DAY, 0.5)]
    assert scores(events)[3] == 2
    assert scores(events, progress="summed")[3] < 0
    assert scores([(3, 0, 0.5), (3, 8 * DAY, 1.0)])[3] < 0
    assert scores([(3, 0, 1.0), (3, 8 * DAY, 0.5)])[3] == 2, "begun once more"


def test_series_follow_the_unfinished() -> None:
    """Item 4, three finished parts, the newest four days old; item 9, two parts, is none."""
    parts = [(4, 0, 1.0), (9, 0, 1.0), (4, DAY, 1.0), (9, DAY, 1.0), (4, 4 * DAY, 1.0)]
    found = scores([*parts, (3, 4 * DAY, 0.5)])
    assert (found[3], found[4]) == (1.5, 0.5)
    assert found[9] < 0
    assert scores(parts, series_from=2)[9] == pytest.approx(0.5 ** (7 / 4))
    assert scores(parts, series_from=None)[4] < 0


def test_both_bounds_of_progress() -> None:
    settings = {"begun_from": 0.25, "unfinished_below": 0.75}
    found = [scores([(3, 8 * DAY, share)], **settings)[3] for share in (0.2, 0.25, 0.5, 0.75)]
    assert [one > 0 for one in found] == [False, True, True, False]


def test_only_the_newest_events_are_used_and_histories_do_not_mix() -> None:
    model = fitted(ContinueWatchingConfig(half_life_days=4, last=1))
    asked = asks(WORLD, [[(3, 0, 0.5), (7, 8 * DAY, 0.5)], [], [(3, 8 * DAY, 0.5)]], now=8 * DAY)
    found = model.scores(asked)
    assert [(found[row] > 0).nonzero()[0].tolist() for row in range(3)] == [[7], [], [3]]


def test_an_item_is_its_own_reason() -> None:
    reasons = fitted().explain(asks(WORLD, [[(3, 8 * DAY, 0.5)]] * 2, now=8 * DAY), np.array([3, 4]))
    assert (reasons.indptr.tolist(), reasons.item.tolist(), reasons.share.tolist()) == ([0, 1, 1], [3], [2.0])


def test_unfinished_items_are_proposed_first() -> None:
    asked = asks(WORLD, [[(3, 4 * DAY, 0.5), (7, 8 * DAY, 0.1), (0, 8 * DAY, 1.0)]], now=8 * DAY)
    assert fitted().retrieve(asked, 4).item[:2].tolist() == [7, 3]


@pytest.mark.parametrize(
    "setting", [{"unfinished_below": -1}, {"begun_from": -1}, {"series_from": 1}, {"half_life_days": 0}, {"last": 0}]
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ContinueWatchingConfig\.{next(iter(setting))} is"):
        ContinueWatchingConfig(**setting)
