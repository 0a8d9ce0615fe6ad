"""From a configuration to a verdict: every figure honest, every fold fitted on its own past, interruptions harmless."""

from collections.abc import Callable
from dataclasses import replace
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import Trained, small_run, small_world

from encorec import workflow
from encorec.data.dataset import Dataset
from encorec.data.splits import Fold, LastN, TimeCut
from encorec.errors import ConfigError, DataError
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.checkpoints import Checkpoints
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
from encorec.pipeline.manifest import read_manifest
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.retrieval.repeats import RepeatsConfig
from encorec.verdict import EvaluationConfig, single_lists
from encorec.workflow import Exam, examine, refit, train

DATA = small_world()
TWO = {"steps": CovisitationConfig(window=2, last=3), "popular": PopularityConfig()}
QUICK: dict[str, Any] = {
    "retrievers": TWO,
    "candidates": CandidatesConfig(per_source=10),
    "ranker": CatBoostConfig(max_trees=5),
    "training": TrainingConfig(folds=3, negatives=5, guard=False),
}
HOPELESS = QUICK | {"ranker": CatBoostConfig(max_trees=1, depth=1)}


@pytest.fixture(scope="module")
def exam(trained: Trained) -> Exam:
    return trained.exam


def lists_of(exam: Exam, system: str) -> list[list[int]]:
    """Ten items for every user of the test, asked for one by one."""
    pipeline, queries = exam.pipeline, fold_queries(exam.test)
    asked = (queries.take(np.array([row])) for row in range(len(queries)))
    if system in pipeline.first.retrievers:
        return [pipeline.first.retrievers[system].retrieve(one, 10).item.tolist() for one in asked]
    recommender = pipeline if system == "two-stage" else TwoStage(pipeline.first)
    return [recommender.recommend(one, 10).item[0].tolist() for one in asked]


@pytest.mark.parametrize("system", ["steps", "knn", "als", "popular", "rrf", "two-stage"])
def test_the_figures_of_a_system_are_those_of_its_lists(exam: Exam, system: str) -> None:
    lists, figures = lists_of(exam, system), exam.report["systems"][system]
    wanted = [exam.test.truth.row(row).item() for row in range(len(exam.test))]
    ranks = [row.index(item) + 1 if item in row else None for row, item in zip(lists, wanted, strict=True)]
    ndcg = sum(1 / log2(1 + rank) for rank in ranks if rank) / len(ranks)
    assert figures["ndcg@10"]["mean"] == pytest.approx(ndcg)
    assert figures["recall@10"]["mean"] == pytest.approx(sum(rank is not None for rank in ranks) / len(ranks))
    assert figures["mrr@10"]["mean"] == pytest.approx(sum(1 / rank for rank in ranks if rank) / len(ranks))
    assert figures["coverage@10"]["mean"] == pytest.approx(len({item for row in lists for item in row}) / 150)


def test_the_verdict_compares_with_every_retriever_and_names_the_best(exam: Exam) -> None:
    verdict, systems = exam.report["verdict"], exam.report["systems"]
    means = {name: figures["ndcg@10"]["mean"] for name, figures in systems.items()}
    best = max(exam.pipeline.first.retrievers, key=lambda name: means[name])
    gains = exam.report["comparisons"]
    assert gains.keys() == means.keys() - {"two-stage"}
    for name, gain in gains.items():
        assert gain["mean"] == pytest.approx(means["two-stage"] - means[name])
    assert exam.won is verdict["win"] is all(gains[name]["ci95"][0] > 0 for name in exam.pipeline.first.retrievers)
    assert verdict["best_retriever"] == best
    told = f"ndcg@10: {means['two-stage']:.4f} against {means[best]:.4f} of the best retriever, {best}: "
    assert verdict["sentence"].startswith(f"the two-stage WINS. {told}")


def test_without_a_gain_the_verdict_says_so_aloud(lost: Exam) -> None:
    assert not lost.won
    assert lost.report["verdict"]["sentence"].startswith("NO GAIN from the second stage. ndcg@10: ")


def test_the_report_says_what_was_learnt_from(exam: Exam) -> None:
    report = exam.report
    assert (report["name"], report["seed"], report["data"]["interactions"]) == ("small", 0, len(DATA.interactions))
    assert report["data"]["fingerprint"] == DATA.fingerprint
    assert report["split"]["fold"] == "last-1"
    assert [ceiling["truth"] for ceiling in report["ceilings"]] == [298, 298, 294]
    ranker = report["ranker"]
    assert ranker["rows"] == sum(len(part.rows) for part in exam.parts)
    assert list(ranker["importance"]) == sorted(ranker["importance"], key=lambda name: -ranker["importance"][name])
    assert sum(ranker["importance"].values()) == pytest.approx(1)


def test_without_a_description_of_the_items_diversity_is_left_out() -> None:
    report = examine(small_run(**QUICK), Dataset.of(DATA.interactions)).report
    assert "ild@10" not in report["systems"]["steps"]
    assert "miuf@10" in report["systems"]["steps"]


def test_where_seen_items_return_they_are_asked_for_and_may_be_shown() -> None:
    table = DATA.interactions
    twice = replace(DATA, interactions=table.take(np.sort(np.tile(np.arange(len(table)), 2))))
    run = small_run(**QUICK | {"retrievers": {**TWO, "again": RepeatsConfig()}}, seen="keep")
    done = examine(run, twice)
    assert done.report["split"]["seen_rows"] == 298
    recall = {name: figures["recall@10"]["mean"] for name, figures in done.report["systems"].items()}
    assert recall["again"] > 2 * recall["popular"]
    assert "own_events" in done.pipeline.first.features.names


class Spy:
    """Calls the real function, and remembers what it was given and what it gave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._real: Callable[..., Any] = getattr(workflow, name)
        self.calls: list[tuple[tuple[Any, ...], Any]] = []
        monkeypatch.setattr(workflow, name, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        result = self._real(*given, **named)
        self.calls.append((given, result))
        return result


def pairs(data: Dataset) -> set[tuple[int, int]]:
    return set(zip(data.interactions.user.tolist(), data.interactions.item.tolist(), strict=True))


@pytest.mark.parametrize("split", [LastN(), TimeCut(days=20)])
def test_every_first_stage_is_fitted_on_the_past_of_its_fold_and_on_nothing_else(
    split: LastN | TimeCut, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, rows = Spy(monkeypatch, "fit_first_stage"), Spy(monkeypatch, "fold_rows")
    done = examine(small_run(**QUICK, split=split), DATA)
    learnt_from: dict[FirstStage, Dataset] = {id(first): data for (_, data, *_), first in fits.calls}  # pyright: ignore
    folds: list[tuple[Fold, FirstStage]] = [(fold, first) for (_, fold, first, *_), _ in rows.calls]
    assert len(folds) == 3
    for fold, first in [*folds, (done.test, done.pipeline.first)]:
        data = learnt_from[id(first)]  # pyright: ignore
        assert data is fold.past
        asked = {(int(fold.user[row]), int(item)) for row in range(len(fold)) for item in fold.truth.row(row)}
        assert asked.isdisjoint(pairs(data))


def test_the_refit_learns_from_everything_and_the_test_becomes_the_newest_label_fold(
    exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, rows, rankers = (Spy(monkeypatch, name) for name in ("fit_first_stage", "fold_rows", "fit_ranker"))
    pipeline = refit(small_run(), DATA, exam)
    [((_, data, *_), first)] = fits.calls
    [((_, fold, asked, *_), newest)] = rows.calls
    [((_, parts, *_), ranker)] = rankers.calls
    assert data is DATA
    assert fold is exam.test
    assert asked is exam.pipeline.first
    assert parts == [newest, *exam.parts]
    assert (pipeline.first, pipeline.ranker) == (first, ranker.served)


@pytest.fixture(scope="module")
def lost() -> Exam:
    return examine(small_run(**HOPELESS), DATA)


def test_without_the_guard_the_ranker_is_shipped_all_the_same(lost: Exam) -> None:
    free = small_run(**HOPELESS | {"training": TrainingConfig(folds=3, negatives=5, guard=False)})
    pipeline = refit(free, DATA, lost)
    assert pipeline.ranker is not None
    assert pipeline.source is None


def interrupting(at: int) -> Callable[[str, int, int], None]:
    """Progress that is interrupted at the candidates of a label fold, counted from 1."""
    count = 0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal count
        count += what.startswith("candidates of fold")
        if count == at:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_exam_goes_on_where_it_stopped_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, checkpoints = small_run(**QUICK), Checkpoints(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        examine(run, DATA, progress=interrupting(at=3), checkpoints=checkpoints)
    rows = Spy(monkeypatch, "fold_rows")
    resumed = examine(run, DATA, checkpoints=checkpoints)
    assert len(rows.calls) == 1
    whole = examine(run, DATA)
    assert len(rows.calls) == 4
    assert resumed.report == whole.report
    queries = fold_queries(whole.test)
    slates, others = (one.pipeline.recommend(queries, 10) for one in (resumed, whole))
    np.testing.assert_array_equal(slates.score, others.score)


@pytest.mark.parametrize("changed", ["seed", "split", "features", "configuration"])
def test_folds_of_another_run_are_not_reused(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever mends the data or the configuration after an interruption must not get the old folds."""
    checkpoints, shelf = Checkpoints(tmp_path), DATA.item_features
    examine(small_run(**QUICK), DATA, checkpoints=checkpoints)
    rows = Spy(monkeypatch, "fold_rows")
    data, others = DATA, {}
    if changed == "features":
        data = replace(DATA, item_features=replace(shelf, numeric={"year": shelf.numeric["year"] + 1}))
    else:
        values = {"seed": 1, "split": LastN(n=2), "configuration": CandidatesConfig(per_source=11)}
        others = {{"configuration": "candidates"}.get(changed, changed): values[changed]}
    examine(small_run(**QUICK | others), data, checkpoints=checkpoints)
    assert len(rows.calls) == 3


def test_progress_tells_every_stage() -> None:
    told: list[str] = []
    examine(small_run(**QUICK), DATA, progress=lambda *step: told.append(step[0]))
    growing = ["grow trees", "grow trees from all folds"]
    stages = ["cut the data", "fit steps", "fit popular", "candidates of fold last-1", *growing]
    judged = ["judge two-stage", "judge steps", "judge popular", "judge rrf"]
    assert list(dict.fromkeys(told)) == [*stages, *judged, "resample users", "explain the ranker"]
    assert told.count("candidates of fold last-1") == 3


def test_a_trained_artifact_carries_golden_requests_of_known_users_and_a_guest(trained: Trained) -> None:
    golden = read_manifest(trained.folder).golden
    users = [entry["request"]["user_id"] for entry in golden]
    assert users[-1] is None
    assert len(users) == len(set(users)) == 5
    assert all(trained.data.interactions.user_counts[user] for user in users[:-1])
    assert all(len(entry["item_ids"]) == 10 for entry in golden)


def test_few_users_are_enough_to_train(tmp_path: Path) -> None:
    few = DATA.restrict(np.isin(DATA.interactions.user, [0, 4, 8]))
    run = small_run(**QUICK | {"training": TrainingConfig(folds=1)})
    folder = train(run, few, tmp_path / "artifact", exam=examine(run, few))
    assert [entry["request"]["user_id"] for entry in read_manifest(folder).golden] == [0, 4, 8, None]


@pytest.mark.parametrize(
    ("split", "told"),
    [
        (TimeCut(days=2000), "both sides need some: choose another cut or drop less"),
        (TimeCut(days=99), "no label fold fits before the test; use a shorter exam or more data"),
        (LastN(n=100), "both sides need some"),
    ],
)
def test_too_little_data_is_an_error(split: LastN | TimeCut, told: str) -> None:
    with pytest.raises(DataError, match=told):
        examine(small_run(**QUICK, split=split), DATA)


@pytest.mark.parametrize("metric", ["coverage@10", "gini@5", "ild@10"])
def test_a_verdict_needs_a_metric_that_every_user_has(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before the work, not after it."""
    fits = Spy(monkeypatch, "fit_first_stage")
    with pytest.raises(ConfigError, match=f"evaluation.metric: no user has a {metric} in these data"):
        examine(small_run(**QUICK, evaluation=EvaluationConfig(metric=metric)), Dataset.of(DATA.interactions))
    assert fits.calls == []


@pytest.mark.parametrize("name", ["rrf", "two-stage"])
def test_a_retriever_cannot_have_the_name_of_another_system(name: str) -> None:
    with pytest.raises(ConfigError, match=f"retrievers: '{name}' is a system of every report"):
        small_run(retrievers={name: PopularityConfig()})


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b", " "])
def test_a_retriever_must_be_able_to_name_a_folder(name: str) -> None:
    with pytest.raises(ConfigError, match="must name a folder too"):
        small_run(retrievers={name: PopularityConfig()})


def test_metrics_are_judged_at_lists_long_enough_for_all() -> None:
    config = EvaluationConfig(metric="mrr@3", metrics=("recall@20", "mrr@3", "map@5"))
    assert config.all_metrics == ("mrr@3", "recall@20", "map@5")
    assert config.k == 20


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"metric": "ndcg"}, "needs a cut-off"),
        ({"metrics": ("recal@10",)}, "did you mean 'recall'"),
        ({"resamples": 3}, "resamples is 3, allowed is 100 to 1e"),
    ],
)
def test_what_cannot_be_judged_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        EvaluationConfig(**settings)


def test_a_ranker_that_did_not_win_is_not_shipped(tmp_path: Path) -> None:
    """Shuffled items leave nothing to learn: the guard serves the best retriever's order, after loading too."""
    table = DATA.interactions
    shuffled = replace(table, item=np.random.default_rng(1).permutation(table.item))
    data = replace(DATA, interactions=shuffled)
    run = small_run(**QUICK | {"training": TrainingConfig(folds=3, negatives=5)})
    exam = examine(run, data)
    assert not exam.won
    artifact = load_artifact(train(run, data, tmp_path / "artifact", exam=exam))
    best = exam.report["verdict"]["best_retriever"]
    assert (artifact.manifest.order, artifact.pipeline.source, artifact.pipeline.ranker) == (best, best, None)
    queries = fold_queries(exam.test)
    alone = single_lists(artifact.pipeline.first.retrievers[best], queries, 10)
    assert artifact.pipeline.recommend(queries, 10).item.tolist() == alone.tolist()
