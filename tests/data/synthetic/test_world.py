"""A whole world: the same on every machine, in KION's proportions, with an order to be learnt."""

import hashlib

import numpy as np
import pytest

from encorec.data.synthetic.making import live
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.world import World
from encorec.errors import ConfigError

PINNED = "49c09e9b6210f6413400f2973bf3cb3bd64e5a8f0464a5174df8ad68f566c1a1"


def digest(world: World) -> str:
    """SHA-256 over everything that a data set is made of."""
    found = hashlib.sha256()
    people, films = world.people, world.films
    for column in (people.id, people.age, people.sex, people.income, people.kids, people.described, people.amount):
        found.update(np.ascontiguousarray(column, "<i8").tobytes())
    for column in (films.id, films.genre, films.year, films.rating, films.director, films.release, films.part):
        found.update(np.ascontiguousarray(column, "<i8").tobytes())
    for column in (world.views.item, world.views.second, world.views.percent, world.views.duration):
        found.update(np.ascontiguousarray(column, "<i4").tobytes())
    return found.hexdigest()


def test_a_seed_gives_the_same_bytes_on_any_machine(town: World) -> None:
    assert digest(town) == PINNED


def test_equal_configs_give_equal_worlds_and_other_seeds_others() -> None:
    one, two, other = (World.of(WorldConfig(users=300, items=150, seed=seed)) for seed in (5, 5, 6))
    assert digest(one) == digest(two) != digest(other)


@pytest.mark.parametrize("users_per_block", [1, 37, 10**6])
def test_blocks_and_threads_change_nothing(town: World, users_per_block: int) -> None:
    again = live(town.config, town.crowd, town.shelf, town.stage, users_per_block)
    for column, wanted in zip(again, town.views, strict=True):
        np.testing.assert_array_equal(column, wanted)


@pytest.mark.parametrize("name", ["town", "region"])
def test_views_are_in_order_and_no_pair_comes_twice(name: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    views, user = world.views, world.view_user.astype(np.int64)
    assert len(np.unique(user * 20_000 + views.item)) == len(user)
    later = np.diff(user * 10**9 + views.second)
    assert np.all(later >= 0)
    assert views.second.min() >= 0
    assert views.second.max() < 163 * 86_400
    np.testing.assert_array_equal(views.second[world.indptr[:-1]][world.people.amount > 0] // 86_400,
                                  world.people.arrival[world.people.amount > 0])  # fmt: skip
    assert np.all(views.second // 86_400 >= world.films.release[views.item])
    assert np.all(world.films.rank[views.item] < world.films.watched)
    assert np.all((views.percent >= 0) & (views.percent <= 100))
    assert np.all(views.duration > 0)


def test_popularity_is_that_of_kion(region: World) -> None:
    views = np.sort(np.bincount(region.views.item, minlength=15_963))[::-1]
    total = views.sum()
    assert total == pytest.approx(region.config.rows, rel=0.03)
    for n, share in ((1, 0.037), (10, 0.187), (100, 0.399), (157, 0.456), (500, 0.641), (1000, 0.769), (1571, 0.850)):
        assert views[:n].sum() / total == pytest.approx(share, rel=0.06), n


def test_activity_is_that_of_kion(region: World) -> None:
    amount = region.people.amount[region.people.amount > 0]
    assert len(amount) == 24_000
    assert amount.mean() == pytest.approx(5.69, rel=0.04)
    assert np.median(amount) == 2
    assert (amount == 1).mean() == pytest.approx(0.36, abs=0.015)


def test_watching_is_that_of_kion(region: World) -> None:
    views = region.views
    tenths = np.bincount(np.minimum(views.percent // 10, 9), minlength=10) / len(views.percent)
    np.testing.assert_allclose(
        tenths, np.array([1750, 610, 300, 230, 165, 180, 155, 150, 160, 1770]) / 5470, atol=0.012
    )
    assert views.duration.mean() == pytest.approx(8_295, rel=0.25)
    assert 1_000 < np.median(views.duration) < 3_500


def test_days_are_those_of_kion(region: World) -> None:
    day, scale = region.views.second // 86_400, len(region.views.item) / 5_476_251
    for start, rows in ((141, 4_203_885), (148, 4_587_708), (155, 4_985_269)):
        assert (day < start).sum() == pytest.approx(rows * scale, rel=0.03)
        new = region.people.arrival >= start
        week = (day >= start) & (day < start + 7) & new[region.view_user]
        assert week.sum() == pytest.approx(113_000 * scale, rel=0.25)
        assert (new & (region.people.arrival < start + 7)).sum() == pytest.approx(54_700 * 24_000 / 962_179, rel=0.08)
    fresh = np.full(15_963, 163)
    np.minimum.at(fresh, region.views.item, day)
    assert np.bincount(fresh, minlength=164)[141:163].mean() < 60


def test_segments_are_those_of_kion(region: World) -> None:
    people = region.people
    assert people.described.mean() == pytest.approx(840_197 / 1_058_088, abs=0.002)
    assert np.bincount(people.sex).tolist()[0] / len(people.sex) == pytest.approx(425_270 / 826_366, abs=0.015)
    assert (people.age == 1).mean() == pytest.approx(233_926 / 826_102, abs=0.015)
    assert people.kids.mean() == pytest.approx(252_988 / 840_197, abs=0.015)
    assert people.unknown["age"].mean() == pytest.approx(14_095 / 840_197, abs=0.004)


def test_the_catalogue_is_that_of_kion(region: World) -> None:
    films = region.films
    assert len(films.id) == 15_963
    assert films.watched == 15_706
    assert films.series.mean() == pytest.approx(3_961 / 15_963, abs=0.012)
    assert ((films.year >= 2010) & (films.year < 2020)).mean() == pytest.approx(8_788 / 15_963, abs=0.02)
    assert (films.rating == 16).mean() == pytest.approx(5_729 / 15_963, abs=0.01)
    assert len({tuple(row) for row in films.genre.tolist()}) > 2_000


@pytest.mark.parametrize("users", [500, 2000, 8000])
def test_rows_grow_with_users(users: int) -> None:
    world = World.of(WorldConfig(users=users, items=400))
    assert len(world.views.item) == pytest.approx(users * 5.69, rel=0.15)
    assert (world.people.amount > 0).sum() == users


def test_a_finished_part_brings_the_next_one_soon(region: World) -> None:
    """Parts of a chain are watched in their order, and soon after each other; chance would give half and rarely."""
    films, user = region.films, region.view_user.astype(np.int64)
    row_of = {pair: row for row, pair in enumerate((user * 20_000 + region.views.item).tolist())}
    gaps, after = [], {True: [0, 0], False: [0, 0]}
    for row in np.flatnonzero(films.following[region.views.item] >= 0).tolist():
        following = int(films.following[region.views.item[row]])
        other = row_of.get(int(user[row]) * 20_000 + following)
        if films.release[following] == 0:
            finished = bool(region.views.percent[row] >= 80)
            after[finished][1] += 1
            after[finished][0] += other is not None and other > row
        if other is not None:
            gaps.append(int(region.views.second[other]) - int(region.views.second[row]))
    assert np.mean(np.array(gaps) > 0) > 0.75
    assert np.median([gap for gap in gaps if gap > 0]) < 14 * 86_400
    taken = {finished: hits / total for finished, (hits, total) in after.items()}
    assert taken[True] > 3 * taken[False]


def test_tastes_and_people_can_be_told_from_what_is_watched(region: World) -> None:
    """Parents watch more for children, and the taste of one half of a history is that of the other."""
    axis = region.films.taste[region.views.item][:, :12].argmax(axis=1)
    parents = region.people.kids[region.view_user] == 1
    assert (axis[parents] == 5).mean() > 1.3 * (axis[~parents] == 5).mean()
    users = np.flatnonzero(region.people.amount >= 8)
    same, chance = [], np.square(np.bincount(axis) / len(axis)).sum()
    for user in users[:2000].tolist():
        mine = axis[region.indptr[user] : region.indptr[user + 1]]
        same.append((mine[::2][: len(mine) // 2] == mine[1::2]).mean())
    assert np.mean(same) > 1.5 * chance


def test_the_smallest_worlds_work() -> None:
    world = World.of(WorldConfig(users=50, items=120, seed=0))
    assert (world.people.amount > 0).sum() == 50
    few = World.of(WorldConfig(users=60, items=50, interactions=60, seed=2**63 - 1))
    assert len(few.views.item) == 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"users": 0}, "WorldConfig.users is 0, allowed is 50 to"),
        ({"users": -5}, "WorldConfig.users is -5"),
        ({"items": 1}, "WorldConfig.items is 1, allowed is 50 to"),
        ({"seed": -1}, "WorldConfig.seed is -1, allowed is 0 to"),
        ({"seed": 2**64}, "WorldConfig.seed is"),
        ({"users": 1000, "interactions": 10}, "WorldConfig.interactions is 10, allowed is 1,000 to"),
        (
            {"users": 100, "items": 50},
            "WorldConfig.interactions is 569, allowed is 100 to 200 for 100 users and 50 items",
        ),
        ({"users": 100, "interactions": 10**9}, "WorldConfig.interactions is 1,000,000,000"),
    ],
)
def test_impossible_worlds_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WorldConfig(**options)
