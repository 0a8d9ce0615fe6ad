"""Scores as probabilities: of a world that knows them, from rows that are drawn, after saving, in every answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import small_run, small_world

from encorec.pipeline import score_calibration
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.checkpoints import Checkpoints
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import FoldRows, RetrievalCeiling, TrainingConfig, fit_ranker
from encorec.pipeline.score_calibration import CalibrationDraw, calibrate, divided, held_apart
from encorec.ranking.calibration import CalibrationKind
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.platt import logistic
from encorec.ranking.training_set import TrainingSet, sample
from encorec.types import FloatMatrix, FloatVector, IntVector
from encorec.workflow import examine, train

KINDS: tuple[CalibrationKind, ...] = ("isotonic", "platt")
DATA = small_world()
QUERIES, PER_QUERY = 1500, 40
CEILING = RetrievalCeiling(fold="f", queries=1, truth=1, union=1.0, sources={}, candidates_per_query=1.0)


def label_fold(seed: int) -> tuple[FloatMatrix, FloatVector, FloatVector, IntVector]:
    """Candidates of users who take each of them independently, about 3 % in all: features, chances, taken, query."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(QUERIES * PER_QUERY, 2)).astype(np.float32)
    chance = logistic(1.2 * features[:, 0] - 4)
    query = np.repeat(np.arange(QUERIES), PER_QUERY)
    return features, chance, (rng.random(len(chance)) < chance).astype(np.float32), query


def taught_by(seed: int) -> FoldRows:
    """Training rows as training draws them: five negatives per query, none of queries without a positive."""
    features, _, taken, query = label_fold(seed)
    rng = np.random.default_rng(seed)
    draw = CalibrationDraw("platt", QUERIES, PER_QUERY, rng)
    half = len(taken) // 2
    for block in (slice(half), slice(half, None)):
        draw.add(features[block], taken[block], query[block])
    kept = sample(taken, query, 5, rng)
    return FoldRows(TrainingSet(features[kept], taken[kept], query[kept], query[kept]), CEILING, draw.rows())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folds", [1, 3])
def test_known_probabilities_are_found_though_training_rows_are_drawn(
    kind: CalibrationKind, folds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_calibration, "LARGEST", QUERIES * PER_QUERY // 4)
    parts = [taught_by(seed) for seed in range(folds)]
    config = small_run(calibration=kind, ranker=CatBoostConfig(max_trees=80, depth=3, learning_rate=0.1))
    ranker = fit_ranker(config, parts, ("a", "b"), seed=0).apart
    found = calibrate(kind, parts, ranker, 0)
    assert found is not None
    features, chance, _, _ = label_fold(99)
    raw = ranker.score(features)
    said = found.probability(raw)
    assert said.mean() == pytest.approx(chance.mean(), rel=0.1)
    assert np.average(np.abs(said - chance)) < 0.008
    assert logistic(raw).mean() > 3 * chance.mean(), "what training rows alone would say"


def test_a_draw_keeps_what_was_taken_and_stands_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_calibration, "LARGEST", 6000)
    features, _, taken, query = label_fold(1)
    draw = CalibrationDraw("isotonic", QUERIES, PER_QUERY, np.random.default_rng(0))
    draw.add(features, taken, query)
    rows = draw.rows()
    assert rows is not None
    assert rows.label.sum() == taken.sum()
    assert len(rows.label) < 6000 + taken.sum()
    assert rows.weight.sum() == pytest.approx(len(taken), rel=0.05)
    assert set(rows.weight.tolist()) == {1.0, 10.0}
    assert len(set(rows.user.tolist())) > 0.9 * QUERIES, "also users who took nothing"


def test_the_draw_takes_nothing_from_the_stream_of_the_negatives() -> None:
    drawn, plain = np.random.default_rng(3), np.random.default_rng(3)
    draw = CalibrationDraw("platt", 1, 1, drawn)
    draw.add(np.zeros((9, 1), np.float32), np.zeros(9), np.zeros(9, int))
    assert drawn.random() == plain.random()
    assert CalibrationDraw("none", 1, 1, drawn).rows() is None


def test_of_a_single_fold_users_are_divided_and_none_is_on_both_sides() -> None:
    fold = taught_by(0)
    taught, watched = divided(True, fold.rows, 7)
    assert watched is not None
    assert set(taught.user.tolist()).isdisjoint(watched.user.tolist())
    assert held_apart(watched.user, 7).all()
    assert not held_apart(taught.user, 7).any()
    assert len(watched) / len(fold.rows) == pytest.approx(0.2, abs=0.05)


def test_of_several_folds_the_newest_grows_no_tree_and_calibrates(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FloatMatrix] = []
    score = CatBoostRanker.score

    def spy(self: CatBoostRanker, features: FloatMatrix) -> FloatVector:
        seen.append(features)
        return score(self, features)

    parts = [taught_by(0), taught_by(1)]
    ranker = fit_ranker(small_run(calibration="platt"), parts, ("a", "b"), seed=0).apart
    monkeypatch.setattr(CatBoostRanker, "score", spy)
    calibrate("platt", parts, ranker, 0)
    [features] = seen
    assert parts[0].calibration is not None
    assert features is parts[0].calibration.features


def test_checkpoints_keep_the_rows(tmp_path: Path) -> None:
    fold, checkpoints = taught_by(2), Checkpoints(tmp_path)
    checkpoints.kept(["key"], lambda: fold)
    again = checkpoints.kept(["key"], lambda: pytest.fail("made anew"))
    assert fold.calibration is not None
    assert again.calibration is not None
    for name in ("features", "label", "weight", "user"):
        np.testing.assert_array_equal(getattr(again.calibration, name), getattr(fold.calibration, name))
    plain = replace(fold, calibration=None)
    checkpoints.kept(["other"], lambda: plain)
    assert checkpoints.kept(["other"], lambda: pytest.fail("made anew")).calibration is None


@pytest.mark.parametrize("kind", KINDS)
def test_answers_show_probabilities_in_the_same_order_also_after_loading(kind: CalibrationKind, tmp_path: Path) -> None:
    run = small_run(calibration=kind, training=TrainingConfig(folds=2, negatives=5, guard=False))
    exam = examine(run, DATA)
    pipeline, queries = exam.pipeline, fold_queries(exam.test)
    raw = replace(pipeline, calibration=None).recommend(queries, 10)
    shown = pipeline.recommend(queries, 10)
    np.testing.assert_array_equal(shown.item, raw.item)
    assert pipeline.calibration is not None
    np.testing.assert_array_equal(shown.score, pipeline.calibration.probability(raw.score).astype(np.float32))
    told = shown.score[shown.item >= 0]
    assert ((told > 0) & (told < 1)).all()
    saved = load_artifact(train(run, DATA, tmp_path / "artifact", exam=exam)).pipeline
    assert saved.calibration is not None
    again = saved.recommend(queries, 10)
    plain = replace(saved, calibration=None).recommend(queries, 10)
    np.testing.assert_array_equal(again.score, saved.calibration.probability(plain.score).astype(np.float32))


def test_where_the_guard_serves_a_retriever_its_scores_stay_as_they_are(tmp_path: Path) -> None:
    table = DATA.interactions
    shuffled = replace(DATA, interactions=replace(table, item=np.random.default_rng(1).permutation(table.item)))
    run = small_run(calibration="isotonic", training=TrainingConfig(folds=2, negatives=5, guard=True))
    exam = examine(run, shuffled)
    assert not exam.won
    assert load_artifact(train(run, shuffled, tmp_path / "artifact", exam=exam)).pipeline.calibration is None
