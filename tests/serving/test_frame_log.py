import logging
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from encorec.errors import ConfigError
from encorec.serving.logs.frame_log import FrameLog, LogError, SegmentConfig
from encorec.serving.logs.frames import SegmentReader
from encorec.serving.logs.segments import is_open, segments_of


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[..., FrameLog]]:
    opened: list[FrameLog] = []

    def start(**config: float) -> FrameLog:
        opened.append(FrameLog(tmp_path / "log", SegmentConfig(**config)))  # pyright: ignore[reportArgumentType]
        return opened[-1]

    yield start
    for log in opened:
        log.close()


def frames(folder: Path) -> list[bytes]:
    return [one for path in segments_of(folder / "log") for one in SegmentReader(path)]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """What a full disk does to a writer: part of the bytes are taken, then none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_frames_come_to_disk_in_order_by_themselves(open_log, tmp_path):
    log = open_log(fsync_ms=1)
    given = [f"frame {one}".encode() for one in range(500)]
    for one in given:
        assert log.append(one)
    until(lambda: log.counts.frames == 500)
    assert frames(tmp_path) == given
    assert log.counts.waiting == log.counts.dropped == 0


def test_what_is_committed_is_on_disk_and_all_before_it(open_log, tmp_path):
    log = open_log(fsync_ms=60_000)
    log.append(b"before")
    log.commit(b"now").result(timeout=20)
    assert frames(tmp_path) == [b"before", b"now"]


def test_commits_that_wait_together_share_a_sync(open_log, tmp_path):
    log = open_log()
    futures = [log.commit(bytes([one])) for one in range(200)]
    for one in futures:
        one.result(timeout=20)
    assert frames(tmp_path) == [bytes([one]) for one in range(200)]
    assert log.counts.syncs < 200


def test_many_threads_lose_nothing(open_log, tmp_path):
    log = open_log(segment_bytes=3000)

    def write(name: int) -> None:
        for one in range(100):
            log.append(f"{name} {one}".encode())
        log.commit(f"{name} end".encode()).result(timeout=20)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = [one.decode().split() for one in frames(tmp_path)]
    for name in range(8):
        assert [one for who, one in found if who == str(name)] == [*map(str, range(100)), "end"]


def test_segments_end_by_size(open_log, tmp_path):
    log = open_log(segment_bytes=100)
    for one in range(10):
        log.commit(b"%02d" % one + bytes(40)).result(timeout=20)
    paths = segments_of(tmp_path / "log")
    assert len(paths) == 5
    assert [one[:2] for one in frames(tmp_path)] == [b"%02d" % one for one in range(10)]


def test_segments_end_by_age_also_when_nothing_comes(open_log, tmp_path):
    log = open_log(segment_seconds=0.05)
    log.commit(b"one").result(timeout=20)
    [path] = segments_of(tmp_path / "log")
    until(lambda: not is_open(path))
    log.commit(b"two").result(timeout=20)
    assert len(segments_of(tmp_path / "log")) == 2


def test_without_frames_there_is_no_file(open_log, tmp_path):
    open_log().close()
    assert list((tmp_path / "log").iterdir()) == []


def test_closing_brings_all_to_disk_and_later_frames_are_dropped(open_log, tmp_path):
    log = open_log(fsync_ms=60_000)
    log.append(b"last")
    log.close()
    assert frames(tmp_path) == [b"last"]
    assert not log.append(b"late")
    with pytest.raises(LogError, match="closed"):
        log.commit(b"late").result(timeout=20)
    assert log.counts.dropped == 2


def test_a_full_disk_drops_frames_aloud_and_the_log_goes_on_when_there_is_space(open_log, tmp_path, caplog):
    log = open_log(fsync_ms=1)
    log.commit(b"a" * 50).result(timeout=20)
    with files_no_larger_than(100), caplog.at_level(logging.ERROR):
        for _ in range(3):
            with pytest.raises(LogError, match="File too large"):
                log.commit(b"b" * 200).result(timeout=20)
        log.append(b"c" * 200)
        until(lambda: log.counts.dropped == 4)
    log.commit(b"d" * 200).result(timeout=20)
    assert frames(tmp_path) == [b"a" * 50, b"d" * 200]
    assert [path.stat().st_size for path in segments_of(tmp_path / "log")] == [66, 216], "no torn tails, no other files"
    assert len(caplog.messages) == 1
    assert "dropped 1 frames (OSError: [Errno 27] File too large" in caplog.messages[0]
    log.close()
    assert "dropped 3 frames" in caplog.messages[1]


def test_a_folder_that_vanishes_is_a_failing_disk(open_log, tmp_path):
    log = open_log(segment_bytes=1)
    log.commit(b"one").result(timeout=20)
    shutil.rmtree(tmp_path / "log")
    with pytest.raises(LogError, match="No such file"):
        log.commit(b"two").result(timeout=20)
    (tmp_path / "log").mkdir()
    log.commit(b"three").result(timeout=20)
    assert frames(tmp_path) == [b"three"]


def test_what_does_not_fit_into_memory_is_dropped(open_log, tmp_path):
    log = open_log(buffer_bytes=100, fsync_ms=60_000)
    assert log.append(bytes(60))
    assert not log.append(bytes(60))
    with pytest.raises(LogError, match="too much waits"):
        log.commit(bytes(60)).result(timeout=20)
    log.commit(b"fits").result(timeout=20)
    assert log.counts.dropped == 2
    assert frames(tmp_path) == [bytes(60), b"fits"]


def test_a_commit_that_nobody_waits_for_any_more_harms_nobody(open_log, tmp_path):
    log = open_log()
    for one in range(50):
        log.commit(bytes([one])).cancel()
    log.commit(b"end").result(timeout=20)
    assert len(frames(tmp_path)) == 51


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"logs '.*file/log' cannot be made"):
        FrameLog(tmp_path / "file" / "log", SegmentConfig())


@pytest.mark.parametrize("bad", [{"fsync_ms": 0}, {"segment_bytes": 0}, {"segment_seconds": 0}, {"buffer_bytes": -1}])
def test_settings_have_bounds(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        SegmentConfig(**bad)
