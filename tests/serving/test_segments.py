import subprocess
import sys
from pathlib import Path

import pytest

from encorec.serving.logs.frames import SegmentReader, frame
from encorec.serving.logs.segments import Segment, began, is_open, segments_of

WRITER = """
import sys, time
from pathlib import Path
from encorec.serving.logs.segments import Segment
segment = Segment(Path(sys.argv[1]), "other", 1)
print(segment.path, flush=True)
time.sleep(600)
"""


def test_a_segment_is_open_as_long_as_its_writer_lives(tmp_path):
    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        path = Path(writer.stdout.readline().strip())
        assert is_open(path)
        writer.kill()
    assert not is_open(path)
    assert segments_of(tmp_path) == [path]


def test_names_stand_in_the_order_of_time(tmp_path):
    segments = [Segment(tmp_path, writer, number) for number, writer in enumerate(("b", "a", "c"))]
    assert segments_of(tmp_path) == [one.path for one in segments]
    times = [began(one.path) for one in segments]
    assert times == sorted(times)
    for one in segments:
        one.close()


def test_an_abandoned_segment_keeps_what_was_synced(tmp_path):
    segment = Segment(tmp_path, "w", 1)
    segment.write(frame(b"kept") + b"kept")
    with segment.path.open("ab") as file:
        file.write(b"half a fra")
    segment.abandon()
    reader = SegmentReader(segment.path)
    assert list(reader) == [b"kept"]
    assert reader.torn_bytes == 0


def test_an_abandoned_segment_without_frames_is_gone(tmp_path):
    segment = Segment(tmp_path, "w", 1)
    segment.abandon()
    assert list(tmp_path.iterdir()) == []


def test_where_a_segment_cannot_be_made_nothing_is_left(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        Segment(tmp_path / "gone", "w", 1)
