import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import polars as pl
import pytest
from tests.serving.log_files import call, event, impression, write_segment

from encorec.errors import DataError
from encorec.evaluation.offpolicy.impressions import log_of
from encorec.serving.logs.compaction import CompactionReport, compact
from encorec.serving.logs.segments import Segment


def table(out: Path, stream: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted((out / stream).glob("*.parquet"))])


def test_events_are_one_row_each_with_ids_as_text(tmp_path):
    one = event("a", "17", 242, time=0.1 + 0.2, weight=2.5, request_id="r")
    write_segment(tmp_path / "logs", "events", "1", [call(60.5, one, event("b", item="x")), call(70.0)])
    compact(tmp_path / "logs", tmp_path / "out")
    assert table(tmp_path / "out", "events").rows() == [
        ("a", "17", "242", "watch", 0.1 + 0.2, 2.5, "r", 60.5, 61),
        ("b", "17", "x", "watch", 50.0, 1.0, None, 60.5, 61),
    ]


def test_impressions_are_one_row_per_answer_with_lists(tmp_path):
    shown = [
        impression("r1", variants={"ranker": "new"}, degraded=["state"]),
        impression("r2", [], user_id=None),
        impression("r3", ["x"], user_id="guest"),
    ]
    write_segment(tmp_path / "logs", "impressions", "1", shown)
    compact(tmp_path / "logs", tmp_path / "out")
    frame = table(tmp_path / "out", "impressions")
    assert frame["request_id"].to_list() == ["r1", "r2", "r3"]
    assert frame["user_id"].to_list() == ["17", None, "guest"]
    assert frame["items"].to_list() == [["242", "302"], [], ["x"]]
    assert frame["sources"].to_list()[0] == [["als", "popularity"]] * 2
    assert frame["variants"].to_list() == [[{"experiment": "ranker", "variant": "new"}], [], []]
    assert frame["degraded"].to_list() == [["state"], [], []]
    assert frame["scores"].to_list() == [[1.0, 0.5], [], [1.0]]


def test_the_tables_are_what_off_policy_evaluation_reads(tmp_path):
    rng, shown, taken = random.Random(1), [], []
    expected: dict[tuple[str, int], float] = {}
    for number in range(60):
        items = rng.sample(range(20), 3)
        shown.append(impression(f"r{number}", items, propensities=[0.5, 0.25, 0.125]))
        for place, item in enumerate(items, 1):
            taken_weight = rng.choice([0.0, 0.0, 2.0])
            expected[f"r{number}", place] = taken_weight
            if taken_weight:
                taken.append(event(f"e{number}-{place}", item=item, weight=taken_weight, request_id=f"r{number}"))
    write_segment(tmp_path / "logs", "impressions", "1", shown[:30])
    write_segment(tmp_path / "logs", "impressions", "2", shown[30:])
    repeated = [call(100.0 + place, one) for place, one in enumerate([*taken, *taken[:5], event("elsewhere")])]
    write_segment(tmp_path / "logs", "events", "1", repeated)
    compact(tmp_path / "logs", tmp_path / "out")
    impressions, events = (table(tmp_path / "out", stream) for stream in ("impressions", "events"))
    found = log_of(impressions, events, value="weight", context=["placement"])
    assert {(request, place): reward for request, place, _, _, reward, _ in found.rows()} == expected
    assert found["propensity"].to_list() == [0.5, 0.25, 0.125] * 60
    once = log_of(tmp_path / "out" / "impressions" / "1.parquet", tmp_path / "out" / "events" / "1.parquet")
    assert once["reward"].sum() == sum(value > 0 for (name, _), value in expected.items() if int(name[1:]) < 30)


def test_nothing_is_compacted_twice(tmp_path):
    write_segment(tmp_path / "logs", "events", "1", [call(60.0, event("a"))])
    first = compact(tmp_path / "logs", tmp_path / "out")
    stamp = (tmp_path / "out" / "events" / "1.parquet").stat().st_mtime_ns
    write_segment(tmp_path / "logs", "events", "2", [call(61.0, event("b"))])
    second = compact(tmp_path / "logs", tmp_path / "out")
    assert (list(first.done), first.before) == (["events/1.frames"], 0)
    assert (list(second.done), second.before) == (["events/2.frames"], 1)
    assert (tmp_path / "out" / "events" / "1.parquet").stat().st_mtime_ns == stamp
    assert table(tmp_path / "out", "events")["event_id"].to_list() == ["a", "b"]
    assert compact(tmp_path / "logs", tmp_path / "out").done == {}


def test_an_event_logged_twice_is_there_once_whichever_files_hold_it(tmp_path):
    write_segment(tmp_path / "logs", "events", "1", [call(60.0, event("a"), event("a")), call(61.0, event("a"))])
    write_segment(tmp_path / "logs", "events", "2", [call(62.0, event("a"), event("b"))])
    report = compact(tmp_path / "logs", tmp_path / "out")
    write_segment(tmp_path / "logs", "events", "3", [call(63.0, event("b"), event("c"))])
    write_segment(tmp_path / "logs", "events", "4", [call(64.0, event("b"))])
    later = compact(tmp_path / "logs", tmp_path / "out")
    assert table(tmp_path / "out", "events")["event_id"].to_list() == ["a", "b", "c"]
    assert [one.repeated for one in (*report.done.values(), *later.done.values())] == [2, 1, 1, 1]
    assert not (tmp_path / "out" / "events" / "4.parquet").exists()


def test_a_segment_that_is_written_to_waits(tmp_path):
    (tmp_path / "logs" / "events").mkdir(parents=True)
    segment = Segment(tmp_path / "logs" / "events", "w", 1)
    report = compact(tmp_path / "logs", tmp_path / "out", remove=True)
    assert report.open == [f"events/{segment.path.name}"]
    segment.close()
    assert list(compact(tmp_path / "logs", tmp_path / "out").done) == report.open


def test_damage_is_counted_and_the_rest_is_kept(tmp_path):
    path = write_segment(tmp_path / "logs", "events", "1", [call(60.0 + n, event(f"e{n}")) for n in range(5)])
    content = bytearray(path.read_bytes())
    content[8 + 8 + 3] ^= 1
    path.write_bytes(content[:-4])
    write_segment(tmp_path / "logs", "impressions", "1", [impression("r"), {"other": 1}])
    report = compact(tmp_path / "logs", tmp_path / "out")
    events, impressions = report.done["events/1.frames"], report.done["impressions/1.frames"]
    assert (events.rows, events.corrupted, events.unreadable) == (3, 1, 0)
    assert events.torn_bytes > 0
    assert (impressions.rows, impressions.unreadable) == (1, 1)
    assert table(tmp_path / "out", "events")["event_id"].to_list() == ["e1", "e2", "e3"]


def test_a_file_that_is_no_segment_is_refused_and_holds_up_nobody(tmp_path):
    write_segment(tmp_path / "logs", "events", "2", [call(60.0, event("a"))])
    (tmp_path / "logs" / "events" / "1.frames").write_bytes(b"PAR1 and so on")
    report = compact(tmp_path / "logs", tmp_path / "out", remove=True)
    assert list(report.done) == ["events/2.frames"]
    assert "no segment of a log" in report.refused["events/1.frames"]
    assert (tmp_path / "logs" / "events" / "1.frames").exists()


def test_a_segment_that_grew_after_it_was_compacted_is_an_error(tmp_path):
    path = write_segment(tmp_path / "logs", "events", "1", [call(60.0, event("a"))])
    compact(tmp_path / "logs", tmp_path / "out")
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="closed segments never change"):
        compact(tmp_path / "logs", tmp_path / "out")


def test_compacted_segments_are_removed_when_asked(tmp_path):
    path = write_segment(tmp_path / "logs", "events", "1", [call(60.0, event("a"))])
    compact(tmp_path / "logs", tmp_path / "out")
    assert path.exists()
    assert compact(tmp_path / "logs", tmp_path / "out", remove=True).removed == 1
    assert not path.exists()
    assert table(tmp_path / "out", "events")["event_id"].to_list() == ["a"]


def test_a_table_that_an_interruption_left_behind_is_written_again(tmp_path):
    write_segment(tmp_path / "logs", "events", "1", [call(60.0, event("a"), event("b"))])
    compact(tmp_path / "logs", tmp_path / "out")
    before = (tmp_path / "out" / "events" / "1.parquet").read_bytes()
    (tmp_path / "out" / "manifest.json").unlink()  # as if it had not yet been written
    (tmp_path / "out" / "events" / ".2.parquet.draft").write_bytes(b"half a ta")
    compact(tmp_path / "logs", tmp_path / "out")
    assert (tmp_path / "out" / "events" / "1.parquet").read_bytes() == before
    assert not list((tmp_path / "out" / "events").glob(".*"))


def _compact(logs: Path, out: Path) -> None:
    compact(logs, out)


def test_killed_again_and_again_it_ends_with_every_event_once(tmp_path):
    for number in range(40):
        calls = [call(60.0 + n, event(f"{number}-{n}"), event(f"{number - 1}-{n}")) for n in range(20)]
        write_segment(tmp_path / "logs", "events", f"{number:03d}", calls)
    context, rng = multiprocessing.get_context("spawn"), random.Random(3)
    for _ in range(4):
        worker = context.Process(target=_compact, args=(tmp_path / "logs", tmp_path / "out"))
        worker.start()
        while worker.is_alive() and not (tmp_path / "out" / "manifest.json").exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1))
        if worker.is_alive() and worker.pid is not None:
            os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    report: CompactionReport = compact(tmp_path / "logs", tmp_path / "out")
    assert report.before + len(report.done) == 40
    names = table(tmp_path / "out", "events")["event_id"].to_list()
    assert sorted(names) == sorted({f"{number}-{n}" for number in range(-1, 40) for n in range(20)})


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{", "no manifest"), (b'{"format": 9, "segments": {}}', "format 9"), (b'{"segments": 1}', "no manifest")],
)
def test_another_manifest_is_refused(tmp_path, content, says):
    write_segment(tmp_path / "logs", "events", "1", [])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match=says):
        compact(tmp_path / "logs", tmp_path / "out")


def test_no_logs_and_no_place_for_tables_are_said(tmp_path):
    with pytest.raises(DataError, match="no logs here"):
        compact(tmp_path / "gone", tmp_path / "out")
    write_segment(tmp_path / "logs", "events", "1", [])
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file"):
        compact(tmp_path / "logs", tmp_path / "file")
