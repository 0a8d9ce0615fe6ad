"""What each part is worth: the same as a run that never had it, and resumable."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.worlds import small_run, small_world

from encorec.errors import ConfigError
from encorec.evaluation.report.ablation import ablation
from encorec.pipeline.candidate_features import FeatureConfig
from encorec.pipeline.checkpoints import Checkpoints
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.verdict import EvaluationConfig
from encorec.verdict.ablation import Sat, ablate
from encorec.verdict.drops import Drop, drops_of, without
from encorec.workflow import RunConfig, examine

DATA = small_world()
RUN = small_run(
    retrievers={"steps": CovisitationConfig(window=2, last=3), "knn": ItemKNNConfig(), "popular": PopularityConfig()},
    ranker=CatBoostConfig(max_trees=20, depth=4),
    training=TrainingConfig(folds=2, negatives=10),
    evaluation=EvaluationConfig(resamples=200, explain=False),
)
DROPS = [Drop("group", "recent"), Drop("retriever", "popular"), Drop("retriever", "steps")]


@pytest.fixture(scope="module")
def sat() -> Sat:
    exam = examine(RUN, DATA)
    return Sat(RUN.pipeline, RUN.evaluation, RUN.split, RUN.seed, exam.parts, exam.test, exam.pipeline)


@pytest.fixture(scope="module")
def found(sat: Sat) -> dict[str, Any]:
    return ablate(sat, DROPS)


def told(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["drops"] if one["name"] == name)


@pytest.mark.parametrize("drop", [DROPS[0], DROPS[1]], ids=["group", "last retriever"])
def test_it_is_what_a_run_without_the_part_would_have_said(drop: Drop, found: dict[str, Any]) -> None:
    """Retrievers draw from streams by their place, so leaving out the last one leaves the others as they are."""
    pipeline = without(RUN.pipeline, drop)
    names = ("retrievers", "candidates", "features")
    run = msgspec.structs.replace(RUN, **{name: getattr(pipeline, name) for name in names})
    report = examine(run, DATA).report
    assert told(found, drop.name)["mean"] == pytest.approx(report["systems"]["two-stage"]["ndcg@10"]["mean"])
    assert told(found, drop.name)["ceiling"] == report["ceilings"][0]["union"]


def test_differences_are_paired_with_the_full_pipeline(sat: Sat, found: dict[str, Any]) -> None:
    assert found["full"]["mean"] == pytest.approx(examine(RUN, DATA).report["systems"]["two-stage"]["ndcg@10"]["mean"])
    for one in found["drops"]:
        gap = one["difference"]
        assert gap["mean"] == pytest.approx(one["mean"] - found["full"]["mean"])
        assert gap["ci95"][0] <= gap["mean"] <= gap["ci95"][1]
        assert gap["p"] <= gap["p_holm"] <= 1
    steps = told(found, "steps")
    assert steps["difference"]["ci95"][1] < 0  # what follows what is what this world is made of
    assert steps["ceiling"] < found["full"]["ceiling"]
    assert told(found, "recent")["ceiling"] == found["full"]["ceiling"]
    assert told(found, "recent")["features"] < found["full"]["features"]


def test_an_interrupted_ablation_goes_on_where_it_stopped(
    sat: Sat, found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path)

    def interrupting(what: str, _done: int, _total: int) -> None:
        if what == "judge without popular":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate(sat, DROPS, progress=interrupting, checkpoints=checkpoints)
    fits: list[str] = []
    again = ablate(sat, DROPS, progress=lambda what, *_: fits.append(what), checkpoints=checkpoints)
    assert again == found
    assert not [what for what in fits if what.startswith("fit ") or "candidates" in what]
    judged = [what for what in dict.fromkeys(fits) if what.startswith("judge")]
    assert judged == ["judge the full pipeline", "judge without popular", "judge without steps"]


def test_the_report_has_a_figure_and_a_table(found: dict[str, Any]) -> None:
    _, charts, table = ablation({"ablation": found})
    assert len(charts.blocks) == 2
    assert [row[0] for row in table.rows][:2] == ["full pipeline", "without recent"]


def test_all_parts_are_those_that_leave_something() -> None:
    names = [one.name for one in drops_of(RUN.pipeline)]
    assert names == ["scores", "recent", "items", "users", "traits", "static", "steps", "knn", "popular"]
    only = msgspec.structs.replace(
        RUN.pipeline,
        features=FeatureConfig(groups=("scores",)),
        candidates=CandidatesConfig(quotas={"knn": 0, "popular": 0}),
    )
    assert [one.name for one in drops_of(only)] == ["knn", "popular"]


def test_where_a_retriever_is_named_in_other_settings_it_goes_there_too() -> None:
    config = msgspec.structs.replace(
        RUN.pipeline,
        candidates=CandidatesConfig(quotas={"knn": 3}),
        features=FeatureConfig(recent_sources=("knn", "steps")),
    )
    left = without(config, Drop("retriever", "knn"))
    assert left.candidates.quotas == {}
    assert left.features.recent_sources == ("steps",)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("recentt", "did you mean 'recent'"),
        ("own", "this group of features is not used here"),
        ("recent", "a group and a retriever have that name; say group:recent or retriever:recent"),
        ("steps", "no other retriever proposes anything"),
    ],
)
def test_parts_that_cannot_be_left_out_are_refused(name: str, told: str) -> None:
    retrievers = {"steps": CovisitationConfig(), "recent": PopularityConfig()}
    config: RunConfig = replace_run(retrievers, CandidatesConfig(quotas={"recent": 0}))
    with pytest.raises(ConfigError, match=told):
        drops_of(config.pipeline, [name])
    assert drops_of(config.pipeline, ["group:recent", "retriever:recent"]) == [
        Drop("group", "recent"),
        Drop("retriever", "recent"),
    ]


def replace_run(retrievers: dict[str, Any], candidates: CandidatesConfig) -> RunConfig:
    return msgspec.structs.replace(RUN, retrievers=retrievers, candidates=candidates)


def test_torn_judgements_are_made_again(sat: Sat, found: dict[str, Any], tmp_path: Path) -> None:
    ablate(sat, DROPS[:1], checkpoints=Checkpoints(tmp_path))
    for path in tmp_path.glob("*.values.npy"):
        path.write_bytes(path.read_bytes()[:40])
    again = ablate(replace(sat), DROPS[:1], checkpoints=Checkpoints(tmp_path))
    assert again["drops"][0]["mean"] == told(found, "recent")["mean"]
    assert np.isfinite(again["full"]["mean"])
