"""Nothing that happens after a cut changes what was learnt, proposed, computed or scored before it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from tests.worlds import DAY, small_run, small_world

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.splits import Fold, LastN, RollingTime, Split, TimeCut, earlier_folds
from encorec.errors import DataError
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import fit_first_stage, fit_ranker
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.leakage import Origin, refuse_leak
from encorec.types import ItemLists

CONFIG = small_run().pipeline
DATA = small_world()


def after(fold: Fold, data: Dataset) -> np.ndarray:
    """(m,) rows that are not in the past."""
    return ~np.isin(data.interactions.row, fold.past.interactions.row)


def shuffled_items(table: Interactions, late: np.ndarray) -> Interactions:
    item = table.item.copy()
    item[late] = np.random.default_rng(3).integers(0, table.items, late.sum())
    return replace(table, item=item)


def shifted_times(table: Interactions, late: np.ndarray) -> Interactions:
    """All of them a month later, but the last one, so that the split cuts at the same moment."""
    return replace(table, time=np.where(late, table.time + 30 * DAY, table.time))


def other_weights(table: Interactions, late: np.ndarray) -> Interactions:
    return replace(table, weight=np.where(late, 99, table.weight).astype(np.float32))


CHANGES: list[Callable[[Interactions, np.ndarray], Interactions]] = [shuffled_items, shifted_times, other_weights]


def everything(fold: Fold, users: np.ndarray) -> dict[str, Any]:
    """What the pipeline makes of the past of the fold, asked for these users."""
    split = LastN() if fold.name.startswith("last") else TimeCut(days=10)
    parts, first = [], fit_first_stage(CONFIG, fold.past, seed=0)
    for earlier in islice(earlier_folds(fold, split), 2):
        parts.append(fold_rows(CONFIG, earlier, fit_first_stage(CONFIG, earlier.past, seed=0), seed=0))
    ranker = fit_ranker(CONFIG, parts, first.features.names, seed=0).served
    queries = fold_queries(fold).take(np.flatnonzero(np.isin(fold.user, users)))
    found = first.candidates(queries)
    features = first.features.compute(queries, found, first.retrievers)
    told = {"query": found.query, "item": found.item, "score": found.score, "rank": found.rank, "features": features}
    for number, part in enumerate(parts):
        told |= {f"{name} {number}": getattr(part.rows, name) for name in ("features", "label", "group", "user")}
    return told | {"relevance": ranker.score(features)}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("split", [LastN(), "time"], ids=["last", "time"])
def test_what_comes_after_the_cut_changes_nothing_before_it(split: Any, change: Any) -> None:
    cut = TimeCut(at="2024-11-10") if split == "time" else split
    fold = cut.folds(DATA)[-1]
    late = after(fold, DATA)
    assert 0.02 < late.mean() < 0.6
    other = cut.folds(replace(DATA, interactions=change(DATA.interactions, late)))[-1]
    assert other.past.fingerprint == fold.past.fingerprint
    both = np.intersect1d(fold.user, other.user)
    assert len(both) > 50
    if change is shifted_times and split != "time":
        other = replace(other, now=fold.now[np.isin(fold.user, other.user)])  # the time of asking is known, and moved
    one, another = everything(fold, both), everything(other, both)
    for name, values in one.items():
        np.testing.assert_array_equal(values, another[name], err_msg=name)


@pytest.mark.parametrize("split", [LastN(), LastN(n=3), TimeCut(days=10), RollingTime(days=10)])
def test_first_stages_fitted_on_the_labels_are_refused_in_every_fold(split: Split) -> None:
    test = split.folds(DATA)[-1]
    older = next(earlier_folds(test, split))
    for fold, data in ((test, DATA), (older, test.past), (older, DATA)):
        refuse_leak(Origin.of(fold.past), fold)
        with pytest.raises(DataError, match=r"it may have seen the labels, fit it on fold\.past"):
            refuse_leak(Origin.of(data), fold)


def test_one_label_too_many_is_enough_to_be_refused() -> None:
    fold = LastN().folds(DATA)[-1]
    late = np.flatnonzero(after(fold, DATA))
    kept = np.setdiff1d(np.arange(len(DATA.interactions)), late[1:])
    with pytest.raises(DataError, match=r"fitted on 3,\d+ interactions .* holds 3,\d+ that end"):
        refuse_leak(Origin.of(DATA.restrict(kept)), fold)


def test_as_many_interactions_that_end_at_the_same_second_are_still_others() -> None:
    fold = LastN().folds(DATA)[-1]
    swapped = fold.past.interactions.item.copy()
    swapped[[0, -1]] = swapped[[-1, 0]]
    other = Origin.of(replace(fold.past, interactions=replace(fold.past.interactions, item=swapped)))
    known = Origin.of(fold.past)
    assert (other.interactions, other.end) == (known.interactions, known.end)
    with pytest.raises(DataError, match="may have seen the labels"):
        refuse_leak(other, fold)


def test_later_events_of_other_users_are_no_leak_where_all_are_asked_at_their_own_time() -> None:
    fold = LastN().folds(DATA)[-1]
    assert fold.past.interactions.end > fold.now.min() + DAY
    refuse_leak(Origin.of(fold.past), fold)


def test_older_data_may_teach_a_fold_that_begins_after_them() -> None:
    fold = TimeCut(days=10).folds(DATA)[-1]
    older = DATA.restrict(DATA.interactions.time < fold.now.min() - DAY)
    refuse_leak(Origin.of(older), fold)


def test_a_first_stage_of_unknown_origin_teaches_nothing() -> None:
    fold = LastN().folds(DATA)[-1]
    first = replace(fit_first_stage(CONFIG, fold.past, seed=0), learnt_from=None)
    with pytest.raises(DataError, match="it is not known what its first stage was fitted on"):
        fold_rows(CONFIG, fold, first, seed=0)


def test_histories_that_reach_into_the_exam_are_refused() -> None:
    fold = LastN().folds(DATA)[-1]
    early = replace(fold, now=np.where(np.arange(len(fold)) < 7, 5, fold.now))
    with pytest.raises(DataError, match=f"7 of {len(fold)} histories hold events at or after the time of asking"):
        refuse_leak(Origin.of(fold.past), early)


def test_labels_change_labels_only() -> None:
    """Other items in the truth: the candidates are the same, and their features are."""
    fold = LastN().folds(DATA)[-1]
    first, config = fit_first_stage(CONFIG, fold.past, seed=0), small_run().pipeline
    every = [fold, replace(fold, truth=ItemLists(fold.truth.indptr, (fold.truth.item + 1) % 150))]
    found = [first.candidates(fold_queries(one, config.seen)) for one in every]
    features = [
        first.features.compute(fold_queries(one), had, first.retrievers) for one, had in zip(every, found, strict=True)
    ]
    np.testing.assert_array_equal(found[0].item, found[1].item)
    np.testing.assert_array_equal(features[0], features[1])
