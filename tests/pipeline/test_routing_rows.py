"""What is kept of a label fold for routing is what would have been served: every order's lists, judged one by one."""

from dataclasses import replace
from math import log2
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.worlds import small_run, small_world

from encorec.data.history_lengths import LENGTHS, length_places
from encorec.data.splits import Fold, LastN, TimeCut
from encorec.pipeline import routing_rows
from encorec.pipeline.checkpoints import ROUTING, Checkpoints
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig, fit_first_stage, fit_ranker
from encorec.pipeline.fold_rows import FoldRows
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.routing_rows import RoutingRows, offered_orders
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.types import IntMatrix, ItemLists

DATA, CONFIG = small_world(), small_run().pipeline
ORDERS = ("steps", "knn", "als", "popular", "rrf")


@pytest.fixture(scope="module")
def fold() -> Fold:
    return LastN(n=2).folds(DATA)[-1]


@pytest.fixture(scope="module")
def first(fold: Fold) -> FirstStage:
    return fit_first_stage(CONFIG, fold.past, seed=0)


@pytest.fixture(scope="module")
def part(fold: Fold, first: FirstStage) -> FoldRows:
    return fold_rows(CONFIG, fold, first, seed=0)


@pytest.fixture(scope="module")
def rows(part: FoldRows) -> RoutingRows:
    assert part.routing is not None
    return part.routing


def judged(lists: IntMatrix, truth: ItemLists) -> list[float]:
    """NDCG@10 as it is written down, list by list. jarvelin2002."""
    found: list[float] = []
    for row, shown in enumerate(lists.tolist()):
        wanted = set(truth.row(row).tolist())
        gain = sum(1 / log2(place + 2) for place, item in enumerate(shown[:10]) if item in wanted)
        found.append(gain / sum(1 / log2(place + 2) for place in range(min(10, len(wanted)))))
    return found


def test_every_order_is_judged_by_the_lists_that_it_would_serve(
    rows: RoutingRows, fold: Fold, first: FirstStage
) -> None:
    assert offered_orders(first.quotas) == ORDERS
    queries, real = fold_queries(fold), rows.take(~rows.shortened)
    np.testing.assert_array_equal(real.user, fold.user)
    np.testing.assert_array_equal(real.place, length_places(queries.history.lengths))
    for column, name in enumerate(ORDERS):
        served = TwoStage(first, source=None if name == "rrf" else name).recommend(queries, 10).item
        np.testing.assert_allclose(real.value[:, column], judged(served, fold.truth), atol=1e-12)


def test_the_ranker_is_judged_by_the_lists_that_it_would_serve(
    rows: RoutingRows, part: FoldRows, fold: Fold, first: FirstStage
) -> None:
    ranker = fit_ranker(CONFIG, [part], first.features.names, seed=0).served
    served = TwoStage(first, ranker).recommend(fold_queries(fold), 10).item
    real = ~rows.shortened
    np.testing.assert_allclose(rows.of_ranker(ranker)[real], judged(served, fold.truth), atol=1e-12)
    np.testing.assert_allclose(rows.take(real).of_ranker(ranker), rows.of_ranker(ranker)[real])


def test_lengths_that_the_fold_hardly_holds_are_asked_with_shortened_histories(
    rows: RoutingRows, fold: Fold, first: FirstStage
) -> None:
    lengths = fold.history.lengths
    short = rows.take(rows.shortened)
    assert set(short.place.tolist()) == {0, 1}  # none is new, a few have up to four events
    assert 0 < np.count_nonzero(length_places(lengths) == 1) < routing_rows.LEAST
    new = short.take(short.place == 0)
    places = np.searchsorted(fold.user, new.user)
    queries = fold_queries(fold).take(places)
    queries = queries.with_history(queries.history.before(0))
    served = TwoStage(first, source="popular").recommend(queries, 10).item
    np.testing.assert_allclose(new.value[:, 3], judged(served, fold.truth.take(places)), atol=1e-12)
    few = short.take(short.place == 1)
    assert (lengths[np.searchsorted(fold.user, few.user)] > 4).all()
    assert len(np.unique(few.user)) == len(few)


def test_a_draw_is_bounded_for_every_length_and_changes_no_other_draw(
    part: FoldRows, fold: Fold, first: FirstStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing_rows, "LARGEST", 30)
    monkeypatch.setattr(routing_rows, "SHORTENED", 12)
    monkeypatch.setattr("encorec.pipeline.two_stage.CELLS_PER_BLOCK", 40 * len(LENGTHS) * 150)
    some = fold_rows(CONFIG, fold, first, seed=0)
    assert some.routing is not None
    assert some.rows.features.shape == part.rows.features.shape
    for place in range(len(LENGTHS)):
        here = some.routing.place == place
        assert np.count_nonzero(here & ~some.routing.shortened) <= 30
        assert np.count_nonzero(here & some.routing.shortened) in (0, 12)
    assert part.routing is not None
    whole = {(user, place): value for user, place, value in zip(*facts(part.routing), strict=True)}
    for user, place, value in zip(*facts(some.routing), strict=True):
        np.testing.assert_array_equal(whole[user, place], value)


def facts(rows: RoutingRows) -> tuple[list[int], list[int], list[object]]:
    real = rows.take(~rows.shortened)
    return real.user.tolist(), real.place.tolist(), list(real.value)


@pytest.mark.parametrize("newest", [True, False])
def test_nothing_is_kept_where_it_is_not_wanted(newest: bool, part: FoldRows, fold: Fold, first: FirstStage) -> None:
    config = msgspec.structs.replace(CONFIG, training=msgspec.structs.replace(CONFIG.training, routing=not newest))
    bare = fold_rows(config, fold, first, seed=0, newest=newest)
    assert bare.routing is None
    assert bare.ceiling == part.ceiling
    np.testing.assert_array_equal(bare.rows.features, part.rows.features)


def test_queries_that_teach_are_counted_by_length(part: FoldRows, fold: Fold, first: FirstStage) -> None:
    found = first.candidates(fold_queries(fold))
    counts = dict.fromkeys(LENGTHS, 0)
    for row, length in enumerate(fold.history.lengths.tolist()):
        if set(found.item[found.query == row].tolist()) & set(fold.truth.row(row).tolist()):
            counts["new" if length == 0 else "1-4" if length < 5 else "5-19" if length < 20 else "20+"] += 1
    assert part.ceiling.taught == counts


def test_a_fold_with_users_without_a_past_needs_no_stand_ins() -> None:
    """A cut in time that leaves them in."""
    fold = TimeCut(days=80, drop_cold_users=False).folds(DATA)[-1]
    found = fold_rows(CONFIG, fold, fit_first_stage(CONFIG, fold.past, seed=0), seed=0).routing
    assert found is not None
    real = found.take(~found.shortened)
    assert np.count_nonzero(real.place == 0) == np.count_nonzero(fold.history.lengths == 0) > routing_rows.LEAST
    assert 0 not in found.take(found.shortened).place


def test_kept_rows_come_back_as_they_were(part: FoldRows, rows: RoutingRows, tmp_path: Path) -> None:
    Checkpoints(tmp_path).kept(("key",), lambda: part)
    again = Checkpoints(tmp_path).kept(("key",), lambda: replace(part, routing=None)).routing
    assert again is not None
    for name in ROUTING:
        np.testing.assert_array_equal(getattr(again, name), getattr(rows, name), strict=True)


def test_joined_parts_keep_their_candidates(rows: RoutingRows) -> None:
    halves = [rows.take(kept) for kept in (rows.shortened, ~rows.shortened)]
    joined = RoutingRows.join(halves)
    assert len(joined) == len(rows)
    for one in (0, len(halves[0]), len(joined) - 1):
        own = np.flatnonzero((rows.user == joined.user[one]) & (rows.place == joined.place[one]))
        own = own[rows.shortened[own] == joined.shortened[one]]
        np.testing.assert_array_equal(joined.features[joined.query == one], rows.features[rows.query == own[0]])


def test_a_source_without_a_quota_is_not_offered_and_one_called_like_the_fusion_stands_for_itself() -> None:
    assert offered_orders({"als": 0, "popular": 5}) == ("popular",)
    assert offered_orders({"rrf": 3, "popular": 5}) == ("rrf", "popular")
    quiet = msgspec.structs.replace(CONFIG, candidates=CandidatesConfig(per_source=20, quotas={"als": 0}))
    fold = LastN().folds(DATA)[-1]
    found = fold_rows(quiet, fold, fit_first_stage(quiet, fold.past, seed=0), seed=0).routing
    assert found is not None
    assert found.value.shape[1] == len(ORDERS) - 1
    assert TrainingConfig().routing
