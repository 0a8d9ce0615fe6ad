"""Every kind of ranker goes the whole way: configuration, training, artifact, answers, explanation."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.worlds import small_run, small_world

from encorec.config import decode
from encorec.errors import ArtifactError, ConfigError
from encorec.evaluation.report.report_page import write_report
from encorec.pipeline.artifact import load_artifact
from encorec.pipeline.engine import load_engine
from encorec.pipeline.fit import PipelineConfig, TrainingConfig
from encorec.pipeline.requests import Request
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.lightgbm_ranker import LightGBMConfig
from encorec.ranking.linear_ranker import LinearConfig
from encorec.ranking.registry import RANKERS, LearntRanker, RankerConfig, load_ranker, make_ranker
from encorec.ranking.training_set import TrainingSet
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.workflow import RunConfig, examine, train

DATA = small_world()
TWO = {"steps": CovisitationConfig(window=2, last=3, damping=2), "popular": PopularityConfig()}
KINDS: dict[str, RankerConfig] = {
    "lightgbm": LightGBMConfig(max_trees=20, learning_rate=0.2, min_rows=5),
    "lambdarank": LightGBMConfig(objective="lambdarank", max_trees=20, learning_rate=0.2, min_rows=5),
    "linear": LinearConfig(max_steps=50),
    "seeds": CatBoostConfig(max_trees=10, seeds=2, positive_weight="balanced"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_way(kind: str, tmp_path: Path) -> None:
    run = small_run(ranker=KINDS[kind], retrievers=TWO, training=TrainingConfig(folds=2, negatives=20, guard=False))
    exam = examine(run, DATA)
    assert sum(exam.report["ranker"]["importance"].values()) == pytest.approx(1)
    assert (exam.report["ranker"]["trees"] == 0) is (kind == "linear")
    assert write_report(exam.report, tmp_path / "report.html").stat().st_size > 10_000
    folder = train(run, DATA, tmp_path / "artifact", exam=exam)
    engine = load_engine(folder)
    engine.check_golden()
    assert type(engine.artifact.pipeline.ranker) is RANKERS[type(KINDS[kind])]
    [answer] = engine.recommend([Request(user_id=3, explain=True)])
    for item in answer.items:
        assert item.explanation is not None
        assert len(item.explanation["contributions"]) == 5


def test_an_artifact_of_another_kind_than_it_says_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features, group = rng.random((200, 2)).astype(np.float32), np.arange(200) // 10
    rows = TrainingSet(features, (features[:, 0] > 0.5).astype(np.float32), group, group)
    for name, config in KINDS.items():
        folder = tmp_path / name
        folder.mkdir()
        make_ranker(config).fit(rows, ("a", "b"), seed=0).save(folder)
        for other in KINDS.values():
            if type(other) is type(config):
                assert isinstance(load_ranker(folder, other), LearntRanker)
            else:
                with pytest.raises(ArtifactError, match="train again"):
                    load_ranker(folder, other)


def test_a_configuration_without_a_kind_is_of_catboost() -> None:
    content = msgspec.to_builtins(small_run())
    content["ranker"] = {"depth": 3}
    assert decode(content, RunConfig).ranker == CatBoostConfig(depth=3)
    del content["ranker"]
    assert decode(content, RunConfig).ranker == CatBoostConfig()
    pipeline = {"retrievers": {"p": {"kind": "popularity"}}, "ranker": {"kind": "linear", "bins": 3}}
    assert decode(pipeline, PipelineConfig).ranker == LinearConfig(bins=3)
    with pytest.raises(ConfigError, match=r"unknown kind 'lightgmb': did you mean 'lightgbm'"):
        decode(pipeline | {"ranker": {"kind": "lightgmb"}}, PipelineConfig)


def test_an_old_manifest_names_its_kind() -> None:
    golden = load_artifact(Path(__file__).parents[1] / "golden" / "v1")
    assert isinstance(golden.config.ranker, CatBoostConfig)
