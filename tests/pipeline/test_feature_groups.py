"""All groups together: declared in a config, saved and loaded, the same for stored users and guests who tell all."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest
from tests.worlds import DAY, Trained, small_world

from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.splits import TimeCut
from encorec.errors import ConfigError
from encorec.pipeline.artifact import Artifact, load_artifact, save_artifact
from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig, GroupName
from encorec.pipeline.fit import PipelineConfig, fit_first_stage
from encorec.pipeline.query_building import build_queries
from encorec.pipeline.requests import PastEvent, Request
from encorec.pipeline.two_stage import TwoStage
from encorec.types import FloatMatrix, Queries

CONFIG = FeatureConfig(groups=get_args(GroupName), recent_events=(1, 3, 10))


def everything(trained: Trained) -> PipelineConfig:
    return msgspec.structs.replace(trained.run.pipeline, features=CONFIG)


@pytest.fixture(scope="module")
def saved(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = everything(trained)
    first = fit_first_stage(config, trained.data, seed=1)
    folder = tmp_path_factory.mktemp("groups") / "artifact"
    return save_artifact(folder, TwoStage(first), config, trained.data, name="groups", seed=1)


def featured(artifact: Artifact, queries: Queries) -> FloatMatrix:
    first = artifact.pipeline.first
    return first.features.compute(queries, first.candidates(queries), first.retrievers)


def asked(artifact: Artifact, requests: list[Request], now: int) -> FloatMatrix:
    return featured(artifact, build_queries(artifact, requests, [None] * len(requests), now)[0])


def told(artifact: Artifact, user: int) -> Request:
    """The same user as a guest who tells his history and his features."""
    history = artifact.histories.take(np.array([user]))
    events = [
        PastEvent(artifact.items.externals(history.item[place : place + 1])[0], float(history.time[place]))
        for place in range(len(history.item))
    ]
    events = [
        msgspec.structs.replace(one, weight=float(strength))
        for one, strength in zip(events, history.weight, strict=True)
    ]
    age, sex = artifact.user_features[user].tolist()
    known = {"age": age} if age == age else {}
    known |= {"sex": artifact.user_schema.categorical["sex"].values[int(sex)]} if sex == sex else {}
    return Request(history=tuple(events), user=known)


def test_loaded_features_are_those_that_were_fitted(trained: Trained, saved: Path) -> None:
    fitted = fit_first_stage(everything(trained), trained.data, seed=1)
    artifact = load_artifact(saved)
    queries, _ = build_queries(artifact, [Request(user_id=one) for one in range(9)], [None] * 9, artifact.data_end)
    wanted = fitted.features.compute(queries, fitted.candidates(queries), fitted.retrievers)
    np.testing.assert_array_equal(featured(artifact, queries), wanted, strict=True)
    names = artifact.pipeline.first.features.names
    assert names[-10:] == ("user_sex_lift", "segments_lift", "now_hour_sin", "now_hour_cos", "now_weekday",
                           "item_day_part_lift", "item_weekend_lift", "session_events", "session_minutes",
                           "session_idle_minutes")  # fmt: skip
    assert "steps_last10" in names


def test_a_stored_user_has_the_features_of_a_guest_who_tells_the_same(saved: Path) -> None:
    """Offline features come from the stored history, online ones from events: one code, the same numbers."""
    artifact = load_artifact(saved)
    now = artifact.data_end + 600
    for user in (1, 11, 24):
        stored = asked(artifact, [Request(user_id=user)], now)
        np.testing.assert_array_equal(stored, asked(artifact, [told(artifact, user)], now), strict=True)


def test_a_batch_gives_what_single_requests_give(saved: Path) -> None:
    artifact = load_artifact(saved)
    requests = [*(Request(user_id=one) for one in range(5)), Request(), Request(user={"sex": "F"}), Request(user_id=-1)]
    alone = [asked(artifact, [one], artifact.data_end) for one in requests]
    np.testing.assert_array_equal(asked(artifact, requests, artifact.data_end), np.concatenate(alone), strict=True)


def test_an_event_of_now_begins_a_session_and_a_feature_of_the_request_a_segment(saved: Path) -> None:
    artifact = load_artifact(saved)
    now = artifact.data_end + 9 * DAY
    names = artifact.pipeline.first.features.names
    guest = Request(history=(PastEvent(3, now - 120), PastEvent(4, now - 60)), user={"sex": "M"})
    columns = dict(zip(names, asked(artifact, [guest], now).T, strict=True))
    assert set(columns["session_events"].tolist()) == {2}
    assert set(columns["session_minutes"].tolist()) == {1}
    assert set(columns["session_idle_minutes"].tolist()) == {1}
    assert not np.isnan(columns["user_sex_lift"]).all()
    assert np.isnan(dict(zip(names, asked(artifact, [Request()], now).T, strict=True))["user_sex_lift"]).all()


def test_tables_of_a_fold_know_nothing_of_what_comes_after_it() -> None:
    """Whatever happens from the cut on, the past teaches the same."""
    data = small_world(3)
    table = data.interactions
    cut = table.end - 14 * DAY
    later = table.time >= cut
    shuffled = np.where(later, (table.item + 7) % table.items, table.item)
    moved = np.where(later, cut + (table.time - cut) // 2, table.time)
    moved[np.argmax(table.time)] = table.end - 1
    other = Interactions.of(table.user, shuffled, moved, table.weight, users=table.users, items=table.items)
    learnt = [_learnt(one) for one in (data, replace(data, interactions=other))]
    for name, array in learnt[0].items():
        np.testing.assert_array_equal(array, learnt[1][name], err_msg=name)


def _learnt(data: Dataset) -> dict[str, np.ndarray]:
    past = TimeCut(days=14).folds(data)[0].past
    return dict(CandidateFeatures.fit(FeatureConfig(groups=("segments", "time", "items")), (), past).arrays())


def test_an_older_config_has_the_columns_that_it_had() -> None:
    older = decode({"groups": ["scores", "users"], "recent_events": [1, 3], "recent_sources": None}, FeatureConfig)
    assert older.groups == ("scores", "users")
    assert get_args(GroupName)[:7] == ("scores", "recent", "items", "users", "traits", "static", "own")


def test_a_group_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="Invalid enum value 'sessions'"):
        decode({"groups": ["sessions"]}, FeatureConfig)
