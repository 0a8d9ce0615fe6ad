"""The loop: who comes, what they see, what is remembered, and that its truth is the truth."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.experiment.simulation.loops import SPEC, always, liking, oracle, tiny_world

from encorec.data.synthetic.responses import Shown
from encorec.data.synthetic.rhythm import WINDOW_START
from encorec.errors import ConfigError, DataError
from encorec.experiment.interleaving.log import read_interleaving_log
from encorec.experiment.interleaving.report import interleaving_report
from encorec.experiment.interleaving.traffic import InterleavingRecommender, interleaving_table
from encorec.experiment.simulation.closed_loop import LoopConfig, Visits, days_until_next, play, world_end
from encorec.experiment.simulation.loop_tables import event_table, impression_table, metric_table, unit_values
from encorec.experiment.simulation.potential_outcomes import PotentialOutcomes, potential_outcomes, true_effects
from encorec.experiment.spec import ExperimentSpec, MetricSpec

CONFIG = LoopConfig(k=5)
EVERYBODY = np.zeros(550, np.int64)


def played(*, days: int = 10, seed: int = 0, arm: np.ndarray = EVERYBODY, arms: Sequence[Any] | None = None) -> Visits:
    arms = [oracle(0)] if arms is None else arms
    return play(tiny_world(), arms, arm, CONFIG, days=days, rng=np.random.default_rng(seed))


def test_equal_seeds_give_equal_loops() -> None:
    one, same, other = played(), played(), played(seed=1)
    for name in Visits.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.user, other.user)


def test_people_come_once_a_day_in_the_order_of_time() -> None:
    visits = played()
    day = (visits.time - world_end()) // 86_400
    assert (np.diff(visits.time) >= 0).all()
    assert (day.min(), day.max()) == (0, 9)
    assert len(set(zip(visits.user.tolist(), day.tolist(), strict=True))) == len(visits.user)
    hours = np.bincount((visits.time % 86_400) // 3600, minlength=24)
    assert hours[20] > hours[4]


def test_whoever_is_brought_back_comes_within_a_week() -> None:
    visits = played(days=30)
    day = (visits.time - world_end()) // 86_400
    for user in range(550):
        mine = np.flatnonzero(visits.user == user)
        gaps = np.diff(day[mine])
        back = visits.returned[mine][:-1]
        assert (gaps[back] <= 7).all()
        assert (gaps[~back] >= 8).all()


def test_the_active_come_sooner() -> None:
    user, first = np.unique(played(days=60).user, return_index=True)
    activity = tiny_world().people.activity[user]
    order = first.argsort()
    assert activity[order[: len(order) // 3]].mean() > activity[order[-len(order) // 3 :]].mean() + 0.1


def test_what_happened_is_what_was_likely() -> None:
    visits = played(days=40)
    for happened, likely in (
        (visits.clicked, visits.likely_clicks),
        (visits.minutes, visits.likely_minutes),
        (visits.returned, visits.likely_return),
    ):
        error = np.asarray(happened, float).reshape(len(visits.user), -1).sum(axis=1)
        error = error - likely.reshape(len(visits.user), -1).sum(axis=1)
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))


def test_what_was_watched_is_told_and_remembered() -> None:
    told: dict[int, list[Any]] = {}

    def stubborn(users: Sequence[int], past: Sequence[Any], now: int, k: int) -> list[list[int]]:
        """Shows everybody the same for ever."""
        for user, one in zip(users, past, strict=True):
            assert [each.timestamp for each in one] == sorted(each.timestamp for each in one)
            assert all(each.timestamp < now for each in one)
            assert list(one[: len(told.get(user, []))]) == told.get(user, [])
            told[user] = list(one)
        world = tiny_world()
        return [world.films.id[np.argsort(-liking().mean(axis=0))][:k].tolist()] * len(users)

    visits = played(days=40, arms=[stubborn])
    watched = {(user, item) for user, past in told.items() for item, _ in past}
    ids, films = tiny_world().people.id, tiny_world().films.id
    clicked: set[tuple[int, int]] = set()
    again, fresh = [], []
    for row, user in enumerate(visits.user.tolist()):
        for place in range(5):
            pair = (int(ids[user]), int(films[visits.item[row, place]]))
            shown = Shown(visits.user[row : row + 1], visits.item[row : row + 1], visits.time[row : row + 1])
            if pair in clicked:
                before = float(tiny_world().expected(shown).clicks[0, place])
                again.append(float(visits.likely_clicks[row, place]) - before)
            if visits.clicked[row, place]:
                clicked.add(pair)
            else:
                fresh.append(pair)
    assert watched <= clicked
    assert len(again) > 20
    assert np.mean(again) < -0.02  # nobody likes the same again as much


def test_the_world_before_the_loop_is_left_alone() -> None:
    before = [column.copy() for column in tiny_world().views]
    played()
    assert all(np.array_equal(old, new) for old, new in zip(before, tiny_world().views, strict=True))


def test_arms_are_served_by_their_recommenders_and_others_stay_away() -> None:
    arm = np.arange(550) % 3 - 1
    asked: list[set[int]] = [set(), set()]

    def noting(number: int) -> Any:
        def recommend(users: Sequence[int], past: Sequence[Any], now: int, k: int) -> Any:
            asked[number] |= set(users)
            return oracle(0)(users, past, now, k)

        return recommend

    visits = played(arm=arm, arms=[noting(0), noting(1)])
    ids = tiny_world().people.id
    assert set(visits.arm.tolist()) == {0, 1}
    assert (arm[visits.user] == visits.arm).all()
    for number in (0, 1):
        assert asked[number] <= set(ids[arm == number].tolist())


def test_tables_say_what_the_visits_say() -> None:
    world, visits = tiny_world(), played()
    user, columns = unit_values(visits, world, CONFIG)
    metrics, events = metric_table(visits, world, CONFIG), event_table(visits, world, CONFIG)
    shown = impression_table(visits, world, ["control"])
    for place in (0, 17, len(user) - 1):
        mine = visits.user == user[place]
        assert columns["watch_minutes"][place] == pytest.approx(visits.minutes[mine].sum())
        assert columns["clicks"][place] == visits.clicked[mine].sum()
        assert columns["impressions"][place] == 5 * mine.sum()
        assert columns["returned"][place] == visits.returned[mine][0]
    assert metrics["user_id"].to_list() == world.people.id[user].tolist()
    assert events["watch_minutes"].sum() == pytest.approx(metrics["watch_minutes"].sum())
    assert shown["click"].sum() == metrics["clicks"].sum() == events["clicks"].sum()
    assert metrics["revenue"].sum() == pytest.approx(metrics["watch_minutes"].sum() / 120)
    assert not any(name.startswith("likely_") for name in metrics.columns)
    assert set(metrics["sex"].unique()) > {"unknown"}
    recent = world.views.second >= world_end() - WINDOW_START - 28 * 86_400
    assert columns["views_before"][3] == (world.view_user[recent] == user[3]).sum()


def test_broken_recommenders_are_named() -> None:
    films = tiny_world().films.id.tolist()
    broken: list[tuple[Any, str]] = [
        (always(), "recommender 0: 0 lists for"),
        (always([-5]), "unknown items"),
        (always([films[0]] * 2), "one twice"),
    ]
    for recommend, message in broken:
        with pytest.raises(DataError, match=message):
            played(arms=[recommend])
    with pytest.raises(DataError, match="nobody came"):
        played(arm=np.full(550, -1))
    with pytest.raises(ConfigError, match=r"LoopConfig\.k is 0"):
        LoopConfig(k=0)


def test_short_lists_leave_places_empty() -> None:
    films = tiny_world().films.id.tolist()
    visits = played(arms=[always(films[:2])])
    assert (visits.item[:, 2:] == -1).all()
    assert not visits.clicked[:, 2:].any()
    assert len(impression_table(visits, tiny_world(), ["one"])) == 2 * len(visits.user)


def spec_of(*metrics: MetricSpec) -> ExperimentSpec:
    return ExperimentSpec(**SPEC, metric=metrics)


CLICKS = MetricSpec(name="clicks", value="clicks", role="primary")
CTR = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="impressions")
CANCEL = MetricSpec(name="cancel", kind="share", value="cancelled", role="guardrail", margin=0.05, direction="down")
MEDIAN = MetricSpec(name="median", kind="quantile", value="watch_minutes", quantile=0.5)


def outcomes(share: float = 0.5, rounds: int = 3) -> PotentialOutcomes:
    both = {"control": oracle(share), "treatment": oracle(0)}
    return potential_outcomes(tiny_world(), both, CONFIG, days=7, rounds=rounds, seed=4)


def test_the_same_users_are_seen_under_every_variant() -> None:
    found = outcomes()
    assert np.array_equal(found.columns["views_before"][0], found.columns["views_before"][1])
    assert found.columns["clicks"].shape == (2, len(found.user))
    assert len(found.user) > 3 * 200


def test_likely_truth_is_what_happens_on_average() -> None:
    found = outcomes(rounds=8)
    for metric in (CLICKS, CTR, CANCEL):
        spec = spec_of(metric if metric.role == "primary" else CLICKS, *([] if metric is CLICKS else [metric]))
        likely, happened = (true_effects(spec, found, likely=one)[-1] for one in (True, False))
        assert likely["name"] == metric.name
        assert happened["effect"] == pytest.approx(likely["effect"], rel=0.25)
        assert happened["control"] == pytest.approx(likely["control"], rel=0.1)


def test_truth_is_that_of_plain_sums() -> None:
    found = outcomes()
    clicks, ctr, cancel, median = true_effects(spec_of(CLICKS, CTR, CANCEL, MEDIAN), found, likely=False)
    columns = found.columns
    assert clicks["effect"] == pytest.approx(float(columns["clicks"][1].mean() - columns["clicks"][0].mean()))
    assert ctr["treatment"] == pytest.approx(columns["clicks"][1].sum() / columns["impressions"][1].sum())
    assert cancel["control"] == pytest.approx(float(columns["cancelled"][0].mean()))
    assert median["control"] == float(np.median(columns["watch_minutes"][0]))
    assert clicks["relative"] == pytest.approx(clicks["effect"] / clicks["control"])
    assert clicks["effect"] > 0
    assert cancel["effect"] < 0


def test_drawn_experiments_are_unbiased() -> None:
    found = outcomes()
    truth = true_effects(spec_of(CLICKS), found, likely=False)[0]["effect"]
    rng, effects, covered = np.random.default_rng(8), [], 0
    for _ in range(400):
        variant, columns = found.draw(np.array([0.5, 0.5]), 300, rng)
        one, other = (columns["clicks"][variant == arm] for arm in (0, 1))
        error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
        effects.append(other.mean() - one.mean())
        covered += abs(effects[-1] - truth) < 1.96 * error
    assert np.mean(effects) == pytest.approx(truth, abs=float(4 * np.std(effects) / 20))
    assert 0.92 <= covered / 400 <= 0.98


def test_interleaving_in_the_loop_finds_the_better_ranker_and_no_other() -> None:
    def report(second: float, seed: int) -> dict[str, Any]:
        mixed = InterleavingRecommender([oracle(0), oracle(second)], "team-draft", np.random.default_rng(seed))
        visits = played(arms=[mixed], seed=seed)
        table = interleaving_table(visits, tiny_world(), mixed, ["good", "other"])
        assert len(table) == (visits.item >= 0).sum()
        log = read_interleaving_log(table, rankers=["good", "other"])
        return interleaving_report(log, resamples=50)

    better = report(0.5, 1)
    assert better["preference"] > 0.1
    assert better["p"] < 0.001
    same = report(0.0, 1)
    assert (same["preference"], same["p"], same["silent_units"]) == (0.0, 1.0, same["units"])


@pytest.mark.parametrize("activity", [0.0, 0.5, 1.0])
def test_days_until_the_next_visit_fade_by_activity(activity: float) -> None:
    """The chances of the seven days written out; who was not brought back comes on the eighth day or later."""
    n, fading = 40_000, 0.95 - 0.35 * activity
    back = np.arange(n) % 2 == 0
    days = days_until_next(back, np.full(n, activity), LoopConfig(away_days=3), np.random.default_rng(1))
    wanted = np.array([fading**day for day in range(7)])
    found = np.bincount(days[back], minlength=8)[1:] / back.sum()
    assert len(found) == 7
    assert np.abs(found - wanted / wanted.sum()).max() < 4.5 * 0.5 / np.sqrt(n / 2)
    late = days[~back]
    assert late.min() == 8
    assert late.mean() == pytest.approx(8 + 1 / np.expm1(1 / 3), rel=0.05)
