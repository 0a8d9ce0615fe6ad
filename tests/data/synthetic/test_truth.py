"""The truth against a slow twin written from its description, and its laws."""

import math

import numpy as np
import pytest

from encorec.data.synthetic.genres import AXES
from encorec.data.synthetic.rhythm import WINDOW_START
from encorec.data.synthetic.stream import mixed
from encorec.data.synthetic.world import World
from encorec.errors import QueryError

LATE = WINDOW_START + 158 * 86_400 + 20 * 3600
CONTEXT = [
    [[-0.1, 0.1], [0.0, 0.2], [0.1, 0.3], [0.0, 0.1]],
    [[0.5, 0.7], [0.3, 0.5], [0.1, 0.2], [-0.9, -0.8]],
    [[-0.7, -0.6], [-0.4, -0.3], [0.1, 0.2], [0.6, 0.7]],
    [[0.0, -0.1], [0.1, -0.1], [0.3, 0.1], [0.1, 0.0]],
    [[0.2, 0.1], [0.1, 0.1], [0.0, 0.0], [0.0, 0.0]],
]


def mood_axis(world: World, user: int, day: int) -> int:
    shift = (mixed(user) % 2**64) >> 40
    span = (day + shift % 9) // 9
    return int(world.crowd.favourite[user, ((mixed(user * 977 + span) % 2**64) >> 33) % 3])


def twin(world: World, user: int, item: int, time: int) -> float:
    """Preference worked out step by step."""
    second = time - WINDOW_START
    day, hour = second // 86_400, second % 86_400 // 3600
    if world.films.release[item] > day:
        return 0.0
    taste, favourite = world.films.taste[item].astype(float), world.crowd.favourite[user]
    x = -3.35 + float(world.crowd.vector[user].astype(float) @ taste) + float(world.films.quality[item])
    x += float(world.crowd.drift[user]) * min(day, 163) / 163 * (taste[favourite[3]] - taste[favourite[0]])
    x += 1.5 * taste[mood_axis(world, user, day)]
    part = 0 if 6 <= hour < 12 else 1 if 12 <= hour < 17 else 2 if 17 <= hour < 22 else 3
    x += CONTEXT[world.films.kind[item]][part][int(day % 7 < 2)]
    rows = [row for row in range(world.indptr[user], world.indptr[user + 1]) if world.views.second[row] < second]
    past = {int(world.views.item[row]): row for row in rows}
    x -= 3 if item in past else 0
    before = int(world.films.previous[item])
    if before >= 0:
        if before not in past:
            x -= 0.9
        elif world.views.percent[past[before]] < 80:
            x -= 0.4
        else:
            x += 2.3 if day - world.views.second[past[before]] // 86_400 <= 14 else 1.0
    return float(world.readiness[user]) * (0.5 + 0.5 * x / math.sqrt(1 + x * x))


def test_preference_is_that_of_the_twin(town: World) -> None:
    rng = np.random.default_rng(4)
    users = rng.integers(0, len(town.people.id), 60)
    items = rng.integers(0, 400, (60, 12))
    items[:30, :3] = town.views.item[town.indptr[users[:30]].clip(max=len(town.views.item) - 1)][:, None]
    parts = np.flatnonzero(town.films.previous >= 0)
    items[:, 3:8] = parts[rng.integers(0, len(parts), (60, 5))]
    times = WINDOW_START + rng.integers(0, 170 * 86_400, 60)
    wanted = [
        [twin(town, int(user), int(item), int(time)) for item in row]
        for user, row, time in zip(users, items, times, strict=True)
    ]
    np.testing.assert_allclose(town.true_preference(users, items, times), wanted, rtol=1e-5)


def test_every_fate_of_an_earlier_part_counts(town: World) -> None:
    """Given up, finished long ago, finished lately: each viewer of a first part, asked before and after."""
    heads = np.flatnonzero((town.films.following >= 0) & (town.films.release == 0))
    rows = np.flatnonzero(np.isin(town.views.item, heads))[:200]
    users, parts = town.view_user[rows], town.films.following[town.views.item[rows]]
    for days in (0, 3, 30):
        times = WINDOW_START + town.views.second[rows].astype(np.int64) + days * 86_400 + (days > 0)
        found = town.true_preference(users, parts, times)
        wanted = [
            twin(town, int(user), int(part), int(time)) for user, part, time in zip(users, parts, times, strict=True)
        ]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_one_item_each_and_many_are_the_same_question(town: World) -> None:
    users, items = np.array([3, 9, 9]), np.array([5, 6, 7])
    each = town.true_preference(users, items, LATE)
    assert each.shape == (3,)
    np.testing.assert_array_equal(each, np.diag(town.true_preference(users, np.tile(items, (3, 1)), LATE)))


def test_favourites_are_liked_more_and_seen_items_less(region: World) -> None:
    users = np.flatnonzero(region.people.amount > 3)[:400]
    family = np.flatnonzero(region.films.taste[:, AXES.index("family")] > 0.6)[:40]
    liked = region.true_preference(users, np.tile(family, (len(users), 1)), LATE).mean(axis=1)
    fans = (region.crowd.favourite[users, :3] == AXES.index("family")).any(axis=1)
    assert liked[fans].mean() > 2 * liked[~fans].mean()
    rows = region.indptr[users]
    seen = region.views.item[rows]
    before = WINDOW_START + region.views.second[rows].astype(np.int64)
    same_hour = before + 7 * 86_400 * (1 + (LATE - before) // (7 * 86_400))
    then, now = region.true_preference(users, seen, before), region.true_preference(users, seen, same_hour)
    assert np.median(now / then) < 0.5


def test_popularity_does_not_enter(region: World) -> None:
    """What nobody was ever shown is liked like anything else of its quality."""
    users = np.arange(300)
    never = np.flatnonzero(region.films.rank >= region.films.watched)
    rare = np.flatnonzero((region.films.rank >= 9000) & (region.films.rank < region.films.watched))[:600]
    unseen = region.true_preference(users, np.tile(never, (300, 1)), LATE + 86_400 * 30).mean()
    assert unseen == pytest.approx(
        region.true_preference(users, np.tile(rare, (300, 1)), LATE + 86_400 * 30).mean(), rel=0.15
    )


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([-1], [0], "user rows run from -1 to -1, allowed is 0 to"),
        ([10**6], [0], "user rows run from"),
        ([0], [400], "item rows run from 400 to 400, allowed is -1 to 399"),
        ([0], [-2], "item rows run from -2"),
        ([0, 1], [0], r"must be \(n,\), \(n, k\) and \(n,\)"),
        ([0.5], [0], "user rows are float64, allowed are integers"),
    ],
)
def test_wrong_questions_are_refused(town: World, users: list[int], items: list[int], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        town.true_preference(np.array(users), np.array(items), LATE)


def test_no_question_has_no_answer(town: World) -> None:
    assert town.true_preference(np.empty(0, int), np.empty((0, 5), int), LATE).shape == (0, 5)


def test_the_past_was_made_by_the_truth(region: World) -> None:
    """Every view was taken with the probability that the truth gives for its user, item and second."""
    times = WINDOW_START + region.views.second.astype(np.int64)
    found = region.true_preference(region.view_user, region.views.item, times) / region.readiness[region.view_user]
    alone = np.diff(region.view_user.astype(np.int64) * 10**9 + region.views.second, prepend=-1) > 0
    np.testing.assert_allclose(found[alone], region.views.chance[alone], rtol=1e-6)


def test_the_evening_is_busy_and_children_watch_by_day(region: World) -> None:
    hour = region.views.second % 86_400 // 3600
    assert (hour == 20).mean() > 5 * (hour == 4).mean()
    children = region.films.kind[region.views.item] == 1
    assert np.median(hour[children]) < np.median(hour[~children])
