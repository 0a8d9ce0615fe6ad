"""Snapshots that change, and those that must not be served, in a running service; its memory meanwhile."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from tests.end_to_end.service import Service
from tests.serving.stores import accept, renamed
from tests.serving.test_snapshots import DAMAGES, smuggle

from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.serving.snapshots.store import SnapshotStore

KEY = {"x-api-key": "open sesame"}


class Reloading:
    """A service over a store of its own."""

    def __init__(self, artifact: Path, folder: Path) -> None:
        self.artifact, self.folder = artifact, folder
        self.store = SnapshotStore(folder / "store")
        self.publish("one")
        (folder / "key").write_text("open sesame")
        options = ("--clock", "data-end", "--api-key-file", str(folder / "key"))
        self.service = Service(folder, self.store.folder, *options)

    def publish(self, name: str) -> Path:
        """The artifact under another name; its folder in the store."""
        place = renamed(self.artifact, self.folder, name)
        self.store.publish(place, accept)
        shutil.rmtree(place)
        return self.store.path(name)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return httpx.post(f"{self.service.url}{path}", timeout=60, **given)

    def reload(self) -> httpx.Response:
        return self.post("/admin/reload", headers=KEY)

    @property
    def memory(self) -> float:
        """Megabytes that the process has for itself; pages of files are shared, and the system takes them back."""
        lines = Path(f"/proc/{self.service._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:"))


def reloading(artifact: Path, folder: Path) -> Iterator[Reloading]:
    made = Reloading(artifact, folder)
    with made.service:
        yield made


@pytest.fixture
def running(project: Path, tmp_path: Path) -> Iterator[Reloading]:
    yield from reloading(project / "artifact", tmp_path)


def growth(running: Reloading, rounds: int) -> float:
    """Megabytes that the process gains in the second half of so many reloads, with questions between them."""
    sizes: list[float] = []
    for number in range(rounds):
        running.publish(f"next-{number}")
        answer = running.reload()
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == f"next-{number}"
        for user in range(5):
            assert len(running.service.ids(user_id=user)) == 10
        sizes.append(running.memory)
    half = rounds // 2
    return max(sizes[half:]) - max(sizes[:half])


def test_memory_is_flat_over_reloads(running: Reloading) -> None:
    assert growth(running, 12) < 16


def without_numbers(folder: Path) -> str:
    def spoil(array: np.ndarray) -> np.ndarray:
        array.flat[-1] = np.nan
        return array

    path = next(path for path in read_manifest(folder).files if path.startswith("retrievers/als"))
    smuggle(folder, path, spoil)
    return path


def of_another_shape(folder: Path) -> str:
    smuggle(folder, "items/popularity.npy", lambda array: array[:-1])
    return "popularity"


def test_what_must_not_be_served_is_refused_and_the_old_snapshot_answers(running: Reloading) -> None:
    answered = running.service.items(user_id="v007")
    for number, (name, harm) in enumerate(DAMAGES.items()):
        place = running.publish(f"bad-{number}")
        harm(place / "items/popularity.npy")
        refused(running, "popularity.npy", name)
    for number, harm in enumerate((without_numbers, of_another_shape)):
        place = running.publish(f"odd-{number}")
        refused(running, harm(place), harm.__name__)
    assert running.service.items(user_id="v007") == answered
    running.publish("good")
    assert running.reload().json()["model"] == "good"
    assert running.service.items(user_id="v007") == answered


def refused(running: Reloading, said: str, harm: str) -> None:
    answer = running.reload()
    assert answer.status_code == 409, harm
    assert said in answer.json()["error"], harm
    assert running.service.get("/health/ready")["model"] == "one"
    assert len(running.service.ids(user_id="v007")) == 10
    assert "encorec_snapshot_fault 1" in httpx.get(f"{running.service.url}/metrics").text.replace("1.0", "1")


HOSTILE = (
    b"",
    b"{",
    b"[" * 5000,
    b"\xff\xfe",
    b'{"k": 501}',
    b'{"user_id": 1e999}',
    json.dumps({"user_id": "x" * 100_000}).encode(),
    json.dumps({"deny": [f"no such item {number}" for number in range(20_000)]}).encode(),
    json.dumps({"user": {f"feature {number}": number for number in range(1000)}}).encode(),
    b'{"user_id": "' + b"\\u0000" * 1000 + b'"}',
)


def test_hostile_requests_leave_no_memory_behind(running: Reloading) -> None:
    sizes: list[float] = []
    with httpx.Client(base_url=running.service.url, timeout=60) as client:
        for number in range(60):
            for place, body in enumerate(HOSTILE):
                for path in ("/v1/recommend", "/v1/events", "/v1/similar", f"/v1/{number}-{place}"):
                    assert client.post(path, content=body).status_code < 500
            sizes.append(running.memory)
    assert max(sizes[30:]) - max(sizes[:30]) < 8


def test_the_names_of_a_manifest_are_no_way_out_of_its_folder(running: Reloading) -> None:
    place = running.publish("astray")
    manifest = read_manifest(place)
    entry = manifest.files["items/popularity.npy"]
    write_manifest(place, msgspec.structs.replace(manifest, files={**manifest.files, "../../../etc/passwd": entry}))
    assert running.reload().status_code == 409
    assert running.service.get("/health/ready")["model"] == "one"
