"""Training rows are what an honest exam gives: nothing of the truth in the past, every miss of retrieval counted."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.worlds import Trained, small_run, small_world

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold, LastN, RollingTime, Split, TimeCut, earlier_folds
from encorec.errors import ConfigError, DataError
from encorec.pipeline.candidate_features import FeatureConfig
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import (
    CandidatesConfig,
    FoldRows,
    PipelineConfig,
    TrainingConfig,
    fit_first_stage,
    fit_ranker,
)
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.two_stage import FirstStage
from encorec.ranking.catboost_ranker import CatBoostRanker
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.ease import EASEConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.types import ItemLists

CONFIG = small_run().pipeline
DATA = small_world()


def label_folds(split: Split, folds: int = 3) -> Iterator[Fold]:
    """The label folds that training would use."""
    test = split.folds(DATA)[-1]
    return islice(earlier_folds(test, split), folds)


@pytest.fixture(scope="module")
def fold() -> Fold:
    return next(label_folds(LastN()))


@pytest.fixture(scope="module")
def first(fold: Fold) -> FirstStage:
    return fit_first_stage(CONFIG, fold.past, seed=0)


@pytest.fixture(scope="module")
def part(fold: Fold, first: FirstStage) -> FoldRows:
    return fold_rows(CONFIG, fold, first, seed=0)


@pytest.mark.parametrize("split", [LastN(), LastN(n=2), TimeCut(days=20), TimeCut(share=0.1), RollingTime(days=14)])
def test_no_row_of_the_truth_is_in_the_past_of_any_label_fold(split: Split) -> None:
    folds = list(label_folds(split))
    assert len(folds) == 3
    for fold in folds:
        past = fold.past.interactions
        taken = set(zip(past.user.tolist(), past.item.tolist(), strict=True))
        truth = {(int(fold.user[query]), int(item)) for query in range(len(fold)) for item in fold.truth.row(query)}
        assert truth.isdisjoint(taken)
        newest = {int(user): int(time) for user, time in zip(past.user, past.time, strict=True)}
        assert all(newest.get(int(user), 0) < now for user, now in zip(fold.user, fold.now, strict=True))


def test_a_first_stage_that_has_seen_the_labels_is_refused(fold: Fold) -> None:
    with pytest.raises(DataError, match=r"its first stage was fitted on .* may have seen the labels"):
        fold_rows(CONFIG, fold, fit_first_stage(CONFIG, DATA, seed=0), seed=0)


def test_if_it_were_not_it_would_teach_a_gain_that_never_comes_again(
    fold: Fold, first: FirstStage, part: FoldRows
) -> None:
    """It puts the labels far higher than an honest one can."""
    seen_all = replace(fit_first_stage(CONFIG, DATA, seed=0), learnt_from=first.learnt_from)
    leaky = fold_rows(CONFIG, fold, seen_all, seed=0)
    assert leaky.ceiling.sources["steps"] > part.ceiling.sources["steps"] + 0.05
    honest_rank, leaky_rank = (mean_rank_of_labels(one, first) for one in (part, leaky))
    assert leaky_rank < 0.9 * honest_rank


def mean_rank_of_labels(part: FoldRows, first: FirstStage) -> float:
    ranks = part.rows.features[part.rows.label > 0, first.features.names.index("steps_rank")]
    return float(np.nanmean(ranks))


def test_every_row_is_a_candidate_with_its_features_and_what_became_of_it(
    fold: Fold, first: FirstStage, part: FoldRows
) -> None:
    rows = part.rows
    for query in np.unique(rows.group)[:40]:
        one = fold_queries(fold).take(np.array([query]))
        found = first.candidates(one)
        features = first.features.compute(one, found, first.retrievers)
        labels = np.isin(found.item, fold.truth.row(query))
        mine = rows.group == query
        taught = {
            features.tobytes(): label for features, label in zip(rows.features[mine], rows.label[mine], strict=True)
        }
        wanted = {features.tobytes(): label for features, label in zip(features, labels, strict=True)}
        assert taught.items() <= wanted.items()
        assert sum(taught.values()) == labels.sum()
        assert (rows.user[mine] == fold.user[query]).all()


def test_queries_with_a_label_teach_all_labels_and_so_many_others(
    fold: Fold, first: FirstStage, part: FoldRows
) -> None:
    rows = part.rows
    for query in range(len(fold)):
        found = first.candidates(fold_queries(fold).take(np.array([query])))
        labels, mine = np.isin(found.item, fold.truth.row(query)).sum(), rows.group == query
        assert rows.label[mine].sum() == labels
        assert (rows.label[mine] == 0).sum() == (min(len(found) - labels, 20) if labels else 0)


def test_retrieval_ceiling_counts_every_miss(fold: Fold, first: FirstStage, part: FoldRows) -> None:
    hits, proposals = dict.fromkeys((*first.retrievers, "any"), 0), 0
    for query in range(len(fold)):
        one = fold_queries(fold).take(np.array([query]))
        truth, union = set(fold.truth.row(query).tolist()), set[int]()
        for name, retriever in first.retrievers.items():
            proposed = set(retriever.retrieve(one, 20).item.tolist())
            hits[name] += len(proposed & truth)
            union |= proposed
        hits["any"] += len(union & truth)
        proposals += len(union)
    ceiling = part.ceiling
    assert (ceiling.fold, ceiling.queries, ceiling.truth) == ("last-1", len(fold), len(fold.truth.item))
    union_share = hits.pop("any") / ceiling.truth
    assert ceiling.union == pytest.approx(union_share)
    assert ceiling.sources == pytest.approx({name: count / ceiling.truth for name, count in hits.items()})
    assert ceiling.candidates_per_query == pytest.approx(proposals / len(fold))
    assert 0.5 < ceiling.union < 1


def test_rows_do_not_depend_on_the_size_of_blocks(
    fold: Fold, first: FirstStage, part: FoldRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which others are drawn does; the labels, their features and the ceiling do not."""
    monkeypatch.setattr("encorec.pipeline.two_stage.CELLS_PER_BLOCK", 70 * fold.past.interactions.items)
    blocks = fold_rows(CONFIG, fold, first, seed=0)
    assert blocks.ceiling == part.ceiling
    for name in ("features", "user"):
        values, others = (getattr(one, name)[one.label > 0] for one in (blocks.rows, part.rows))
        np.testing.assert_array_equal(values, others)
    sizes, others = (np.unique(one.group, return_counts=True)[1] for one in (blocks.rows, part.rows))
    np.testing.assert_array_equal(sizes, others)


def test_the_same_seed_gives_the_same_rows(fold: Fold, first: FirstStage, part: FoldRows) -> None:
    again, other = (fold_rows(CONFIG, fold, first, seed=seed) for seed in (0, 1))
    for name in ("features", "label", "group", "user"):
        np.testing.assert_array_equal(getattr(again.rows, name), getattr(part.rows, name))
    assert other.rows.features.tobytes() != part.rows.features.tobytes()


def test_of_many_users_some_are_drawn(fold: Fold, first: FirstStage) -> None:
    few = msgspec.structs.replace(CONFIG, training=TrainingConfig(max_queries=17, negatives=20))
    part = fold_rows(few, fold, first, seed=0)
    assert part.ceiling.queries == 17
    assert len(set(part.rows.user.tolist())) <= 17
    assert set(part.rows.user.tolist()) <= set(fold.user.tolist())


def test_progress_is_told_of_every_block(fold: Fold, first: FirstStage) -> None:
    told: list[tuple[str, int, int]] = []
    fold_rows(CONFIG, fold, first, 0, lambda *step: told.append(step))
    fit_first_stage(CONFIG, fold.past, 0, lambda *step: told.append(step))
    fits = [(f"fit {name}", place, 4) for place, name in enumerate(CONFIG.retrievers)]
    assert told == [("candidates of fold last-1", 0, len(fold)), *fits]


def test_a_fold_with_nothing_to_teach_is_left_out_and_an_error_only_where_all_are(
    fold: Fold, first: FirstStage
) -> None:
    never_taken = replace(fold, truth=ItemLists.of([[149]] * len(fold)))
    idle, taught = fold_rows(CONFIG, never_taken, first, seed=0), fold_rows(CONFIG, fold, first, seed=0)
    assert (len(idle.rows), idle.ceiling.union) == (0, 0.0)
    names = first.features.names
    alone, beside = (fit_ranker(CONFIG, parts, names, seed=0).served for parts in ([taught], [idle, taught]))
    assert alone.score(taught.rows.features).tolist() == beside.score(taught.rows.features).tolist()
    with pytest.raises(DataError, match="none of 1 label folds holds an item that a retriever proposed"):
        fit_ranker(CONFIG, [idle], names, seed=0)


def test_each_retriever_has_its_own_stream_of_the_seed() -> None:
    one, again, other = (fit_first_stage(CONFIG, DATA, seed).retrievers["als"] for seed in (3, 3, 4))
    factors = [retriever.arrays() for retriever in (one, again, other)]  # pyright: ignore[reportAttributeAccessIssue]
    assert all((factors[0][name] == factors[1][name]).all() for name in factors[0])
    assert any((factors[0][name] != factors[2][name]).any() for name in factors[0])


def test_older_folds_grow_the_trees_and_the_newest_says_when_to_stop(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, *older = trained.exam.parts
    names, seen = trained.exam.pipeline.first.features.names, []
    grow = CatBoostRanker.fit

    def spy(self: Any, rows: Any, *given: Any, watched: Any, **more: Any) -> Any:
        seen.append((rows, watched))
        return grow(self, rows, *given, watched=watched, **more)

    monkeypatch.setattr(CatBoostRanker, "fit", spy)
    ranker = fit_ranker(CONFIG, trained.exam.parts, names, seed=0)
    (taught, watched), (every, nobody) = seen
    assert watched is newest.rows
    assert len(taught) == sum(len(part.rows) for part in older)
    assert len(every) == len(taught) + len(newest.rows)
    assert len(nobody) == 0
    assert 0 < ranker.apart.trees == ranker.served.trees <= 60
    assert ranker.apart.score(newest.rows.features).tolist() != ranker.served.score(newest.rows.features).tolist()
    seen.clear()
    fit_ranker(CONFIG, [replace(newest, routing=None)], names, seed=0)
    assert seen[0] == (newest.rows, None)
    np.testing.assert_array_equal(seen[1][0].features, newest.rows.features)


def test_the_newest_fold_teaches_only_where_it_is_wanted(trained: Trained) -> None:
    parts, names = trained.exam.parts, trained.exam.pipeline.first.features.names
    training = msgspec.structs.replace(CONFIG.training, newest_teaches=False)
    ranker = fit_ranker(msgspec.structs.replace(CONFIG, training=training), parts, names, seed=0)
    assert ranker.served is ranker.apart


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"retrievers": {}}, "retrievers: at least one is needed"),
        ({"candidates": CandidatesConfig(quotas={"poplar": 3})}, r"candidates\.quotas: .*did you mean 'popular'\?"),
        ({"features": FeatureConfig(recent_sources=("kn",))}, r"features\.recent_sources: .*did you mean 'knn'\?"),
        ({"candidates": CandidatesConfig(quotas=dict.fromkeys(CONFIG.retrievers, 0))}, "all are 0, so nothing"),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        PipelineConfig(**{"retrievers": CONFIG.retrievers, **changes})


@pytest.mark.parametrize("quota", [-1, 100_001])
def test_a_quota_out_of_bounds_is_refused(quota: int) -> None:
    with pytest.raises(ConfigError, match=rf"candidates: quotas\.als is {quota}, allowed is 0 to 100000"):
        CandidatesConfig(quotas={"als": quota})


def test_quotas_are_those_named_and_one_number_for_the_others() -> None:
    config = msgspec.structs.replace(CONFIG, candidates=CandidatesConfig(per_source=9, quotas={"knn": 4, "als": 0}))
    assert config.quotas() == {"steps": 9, "knn": 4, "als": 0, "popular": 9}


def test_features_are_resolved_for_the_retrievers_at_hand() -> None:
    """Item-to-item retrievers are asked with short histories; own events tell nothing where seen items never return."""
    kinds = {"a": CovisitationConfig(), "b": ItemKNNConfig(), "c": EASEConfig(), "d": PopularityConfig()}
    config = PipelineConfig(retrievers=kinds)
    assert config.resolved_features().recent_sources == ("a", "b")
    assert "own" not in config.resolved_features().groups
    kept = msgspec.structs.replace(config, seen="keep", features=FeatureConfig(recent_sources=("c",)))
    assert kept.resolved_features().recent_sources == ("c",)
    assert "own" in kept.resolved_features().groups


def test_a_pipeline_without_user_features_and_with_repeats_works() -> None:
    """Everything that the small world has and another one has not."""
    bare = Dataset.of(DATA.interactions)
    config = msgspec.structs.replace(CONFIG, seen="keep")
    fold = LastN(drop_seen=False).folds(bare)[0]
    part = fold_rows(config, fold, first := fit_first_stage(config, fold.past, 0), 0)
    assert part.rows.features.shape[1] == len(first.features.names)
    assert not {"genres_affinity", "user_age"} & set(first.features.names)
    assert "own_events" in first.features.names
