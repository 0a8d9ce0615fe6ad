"""Experiments and exploration in the application: what answers say, and what is refused at the start or at a reload."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.serving.specs import write_spec
from tests.serving.toy_engine import ToyEngine
from tests.worlds import Trained

from encorec.errors import ArtifactError, ConfigError
from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.requests import Request
from encorec.serving.app import create_app
from encorec.serving.experiments.loading import open_variants
from encorec.serving.http.bodies import RecommendBody
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import ServedEngine, Snapshots
from encorec.serving.snapshots.loading import load_snapshot
from encorec.serving.snapshots.store import SnapshotStore
from encorec.serving.state.sqlite_state import SqliteState

WARM = "[variant.treatment]\ntemperature = 1.0\nhead = 30"


def test_answers_name_variants_and_chances(trained: Trained, tmp_path: Path, start_service: Callable[..., Any]) -> None:
    write_spec(tmp_path, "shelf", settings=WARM)
    service = start_service(trained.engine, experiments=(str(tmp_path),), clock="data-end")
    seen: dict[str, set[bool]] = {"control": set(), "treatment": set()}
    requests = [{"user_id": one} for one in range(30)]
    alone = [service.post("/v1/recommend", one).json() for one in requests]
    together = service.post("/v1/recommend/batch", {"requests": requests}).json()["answers"]
    for one, other in zip(alone, together, strict=True):
        assert one["variants"] == other["variants"]
        for answer in (one, other):
            seen[answer["variants"]["shelf"]].update(item["propensity"] == 1 for item in answer["items"])
            assert len(answer["items"]) == 10
    assert seen == {"control": {True}, "treatment": {False}}
    treated = next(at for at, one in enumerate(alone) if one["variants"]["shelf"] == "treatment")
    slates = [service.items(user_id=treated) for _ in range(12)]
    assert len(set(map(tuple, slates))) > 1


def test_guests_without_a_session_and_other_routes_are_in_no_experiment(
    trained: Trained, tmp_path: Path, start_service: Callable[..., Any]
) -> None:
    write_spec(tmp_path, "shelf", settings=WARM)
    given = {"experiments": (str(tmp_path),), "explore": ("main=1",), "clock": "data-end"}
    service = start_service(trained.engine, **given)
    guest = service.post("/v1/recommend", {}).json()
    assert guest["variants"] == {}
    assert all(item["propensity"] < 1 for item in guest["items"])
    assert service.post("/v1/recommend", {"session_id": "s-1"}).json()["variants"] != {}
    elsewhere = service.post("/v1/recommend", {"placement": "elsewhere"}).json()
    assert all(item["propensity"] == 1 for item in elsewhere["items"])
    course = [service.post("/api/v1/recommend_for_user", {"user_id": 5}).json() for _ in range(8)]
    assert all(one == course[0] for one in course)


@pytest.mark.parametrize("body", [{"session_id": 5}, {"session_id": ""}, {"session_id": "x" * 300}, {"temperature": 1}])
def test_what_a_client_may_not_say_is_refused(start_service: Callable[..., Any], body: dict[str, Any]) -> None:
    assert start_service().post("/v1/recommend", body).status_code == 422


@pytest.mark.parametrize("unit", ["", " ", "\x00", "Zoë", "🙂", "x" * 256])
def test_any_user_is_answered(trained: Trained, tmp_path: Path, start_service: Callable[..., Any], unit: str) -> None:
    write_spec(tmp_path, "shelf", "holdout = 0.1\nshare = 0.9", settings=WARM)
    service = start_service(trained.engine, experiments=(str(tmp_path),), clock="data-end")
    assert len(service.items(user_id=unit)) == 10
    raw = b'{"user_id": "\\ud800", "session_id": "\\udfff"}'
    assert service.post("/v1/recommend", raw).status_code in (200, 400, 422)


def test_an_experiment_that_cannot_be_served_stops_the_start(trained: Trained, tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", settings='[variant.treatment]\norder = "alz"')
    settings = Settings(experiments=(str(tmp_path),))
    state = SqliteState(":memory:")
    with pytest.raises(ConfigError, match=r"shelf\.variants\.toml: variant 'treatment': order: unknown source 'alz'"):
        create_app(trained.engine, settings, state)
    state.close()


class Source:
    """Serves one engine after another."""

    shared = False

    def __init__(self, engine: ServedEngine) -> None:
        self.engine = engine

    def wanted(self) -> str:
        return self.engine.artifact.snapshot_id

    def token(self) -> object:
        return self.wanted()

    def load(self, snapshot_id: str, requests: Sequence[Request]) -> ServedEngine:
        return self.engine

    def step_back(self, snapshot_id: str) -> str:
        raise ArtifactError("nothing older")

    def choose(self, snapshot_id: str) -> None:
        raise ArtifactError("nothing to choose")

    def known(self) -> list[str]:
        return [self.wanted()]


def test_a_snapshot_that_lacks_what_a_variant_asks_for_is_refused(trained: Trained, tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", settings='[variant.treatment]\norder = "rrf"')
    variants = open_variants(Settings(experiments=(str(tmp_path),)))
    snapshots = Snapshots(trained.engine, Source(ToyEngine()))
    variants.prepare(snapshots.current)
    snapshots.require(variants.prepare)
    with pytest.raises(ConfigError, match="this engine answers in one way only"):
        asyncio.run(snapshots.sync())
    assert snapshots.current is trained.engine
    assert snapshots.refused == 1


def test_a_variant_names_a_folder_seen_from_its_file(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.folder, tmp_path / "older")
    write_spec(tmp_path, "shelf", settings='[variant.treatment]\nsnapshot = "older"')
    variants = open_variants(Settings(experiments=(str(tmp_path / "shelf.toml"),)), trained.folder)
    current = Engine(load_engine(trained.folder).artifact)
    variants.prepare(current)
    asked = [RecommendBody(user_id=one) for one in range(30)]
    engines = {id(variants.plan(one, "r", current, moment=0).engine) for one in asked}
    assert len(engines) == 2


def test_a_variant_names_a_snapshot_of_the_store(trained: Trained, tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "store")
    published = store.publish(trained.folder, load_snapshot)
    write_spec(tmp_path, "shelf", settings=f'[variant.treatment]\nsnapshot = "{published}"')
    variants = open_variants(Settings(experiments=(str(tmp_path / "shelf.toml"),)), store.folder)
    of_another = ToyEngine()
    asked = [RecommendBody(user_id=one) for one in range(30)]
    plans = [variants.plan(one, "r", of_another, moment=0) for one in asked]
    models = {one.variants["shelf"]: one.engine.artifact.snapshot_id for one in plans}
    assert models == {"control": "toy-1", "treatment": published}


def test_a_snapshot_that_is_nowhere_stops_the_start(trained: Trained, tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", settings='[variant.treatment]\nsnapshot = "../nowhere"')
    with pytest.raises(ConfigError, match=r"snapshot '\.\./nowhere': neither a snapshot of the store"):
        open_variants(Settings(experiments=(str(tmp_path / "shelf.toml"),)), trained.folder)
