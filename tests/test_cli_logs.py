import json
from pathlib import Path

from tests.conftest import Command
from tests.serving.log_files import call, event, impression, write_segment
from tests.worlds import Trained

from encorec.serving.state.sqlite_state import SqliteState


def logs(folder: Path) -> Path:
    write_segment(folder / "logs", "events", "20260102T030405.000000Z-w-000001", [call(60.0, event("a", 1, 2))])
    path = write_segment(folder / "logs", "impressions", "20260102T030405.000000Z-w-000001", [impression("r")])
    path.write_bytes(path.read_bytes() + b"half")
    return folder / "logs"


def test_describe_counts_what_is_there(run_encorec: Command, tmp_path: Path) -> None:
    code, shown, _ = run_encorec("logs", "describe", logs(tmp_path))
    assert code == 0
    assert "2026-01-02 03:04:05Z" in shown
    _, shown, _ = run_encorec("logs", "describe", tmp_path / "logs", "--json")
    found = json.loads(shown)["impressions"]
    assert (found["segments"], found["open"], found["frames"], found["torn_bytes"]) == (1, 0, 1, 4)


def test_compact_makes_tables_once(run_encorec: Command, tmp_path: Path) -> None:
    arguments = ("logs", "compact", logs(tmp_path), "--out", tmp_path / "tables")
    code, shown, said = run_encorec(*arguments)
    assert (code, "0 files were in tables before" in said) == (0, True)
    assert "impressions" in shown
    _, shown, _ = run_encorec(*arguments, "--json")
    assert json.loads(shown) == {"done": {}, "before": 2, "open": [], "refused": {}, "removed": 0}
    _, _, said = run_encorec(*arguments, "--remove")
    assert "2 log files deleted" in said


def test_compact_says_which_file_it_refuses(run_encorec: Command, tmp_path: Path) -> None:
    (logs(tmp_path) / "events" / "0.frames").write_bytes(b"something else")
    code, _, said = run_encorec("logs", "compact", tmp_path / "logs", "--out", tmp_path / "tables")
    assert code == 3
    assert "refused: events/0.frames" in said


def test_what_is_no_folder_of_logs_is_one_line(run_encorec: Command, tmp_path: Path) -> None:
    for command in ("describe", "compact"):
        code, _, said = run_encorec("logs", command, tmp_path, *(["--out", tmp_path] if command == "compact" else []))
        assert (code, "no logs here" in said) == (1, True)


def test_replay_makes_a_state_and_compares_it(run_encorec: Command, trained: Trained, tmp_path: Path) -> None:
    source, artifact = logs(tmp_path), trained.folder
    options = ("replay", source, "--artifact", artifact)
    code, shown, _ = run_encorec(*options, "--state", tmp_path / "new.sqlite", "--json")
    assert code == 0
    found = json.loads(shown)
    assert (found["calls"], found["accepted"], found["users"], found["differing_users"]) == (1, 1, 1, None)
    code, shown, _ = run_encorec(*options, "--against", tmp_path / "new.sqlite")
    assert (code, "differing" in shown) == (0, False)
    state = SqliteState(str(tmp_path / "new.sqlite"))
    state.append([event("b", 1, 3)], now=61)
    state.close()
    code, _, said = run_encorec(*options, "--against", tmp_path / "new.sqlite")
    assert (code, "1 users differ, first: 1" in said) == (4, True)


def test_replay_spares_what_is_there(run_encorec: Command, trained: Trained, tmp_path: Path) -> None:
    options = ("replay", logs(tmp_path), "--artifact", trained.folder)
    (tmp_path / "old.sqlite").touch()
    code, _, said = run_encorec(*options, "--state", tmp_path / "old.sqlite")
    assert (code, "is there already" in said) == (1, True)
    code, _, said = run_encorec(*options, "--against", tmp_path / "none.sqlite")
    assert (code, "no such file" in said) == (1, True)
