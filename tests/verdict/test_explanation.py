"""The explanation of the newest exam: SHAP values that add up, intervals over users, and a page that shows them."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.contracts.worlds import lessons
from tests.worlds import Trained

from encorec.evaluation.report.explanation import features
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.manifest import read_manifest
from encorec.pipeline.two_stage import TwoStage
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.explain import mean_contributions, ndcg, permutation_losses
from encorec.ranking.registry import make_ranker
from encorec.verdict.explanation import POINTS, ROWS_PER_USER, explain_exam, without_points


@pytest.fixture(scope="module")
def told(trained: Trained) -> dict[str, Any]:
    return trained.exam.report["explanation"]


def test_importance_is_the_mean_absolute_shap_value_with_its_interval(trained: Trained, told: dict[str, Any]) -> None:
    assert told["users"] == len(trained.exam.test) == 298
    assert told["rows"] == 298 * ROWS_PER_USER
    means = [one["mean"] for one in told["features"].values()]
    assert means == sorted(means, reverse=True)
    assert set(told["features"]) == set(trained.exam.pipeline.first.features.names)
    pipeline, queries = trained.exam.pipeline, fold_queries(trained.exam.test)
    found = pipeline.first.candidates(queries)
    rows = pipeline.first.features.compute(queries, found, pipeline.first.retrievers)
    ranker: Any = pipeline.ranker
    everything = np.abs(ranker.contributions(rows)[:, :-1]).mean(axis=0)  # of all candidates, told is of some
    strongest = int(np.argmax(everything))
    name = pipeline.first.features.names[strongest]
    assert name == next(iter(told["features"]))
    assert told["features"][name]["mean"] == pytest.approx(everything[strongest], rel=0.2)
    for one in told["features"].values():
        assert one["ci95"][0] <= one["mean"] <= one["ci95"][1]


def test_what_decides_is_missed_when_it_is_shuffled(told: dict[str, Any]) -> None:
    losses = {name: one["loss"] for name, one in told["features"].items() if one["loss"]}
    assert len(losses) == len(told["swarm"]) == 20
    assert told["metric"] == "ndcg@10"
    most = max(losses.values(), key=lambda loss: loss["mean"])
    assert most["ci95"][0] > 0


def test_the_feature_that_makes_the_label_is_used_most_and_missed_most() -> None:
    rows = lessons(rows=3000)
    names = tuple(f"f{one}" for one in range(rows.features.shape[1]))
    ranker = make_ranker(CatBoostConfig(max_trees=60)).fit(rows, names, seed=0)
    query, wanted = rows.group, np.bincount(rows.group, rows.label > 0).astype(np.int64)
    used = mean_contributions(ranker.contributions(rows.features), query).mean(axis=0)
    losses = permutation_losses(
        ranker,
        rows.features,
        lambda scores: ndcg(scores, rows.label, query, wanted, 10),
        np.arange(len(names)),
        np.random.default_rng(0),
    )
    assert int(np.argmax(used)) == int(np.argmax(losses.mean(axis=0))) == 0
    error = losses[:, 0].std() / len(losses) ** 0.5
    assert losses[:, 0].mean() > 5 * error
    assert np.abs(losses[:, 1:].mean(axis=0)).max() < 0.2 * losses[:, 0].mean()


def test_points_are_few_and_levels_are_shares(told: dict[str, Any]) -> None:
    for one in told["swarm"].values():
        assert len(one["contribution"]) == len(one["level"]) == POINTS
        assert all(level is None or 0 <= level <= 1 for level in one["level"])
    assert msgspec.json.decode(msgspec.json.encode(told)) == told


def test_the_same_seed_explains_alike_and_nothing_is_said_without_a_ranker(trained: Trained) -> None:
    exam = trained.exam
    again, other = (explain_exam("ndcg@10", exam.test, "exclude", exam.pipeline, seed) for seed in (0, 1))
    assert again["explanation"] == exam.report["explanation"]
    assert other != again
    assert explain_exam("ndcg@10", exam.test, "exclude", TwoStage(exam.pipeline.first), 0) == {}
    assert explain_exam("mrr@3", exam.test.take(np.arange(2)), "exclude", exam.pipeline, 0)["explanation"]["users"] == 2


def test_the_manifest_leaves_the_points_out(trained: Trained) -> None:
    figures = read_manifest(trained.folder).figures
    assert figures["explanation"]["features"]
    assert "swarm" not in figures["explanation"]
    assert without_points({"seed": 1}) == {"seed": 1}


def test_the_page_shows_the_summary_plot(trained: Trained) -> None:
    _, summary, beside, table = features(trained.exam.report)
    assert summary.svg.startswith("<svg")
    assert all(name in summary.svg for name in ("steps_scaled", "low", "high", "SHAP value"))
    assert len(beside.blocks) == 2
    assert len(table.blocks[0].rows) == len(trained.exam.pipeline.first.features.names)
    without = features(without_points(trained.exam.report))
    assert len(without) == 3


def test_a_source_that_gives_the_order_is_not_explained(trained: Trained) -> None:
    served = replace(trained.exam.pipeline, ranker=None, source="steps")
    assert explain_exam("ndcg@10", trained.exam.test, "exclude", served, 0) == {}
