"""One engine answers until another has proved itself: swaps, refusals, rollbacks, and what a damaged file does."""

import asyncio
import gc
import random
import shutil
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from tests.serving.stores import accept, renamed
from tests.serving.toy_engine import ToyArtifact, ToyEngine
from tests.worlds import Trained

from encorec.errors import ArtifactError, EncorecError, QueryError
from encorec.pipeline.artifact_files import FileEntry, entry_of
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.requests import Request
from encorec.serving.snapshots.holder import Snapshots
from encorec.serving.snapshots.loading import load_snapshot
from encorec.serving.snapshots.source import open_snapshots, served_end
from encorec.serving.snapshots.store import SnapshotStore
from encorec.serving.snapshots.warm_up import warm_explanations, warm_up


def toy(name: str) -> ToyEngine:
    engine = ToyEngine()
    engine.artifact = ToyArtifact(engine.artifact.items, snapshot_id=name)
    return engine


class ToySource:
    """Serves what it is told to, and remembers what it was asked for."""

    shared = True

    def __init__(self, *names: str) -> None:
        self.names, self.at, self.said, self.loads = list(names), 0, 0, 0
        self.faults: dict[str, EncorecError] = {}
        self.requests: list[tuple[Request, ...]] = []

    def want(self, name: str) -> None:
        self.at, self.said = self.names.index(name), self.said + 1

    def wanted(self) -> str:
        return self.names[self.at]

    def token(self) -> object:
        return self.said

    def load(self, snapshot_id: str, requests: Sequence[Request]) -> ToyEngine:
        self.loads += 1
        self.requests.append(tuple(requests))
        if snapshot_id in self.faults:
            raise self.faults[snapshot_id]
        return toy(snapshot_id)

    def step_back(self, snapshot_id: str) -> str:
        place = self.names.index(snapshot_id)
        if not place:
            raise ArtifactError("nothing before it")
        self.want(self.names[place - 1])
        return self.wanted()

    def choose(self, snapshot_id: str) -> None:
        self.want(snapshot_id)

    def known(self) -> list[str]:
        return self.names[::-1]


@pytest.fixture
def source() -> ToySource:
    return ToySource("a", "b", "c")


@pytest.fixture
def snapshots(source: ToySource) -> Snapshots:
    return Snapshots(toy("a"), source)


def test_what_is_wanted_is_served_and_the_one_before_is_kept(snapshots: Snapshots, source: ToySource) -> None:
    told: list[str] = []
    snapshots.subscribe(lambda engine: told.append(engine.artifact.snapshot_id))
    source.want("b")
    asyncio.run(snapshots.sync())
    assert (snapshots.model, snapshots.swaps, snapshots.refused, told) == ("b", 1, 0, ["b"])
    assert snapshots.previous is not None
    assert snapshots.previous.artifact.snapshot_id == "a"
    asyncio.run(snapshots.sync())
    assert (snapshots.swaps, source.loads) == (1, 1)


def test_calls_at_the_same_time_share_one_load(snapshots: Snapshots, source: ToySource) -> None:
    async def many() -> None:
        await asyncio.gather(*(snapshots.sync(anew=True) for _ in range(20)))

    source.want("b")
    asyncio.run(many())
    assert (snapshots.model, source.loads) == ("b", 1)


def test_a_refused_snapshot_is_tried_again_only_when_told_anew(snapshots: Snapshots, source: ToySource) -> None:
    source.faults["b"] = ArtifactError("torn")
    source.want("b")
    with pytest.raises(ArtifactError, match="torn"):
        asyncio.run(snapshots.sync())
    for _ in range(5):
        asyncio.run(snapshots.sync())
    assert (snapshots.model, source.loads, snapshots.refused, snapshots.fault) == ("a", 1, 1, "torn")
    with pytest.raises(ArtifactError):
        asyncio.run(snapshots.sync(anew=True))
    assert (source.loads, snapshots.refused) == (2, 2)
    del source.faults["b"]
    source.want("b")
    asyncio.run(snapshots.sync())
    assert (snapshots.model, snapshots.fault) == ("b", None)


def test_a_rollback_needs_no_load_and_a_second_one_goes_further_back(snapshots: Snapshots, source: ToySource) -> None:
    for name in "bc":
        source.want(name)
        asyncio.run(snapshots.sync())
    asyncio.run(snapshots.rollback())
    assert (snapshots.model, source.wanted(), source.loads) == ("b", "b", 2)
    asyncio.run(snapshots.rollback())
    assert (snapshots.model, source.loads) == ("a", 3)
    with pytest.raises(ArtifactError, match="nothing before"):
        asyncio.run(snapshots.rollback())
    assert snapshots.model == "a"


def test_a_rollback_to_what_cannot_be_served_changes_nothing(snapshots: Snapshots, source: ToySource) -> None:
    source.want("c")
    asyncio.run(snapshots.sync())
    source.faults["b"] = ArtifactError("torn")
    with pytest.raises(ArtifactError, match="torn"):
        asyncio.run(snapshots.rollback())
    assert (snapshots.model, source.wanted()) == ("c", "c")


def test_requests_of_late_are_asked_of_the_next_engine(snapshots: Snapshots, source: ToySource) -> None:
    for user in range(50):
        snapshots.remember(Request(user_id=user))
    snapshots.remember(Request(allow=tuple(range(501))))
    snapshots.remember(Request(user_id=1, explain=True))
    source.want("b")
    asyncio.run(snapshots.sync())
    assert [request.user_id for request in source.requests[0]] == list(range(18, 50))


def test_a_question_that_the_next_engine_refuses_is_no_fault_of_it() -> None:
    class Strict(ToyEngine):
        def recommend(self, requests: Any, *given: Any, **more: Any) -> Any:
            if any(one.user for one in requests):
                raise QueryError("no feature 'age'")
            return super().recommend(requests, *given, **more)

    asked = [Request(user_id=1), Request(user={"age": "35_44"}), Request(k=3)]
    warm_up(Strict(), now=50, requests=asked)
    with pytest.raises(ZeroDivisionError):
        warm_up(Broken(), now=50, requests=asked)


class Broken(ToyEngine):
    def recommend(self, requests: Any, *given: Any, **more: Any) -> Any:
        if any(one.user for one in requests):
            raise ZeroDivisionError
        return super().recommend(requests, *given, **more)


def test_an_engine_that_cannot_explain_is_served_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(ToyEngine):
        def recommend(self, requests: Any, *given: Any, **more: Any) -> Any:
            if any(one.explain for one in requests):
                raise OSError("no library")
            return super().recommend(requests, *given, **more)

    warm_explanations(Mute(), now=50)
    assert [one.getMessage() for one in caplog.records] == ["snapshot toy-1 cannot explain its answers"]
    assert "no library" in caplog.text


def test_an_engine_without_a_source_stays(snapshots: Snapshots) -> None:
    alone = Snapshots(toy("a"))
    with pytest.raises(ArtifactError, match="not loaded from a folder"):
        asyncio.run(alone.sync())
    with pytest.raises(ArtifactError, match="no snapshot before a"):
        asyncio.run(alone.rollback())


def test_an_engine_that_gives_way_is_let_go(snapshots: Snapshots, source: ToySource) -> None:
    held = weakref.ref(snapshots.current)
    for name in "bca":
        source.want(name)
        asyncio.run(snapshots.sync())
    gc.collect()
    assert held() is None


def test_workers_wait_by_chance_before_they_load(source: ToySource) -> None:
    class Chance(random.Random):
        asked: ClassVar[list[tuple[float, float]]] = []

        def uniform(self, a: float, b: float) -> float:
            self.asked.append((a, b))
            return 0.0

    source.want("b")
    asyncio.run(Snapshots(toy("a"), source, jitter=0.5, rng=Chance()).sync())
    assert Chance.asked == [(0, 0.5)]


# with real artifacts


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.folder, tmp_path / "artifact"))


def smuggle(folder: Path, path: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Other content with the right hash."""
    array = change(np.load(folder / path, allow_pickle=False).copy())
    np.save(folder / path, array, allow_pickle=False)
    manifest = read_manifest(folder)
    entry = FileEntry(entry_of(folder / path).sha256, array.shape, array.dtype.str)
    write_manifest(folder, msgspec.structs.replace(manifest, files={**manifest.files, path: entry}))


def flip(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "flipped": lambda path: path.write_bytes(flip(path.read_bytes())),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "pickle": lambda path: path.write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93."),
}


@pytest.mark.parametrize("harm", DAMAGES)
def test_damage_to_any_file_is_refused_and_the_old_snapshot_serves(trained: Trained, tmp_path: Path, harm: str) -> None:
    store = SnapshotStore(tmp_path / "store")
    store.publish(renamed(trained.folder, tmp_path, "old"), accept)
    snapshots = open_snapshots(store.folder)
    bad = renamed(trained.folder, tmp_path, "bad")
    store.publish(bad, accept)
    target = store.path("bad")
    files = sorted(path.relative_to(target) for path in target.rglob("*") if path.is_file())
    assert len(files) > 20
    for number, path in enumerate(files, 1):
        content = (target / path).read_bytes()
        DAMAGES[harm](target / path)
        with pytest.raises(ArtifactError, match=path.name):
            asyncio.run(snapshots.sync(anew=True))
        assert (snapshots.model, snapshots.refused) == ("old", number)
        assert len(snapshots.current.recommend([Request()], now=1)[0].items) == 10
        (target / path).write_bytes(content)
    asyncio.run(snapshots.sync(anew=True))
    assert snapshots.model == "bad"


def floats(folder: Path) -> list[str]:
    kinds = {path: np.dtype(entry.dtype).kind for path, entry in read_manifest(folder).files.items() if entry.dtype}
    missing = ("users/features", "items/features/", "features/")
    filled = {path for path, entry in read_manifest(folder).files.items() if np.prod(entry.shape or 0)}
    return [path for path, kind in kinds.items() if kind == "f" and path in filled and not path.startswith(missing)]


def test_values_that_are_no_numbers_are_refused(folder: Path) -> None:
    def spoil(array: np.ndarray) -> np.ndarray:
        array.flat[-1] = np.nan
        return array

    for path in floats(folder):
        content, manifest = (folder / path).read_bytes(), (folder / "manifest.json").read_bytes()
        smuggle(folder, path, spoil)
        with pytest.raises(ArtifactError, match=rf"{path}: 1 values are not a number|golden"):
            load_snapshot(folder)
        (folder / path).write_bytes(content)
        (folder / "manifest.json").write_bytes(manifest)
    load_snapshot(folder)


def test_arrays_of_another_shape_are_refused_whatever_they_break(folder: Path) -> None:
    """With the right hashes, as a faulty training might write them."""
    for path, entry in read_manifest(folder).files.items():
        if entry.shape is None or not np.prod(entry.shape) or path.startswith(("features/", "items/features/")):
            continue
        content, manifest = (folder / path).read_bytes(), (folder / "manifest.json").read_bytes()
        smuggle(folder, path, lambda array: array[..., :0])
        with pytest.raises(EncorecError):
            load_snapshot(folder)
        (folder / path).write_bytes(content)
        (folder / "manifest.json").write_bytes(manifest)


def test_a_store_whose_current_is_damaged_is_served_from_the_one_before(trained: Trained, tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "store")
    for name in ("one", "two", "three"):
        store.publish(renamed(trained.folder, tmp_path, name), accept)
    (store.path("three") / "items/ids.npy").write_bytes(b"gone")
    (store.path("two") / "manifest.json").unlink()
    said: list[str] = []
    snapshots = open_snapshots(store.folder, tell=said.append)
    assert (snapshots.model, snapshots.refused) == ("one", 1)
    assert "items/ids.npy" in said[0]
    assert "snapshot one is served in its place" in said[0]
    asyncio.run(snapshots.sync())
    assert (snapshots.model, snapshots.refused) == ("one", 1), "not tried again until said anew"
    store.publish(tmp_path / "three", accept)
    asyncio.run(snapshots.sync())
    assert snapshots.model == "three"
    (store.folder / "CURRENT").unlink()
    assert open_snapshots(store.folder, tell=said.append).model == "three"
    assert served_end(store.folder) == trained.engine.artifact.data_end


def test_a_store_with_nothing_to_serve_is_refused(trained: Trained, tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "store")
    store.publish(renamed(trained.folder, tmp_path, "one"), accept)
    (store.path("one") / "items/ids.npy").write_bytes(b"gone")
    with pytest.raises(ArtifactError, match=r"ids\.npy"):
        open_snapshots(store.folder)
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        open_snapshots(tmp_path / "nothing")


def test_an_artifact_that_is_replaced_is_served_and_can_be_left_again(trained: Trained, tmp_path: Path) -> None:
    folder = renamed(trained.folder, tmp_path, "one")
    snapshots = open_snapshots(folder)
    old = folder.rename(tmp_path / "old")
    assert old.exists()
    renamed(trained.folder, tmp_path, "two").rename(folder)
    asyncio.run(snapshots.sync())
    assert snapshots.model == "two"
    asyncio.run(snapshots.rollback())
    asyncio.run(snapshots.sync())
    assert snapshots.model == "one", "the watch does not go forth again"
    with pytest.raises(ArtifactError, match="no snapshot before one"):
        asyncio.run(snapshots.rollback())
    asyncio.run(snapshots.sync(anew=True))
    assert snapshots.model == "two"


def test_memory_is_flat_over_reloads(trained: Trained, tmp_path: Path) -> None:
    assert growth(trained.folder, tmp_path, 12) < 8


def growth(artifact: Path, place: Path, rounds: int) -> float:
    """Megabytes that a process gains in the second half of so many reloads."""
    store = SnapshotStore(place / "store")
    artifacts = [renamed(artifact, place, name) for name in ("one", "two")]
    for one in artifacts:
        store.publish(one, accept)
    snapshots, sizes = open_snapshots(store.folder), []

    async def reload() -> None:
        for number in range(rounds):
            store.select(("one", "two")[number % 2])
            snapshots.previous = None  # else there is nothing to load
            await snapshots.sync()
            gc.collect()
            sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20)

    asyncio.run(reload())
    assert snapshots.swaps == rounds
    return max(sizes[rounds // 2 :]) - max(sizes[: rounds // 2])
