import struct
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import DataError
from encorec.serving.logs.frames import HEADER, SegmentReader, frame

PAYLOADS = [b"one", b"", b"x" * 60, bytes(range(200, 240)), b"\x00" * 9]


def segment(payloads: list[bytes]) -> bytes:
    """Written out by hand."""
    content = b"ENCLOG\x01\x00"
    for payload in payloads:
        length = struct.pack("<I", len(payload))
        content += length + struct.pack("<I", crc32(length + payload)) + payload
    return content


def read(folder: Path, content: bytes) -> tuple[list[bytes], SegmentReader]:
    path = folder / "one.frames"
    path.write_bytes(content)
    reader = SegmentReader(path)
    return list(reader), reader


def ends(payloads: list[bytes]) -> list[int]:
    """Where each frame ends."""
    return [len(segment(payloads[: count + 1])) for count in range(len(payloads))]


def test_frames_are_what_the_format_says(tmp_path):
    content = HEADER + b"".join(frame(one) + one for one in PAYLOADS)
    assert content == segment(PAYLOADS)
    found, reader = read(tmp_path, content)
    assert found == PAYLOADS
    assert (reader.frames, reader.corrupted, reader.torn_bytes, reader.bytes) == (5, 0, 0, len(content))


def test_cut_at_every_byte_the_whole_frames_before_the_cut_are_there(tmp_path):
    content, whole = segment(PAYLOADS), ends(PAYLOADS)
    for cut in range(len(content) + 1):
        found, reader = read(tmp_path, content[:cut])
        kept = sum(end <= cut for end in whole)
        assert found == PAYLOADS[:kept]
        assert reader.corrupted == 0
        begin = (whole[kept - 1] if kept else len(HEADER)) if cut >= len(HEADER) else 0
        assert reader.torn_bytes == cut - begin


def test_any_byte_altered_harms_at_most_what_follows_and_nothing_false_is_read(tmp_path):
    content, whole = segment(PAYLOADS), ends(PAYLOADS)
    for place in range(len(HEADER), len(content)):
        for flip in (0x01, 0x80, 0xFF):
            altered = bytearray(content)
            altered[place] ^= flip
            found, reader = read(tmp_path, bytes(altered))
            hit = sum(end <= place for end in whole)
            assert found[:hit] == PAYLOADS[:hit]
            assert found[hit:] == PAYLOADS[len(PAYLOADS) - len(found) + hit :]
            assert len(found) < len(PAYLOADS)
            assert reader.corrupted or reader.torn_bytes


def test_a_damaged_payload_costs_its_own_frame(tmp_path):
    altered = bytearray(segment(PAYLOADS))
    altered[len(HEADER) + 8] ^= 1
    found, reader = read(tmp_path, bytes(altered))
    assert found == PAYLOADS[1:]
    assert (reader.corrupted, reader.torn_bytes) == (1, 0)


def test_two_damaged_frames_in_a_row_cost_two(tmp_path):
    altered = bytearray(segment(PAYLOADS))
    altered[ends(PAYLOADS)[1] + 8] ^= 1
    altered[ends(PAYLOADS)[2] + 8] ^= 1
    found, reader = read(tmp_path, bytes(altered))
    assert found == [*PAYLOADS[:2], PAYLOADS[4]]
    assert reader.corrupted == 2


def test_a_tail_of_zeros_is_no_row_of_empty_frames(tmp_path):
    found, reader = read(tmp_path, segment(PAYLOADS) + bytes(4096))
    assert found == PAYLOADS
    assert (reader.corrupted, reader.torn_bytes) == (0, 4096)


@pytest.mark.parametrize(
    ("content", "says"), [(b"PAR1\x00\x00\x00\x00rest", "no segment"), (b"ENCLOG\x02\x00", "version 2")]
)
def test_another_file_is_refused(tmp_path, content, says):
    with pytest.raises(DataError, match=says):
        read(tmp_path, content)


@given(payloads=st.lists(st.binary(max_size=40), max_size=8), tail=st.binary(max_size=60))
def test_whatever_follows_the_frames_they_are_read(tmp_path_factory, payloads, tail):
    found, reader = read(tmp_path_factory.getbasetemp(), segment(payloads) + tail)
    assert found[: len(payloads)] == payloads
    assert sum(map(len, found)) + 8 * len(found) + reader.torn_bytes <= reader.bytes
