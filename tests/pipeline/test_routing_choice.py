"""The rule: noise does not send queries away from the ranker, a worse ranker loses them, an untaught one must prove
itself. In made-up values, and in worlds where short histories are not what the ranker learnt."""

from itertools import product
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import permutation_test
from tests.worlds import DAY, START, small_run, small_world

from encorec.data.dataset import Dataset
from encorec.data.history_lengths import LENGTHS, length_places
from encorec.data.interactions import Interactions
from encorec.data.splits import LastN, TimeCut, earlier_folds
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import FoldRows, RetrievalCeiling, TrainingConfig, fit_first_stage
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.routing import Route, Routing, order_scores
from encorec.pipeline.routing_choice import LEVEL, choose_routes, randomisation_p
from encorec.pipeline.routing_rows import RoutingRows, offered_orders
from encorec.pipeline.score_calibration import calibrate_order, held_apart
from encorec.ranking.calibration import CalibrationKind
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.training_set import TrainingSet, label
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.types import FloatMatrix, FloatVector
from encorec.verdict import EvaluationConfig
from encorec.workflow import Exam, examine

QUOTAS = {"als": 50, "popular": 50, "popular_week": 50}


class Told:
    """A ranker whose NDCG@10 is what the one feature says: the item taken stands at that place of 20."""

    def score(self, features: FloatMatrix) -> FloatVector:
        return features[:, 0].astype(float)

    def save(self, folder: object) -> None:
        raise NotImplementedError


def kept(place: int, ranker_at: list[int], value: Any, *, shortened: bool = False, first_user: int = 0) -> RoutingRows:
    """Queries of 20 candidates, one of them taken, which the ranker puts at ``ranker_at`` (0 = best)."""
    n = len(ranker_at)
    scores, taken = np.tile(-np.arange(20.0), (n, 1)), np.zeros((n, 20))
    taken[np.arange(n), ranker_at] = 1
    return RoutingRows(
        np.full(n, place),
        np.arange(first_user, first_user + n, dtype=np.int32),
        np.full(n, shortened),
        np.broadcast_to(np.asarray(value, float), (n, 4)).copy(),
        np.ones(n, np.int64),
        scores.reshape(-1, 1).astype(np.float32),
        taken.ravel().astype(np.float32),
        np.repeat(np.arange(n), 20).astype(np.int32),
    )


def decided(rows: list[RoutingRows], taught: dict[str, int], popular: tuple[str, ...] = ("popular",)) -> list[Route]:
    routing = routes(rows, taught, popular)
    assert [one.events for one in routing.told] == list(LENGTHS)
    assert routing.orders == {one.events: one.order for one in routing.told if one.order}
    return list(routing.told)


def routes(
    rows: list[RoutingRows],
    taught: dict[str, int],
    popular: tuple[str, ...] = ("popular",),
    kind: CalibrationKind = "none",
) -> Routing:
    bare = TrainingSet(np.zeros((1, 1), np.float32), np.ones(1), np.zeros(1, int), np.zeros(1, int))
    ceiling = RetrievalCeiling(
        fold="f", queries=1, truth=1, union=1, sources={}, candidates_per_query=20, taught=taught
    )
    newest = FoldRows(bare, replace_taught(ceiling, {}), routing=RoutingRows.join(rows))
    found = choose_routes(QUOTAS, popular, kind, [newest, FoldRows(bare, ceiling)], Told(), 0)
    assert found is not None
    return found


def replace_taught(ceiling: RetrievalCeiling, taught: dict[str, int]) -> RetrievalCeiling:
    return msgspec.structs.replace(ceiling, taught=taught)


TAUGHT = {"new": 0, "1-4": 500, "5-19": 500, "20+": 500}
BEST, TENTH = 1.0, 1 / np.log2(11)


def test_a_source_that_is_better_for_enough_users_takes_over_and_no_other_length_is_touched() -> None:
    rows = [kept(1, [9] * 150, [0.1, 0.9, 0.2, 0.3]), kept(2, [0] * 150, [0.5] * 4)]
    new, few, some, many = decided(rows, TAUGHT)
    assert (few.order, few.best, few.queries, few.taught) == ("popular", "popular", 150, 500)
    assert (few.ranker, few.mean) == pytest.approx((TENTH, 0.9))
    assert few.p == pytest.approx(1 / 10_000)
    assert (some.order, some.ranker, some.p) == (None, BEST, 1.0)
    assert (many.order, many.queries, many.p) == (None, 0, None)
    assert new.order == "popular"  # never met, nobody to ask: the list that is the same for everybody


def test_twenty_users_send_nobody_away_from_a_ranker_that_was_taught() -> None:
    """However much better the source is for them."""
    assert decided([kept(1, [19] * 20, 1.0)], TAUGHT)[1].order is None


def test_equal_orders_stay_with_the_ranker() -> None:
    assert decided([kept(1, [0] * 300, 1.0), kept(2, [19] * 300, 0.0)], TAUGHT)[1].order is None


def test_among_several_sources_noise_wins_as_seldom_as_the_level_says() -> None:
    """Ranker and sources put the item at places drawn alike."""
    rng, routed = np.random.default_rng(0), 0
    gains = np.append(1 / np.log2(2 + np.arange(10)), np.zeros(10))
    for _ in range(150):
        places = rng.integers(0, 20, (200, 5))
        routed += decided([kept(1, places[:, 0].tolist(), gains[places[:, 1:]])], TAUGHT)[1].order is not None
    assert routed <= 150 * LEVEL * 2


def test_a_ranker_that_was_not_taught_must_prove_itself() -> None:
    """A tenth of 1,000 queries or 100 of them would have been enough to learn from."""
    same = [kept(0, [1] * 200, [0, 0.6, 0.7, 0.1], shortened=True)]
    assert decided(same, TAUGHT)[0].order == "popular_week"
    better = [kept(0, [0] * 200, [0, 0.6, 0.7, 0.1], shortened=True)]
    route = decided(better, TAUGHT)[0]
    assert (route.order, route.shortened) == (None, 200)
    assert route.p is not None
    assert route.p < LEVEL
    assert decided([kept(0, [0] * 60, 0.5, shortened=True)], TAUGHT)[0].order == "popular"  # too few to prove it
    assert decided([kept(0, [0] * 60, 0.5)], {**TAUGHT, "new": 99})[0].order == "popular"
    assert decided([kept(0, [0] * 60, 0.5)], {**TAUGHT, "new": 100})[0].order is None


def test_of_the_best_lists_for_everybody_the_better_one_is_the_default() -> None:
    rows = [kept(2, [0] * 200, [0.9, 0.2, 0.3, 0.8])]
    assert decided(rows, TAUGHT, ("popular", "popular_week"))[0].order == "popular_week"
    assert decided(rows, TAUGHT, ())[0].order is None


def test_a_source_takes_the_place_of_a_list_where_it_is_better_and_the_ranker_where_it_is_best() -> None:
    cut = kept(0, [9] * 200, [0.9, 0.6, 0.7, 0.1], shortened=True)
    route = decided([cut], TAUGHT, ("popular", "popular_week"))[0]
    assert (route.order, route.best, route.mean) == ("als", "popular_week", pytest.approx(0.7))
    assert route.p == pytest.approx(1 / 10_000)
    cut = kept(0, [0] * 200, [0.9, 0.6, 0.7, 0.1], shortened=True)
    assert decided([cut], TAUGHT, ("popular", "popular_week"))[0].order is None


@pytest.mark.parametrize(("theirs", "served"), [(0.6, "popular"), (0.5, "als"), (0.4, "als")])
def test_histories_cut_short_decide_nothing_that_real_ones_contradict(theirs: float, served: str) -> None:
    cut = kept(0, [19] * 200, [0.9, 0.2, 0.1, 0.1], shortened=True)
    real = kept(0, [19] * 5, [0.5, theirs, 0.1, 0.1], first_user=500)
    route = decided([cut, real], TAUGHT)[0]
    assert (route.order, route.queries, route.shortened) == (served, 205, 200)


def test_enough_real_histories_choose_the_list_and_few_of_them_do_not() -> None:
    many = [kept(2, [0] * 300, [0.1, 0.9, 0.2, 0.1]), kept(0, [19] * 100, [0.1, 0.2, 0.3, 0.1], first_user=300)]
    assert decided(many, TAUGHT, ("popular", "popular_week"))[0].order == "popular_week"
    few = [kept(2, [0] * 300, [0.1, 0.9, 0.2, 0.1]), kept(0, [19] * 99, [0.1, 0.2, 0.3, 0.1], first_user=300)]
    assert decided(few, TAUGHT, ("popular", "popular_week"))[0].order == "popular"


def test_histories_longer_than_all_it_was_taught_stay_with_the_ranker() -> None:
    told = decided([kept(3, [9] * 200, [0.1, 0.9, 0.2, 0.3])], {"1-4": 500})
    assert [one.order for one in told] == ["popular", None, None, None]
    assert told[3].p == pytest.approx(1 / 10_000)


def test_with_little_to_learn_from_a_tenth_of_it_is_enough() -> None:
    told = decided([kept(1, [0] * 30, 0.1)], {"1-4": 9, "5-19": 30, "20+": 30})
    assert [one.order for one in told] == ["popular", None, None, None]


def test_shortened_histories_say_nothing_against_a_ranker_that_was_taught() -> None:
    rows = [kept(1, [19] * 200, 1.0, shortened=True), kept(1, [0] * 120, 0.1, first_user=500)]
    route = decided(rows, TAUGHT)[1]
    assert (route.order, route.queries, route.shortened) == (None, 120, 0)


def test_of_a_single_fold_only_users_held_apart_are_compared() -> None:
    """The ranker is good for those whom it learnt from."""
    users = np.arange(1200)
    apart = held_apart(users, 0)
    rows = kept(1, np.where(apart, 19, 0).tolist(), [0.0, 0.5, 0.1, 0.2])
    bare = TrainingSet(np.zeros((1, 1), np.float32), np.ones(1), np.zeros(1, int), np.zeros(1, int))
    ceiling = RetrievalCeiling(
        fold="f", queries=1, truth=1, union=1, sources={}, candidates_per_query=20, taught={"1-4": 900}
    )
    found = choose_routes(QUOTAS, (), "none", [FoldRows(bare, ceiling, routing=rows)], Told(), 0)
    assert found is not None
    assert found.orders == {"1-4": "popular"}
    assert found.told[1].queries == apart.sum()


def test_without_rows_nothing_is_decided() -> None:
    bare = TrainingSet(np.zeros((1, 1), np.float32), np.ones(1), np.zeros(1, int), np.zeros(1, int))
    ceiling = RetrievalCeiling(fold="f", queries=1, truth=1, union=1, sources={}, candidates_per_query=20)
    assert choose_routes(QUOTAS, (), "none", [FoldRows(bare, ceiling)], Told(), 0) is None
    nobody = FoldRows(bare, ceiling, routing=RoutingRows.empty(orders=4, features=1))
    found = choose_routes(QUOTAS, ("popular",), "none", [nobody], Told(), 0)
    assert found is not None
    assert found.orders == {}


def test_p_is_the_share_of_all_signs_under_which_the_largest_statistic_is_as_large() -> None:
    rng = np.random.default_rng(3)
    gain = rng.normal(0.2, 1, (9, 3))
    scale, best = np.sqrt((gain**2).sum(axis=0)), int(gain.mean(axis=0).argmax())
    seen = gain[:, best].sum() / scale[best]
    reached = [((np.array(signs) @ gain) / scale).max() >= seen - 1e-12 for signs in product((-1, 1), repeat=9)]
    assert randomisation_p(gain, best, rng) == pytest.approx(np.mean(reached), abs=0.02)


def test_p_of_one_gain_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    gain = rng.normal(0.15, 1, 60)
    gain += 0.1 - gain.mean()
    peer = permutation_test(
        (gain, np.zeros(60)), lambda one, other: (one - other).mean(), permutation_type="samples",
        alternative="greater", n_resamples=9999, rng=rng,
    )  # fmt: skip
    assert randomisation_p(gain[:, None], 0, rng) == pytest.approx(peer.pvalue, abs=0.015)


@pytest.mark.parametrize("users", [1, 2, 3])
def test_p_of_a_few_equal_gains_by_hand(users: int) -> None:
    """All signs must stay as they are: 1 of 2 ** users."""
    assert randomisation_p(np.full((users, 1), 0.3), 0, np.random.default_rng(0)) == pytest.approx(0.5**users, abs=0.02)


def test_gains_of_nobody_and_of_nothing_have_p_1() -> None:
    rng = np.random.default_rng(0)
    assert randomisation_p(np.zeros((0, 2)), 1, rng) == 1
    assert randomisation_p(np.zeros((5, 2)), 1, rng) == 1
    assert randomisation_p(-np.ones((5, 1)), 0, rng) == 1


def turning_world(seed: int) -> Dataset:
    """Newcomers take what stands beside their first item, until their habit turns: then they take what is popular.

    Regulars follow their series all the time. The habit turns 22 days before the end, so that the older label folds
    teach what no longer holds for short histories; the newest one and the test say so.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int]] = []
    for user in range(900):
        regular = user < 200
        joined = START + int(rng.uniform(0, 58) * DAY)
        if regular:
            series, day = rng.permutation(24)[:6], START
            for one in (int(part) * 5 + step for part in series for step in range(5)):
                day += int(rng.exponential(1.7) * DAY) + 60
                rows.append((user, 20 + one, day))
            continue
        item, day = int(rng.integers(24)) * 5, joined
        rows.append((user, 20 + item, day))
        for step in range(1, 4):
            day += int(rng.exponential(6) * DAY) + 60
            turned = day > START + 38 * DAY
            rows.append((user, int(20 * rng.random() ** 3) if turned else 20 + item + step, day))
    user, item, time = (np.array(column) for column in zip(*sorted(rows, key=lambda one: one[2]), strict=True))
    kept = time < START + 60 * DAY
    return Dataset.of(Interactions.of(user[kept], item[kept], time[kept], users=900, items=140), "turning")


def turned(*, routing: bool, calibration: str = "none") -> Exam:
    run = small_run(
        split=TimeCut(days=10),
        retrievers={
            "steps": CovisitationConfig(window=2, last=2),
            "knn": ItemKNNConfig(neighbours=20),
            "popular": PopularityConfig(days=10),
        },
        ranker=CatBoostConfig(max_trees=60, depth=4, learning_rate=0.15),
        training=TrainingConfig(folds=3, negatives=20, guard=False, routing=routing),
        evaluation=EvaluationConfig(resamples=200, explain=False),
        calibration=calibration,
    )
    return examine(run, turning_world(1))


def means(exam: Exam, length: str) -> dict[str, float]:
    return {name: one["mean"] for name, one in exam.report["lengths"][length]["systems"].items()}


def test_where_the_habit_of_short_histories_turned_the_popular_list_takes_them_back() -> None:
    plain, routed = turned(routing=False), turned(routing=True)
    told = {one["events"]: one for one in routed.report["routing"]}
    assert plain.report["routing"] == []
    assert told["1-4"]["order"] == "popular"
    assert told["5-19"]["order"] is None
    assert means(plain, "1-4")["two-stage"] < 0.8 * means(plain, "1-4")["popular"]
    for length in ("new", "1-4"):  # of new ones the label folds hold none
        assert means(routed, length)["two-stage"] == means(routed, length)["popular"]
    assert means(routed, "5-19") == means(plain, "5-19")
    before, after = (one.report["systems"]["two-stage"]["ndcg@10"]["mean"] for one in (plain, routed))
    assert after > before


def test_routed_queries_show_probabilities_where_there_is_a_calibration() -> None:
    exam = turned(routing=True, calibration="platt")
    routing = exam.pipeline.routing
    assert routing is not None
    assert routing.orders["1-4"] == "popular"
    assert set(routing.calibrations) == set(routing.orders)
    short = np.flatnonzero(exam.test.history.lengths <= 4)
    score = exam.pipeline.recommend(fold_queries(exam.test).take(short), 10).score
    assert ((score >= 0) & (score <= 1)).all()
    assert (np.diff(score, axis=1) <= 0).all()
    assert len(np.unique(score)) > 10
    assert exam.report["probabilities"]["after"]["predicted"] < 1


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
@pytest.mark.parametrize("order", ["popular", "steps", "rrf"])
def test_probabilities_of_an_order_keep_their_word(kind: CalibrationKind, order: str) -> None:
    """Learnt on one label fold, asked on the next: of all candidates, as many are taken as was said."""
    config = small_run(calibration=kind, split=LastN(n=3)).pipeline
    test = LastN(n=3).folds(small_world())[-1]
    newest = next(earlier_folds(test, LastN(n=3)))
    rows = fold_rows(config, newest, fit_first_stage(config, newest.past, seed=0), seed=0)
    place, column = list(LENGTHS).index("5-19"), offered_orders(config.quotas()).index(order)
    found = calibrate_order(kind, [rows, rows], place, column, 0)
    assert found is not None
    first = fit_first_stage(config, test.past, seed=0)
    fold = test.take(np.flatnonzero(length_places(test.history.lengths) == place))
    candidates = first.candidates(fold_queries(fold))
    said = found.probability(order_scores(candidates, None if order == "rrf" else order))
    assert said.mean() == pytest.approx(label(candidates, fold.truth).mean(), rel=0.25)


def test_a_length_without_a_map_is_not_routed() -> None:
    rows = [kept(1, [19] * 150, [0.1, 0.9, 0.2, 0.3])]
    assert routes(rows, TAUGHT).orders["1-4"] == "popular"
    assert routes(rows, TAUGHT, kind="platt").orders == {}
