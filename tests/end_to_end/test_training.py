"""Training by the command: measured, refit, saved; interrupted by the keyboard it goes on where it stopped."""

import html
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.browser import open_page
from tests.end_to_end.project import encorec, environment, succeeded, write_project

from encorec.pipeline.engine import load_engine
from encorec.pipeline.manifest import read_manifest

# A process started in the background of a shell ignores SIGINT, and so would its children.
LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from encorec.cli import main; main()"
)


class Interval(msgspec.Struct):
    mean: float
    ci95: tuple[float, float] | None


class Comparison(msgspec.Struct, forbid_unknown_fields=True):
    mean: float
    ci95: tuple[float, float]
    p: float
    p_holm: float
    better: float
    equal: float
    worse: float


class Ceiling(msgspec.Struct, forbid_unknown_fields=True):
    fold: str
    queries: int
    truth: int
    union: float
    sources: dict[str, float]
    candidates_per_query: float
    taught: dict[str, int]


class Spread(msgspec.Struct, forbid_unknown_fields=True):
    mean: float
    sd: float | None
    min: float
    max: float


class Gain(Comparison, forbid_unknown_fields=True):
    against: str
    p: float | None
    p_holm: float | None


class Segment(msgspec.Struct, forbid_unknown_fields=True):
    users: int
    answers: int
    systems: dict[str, Interval]
    difference: Gain


class Route(msgspec.Struct, forbid_unknown_fields=True):
    events: str
    order: str | None
    queries: int
    shortened: int
    taught: int
    ranker: float | None
    best: str | None
    mean: float | None
    p: float | None


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """What ``--json`` prints: the contract with whoever reads it by a program."""

    name: str
    seed: int
    data: dict[str, str | int]
    split: dict[str, str | int]
    ceilings: list[Ceiling]
    systems: dict[str, dict[str, Interval | int]]
    comparisons: dict[str, Comparison]
    verdict: dict[str, str | bool]
    ranker: dict[str, Any]
    folds: list[dict[str, Any]]
    spread: dict[str, dict[str, Spread]]
    segments: dict[str, dict[str, Segment]]
    lengths: dict[str, dict[str, Any]]
    item_age: dict[str, Any]
    cold_users: dict[str, Any]
    curves: dict[str, Any]
    rank_shift: dict[str, dict[str, list[Any]]]
    explanation: dict[str, Any]
    routing: list[Route]


@pytest.fixture(scope="module")
def report(project: Path) -> Report:
    run = succeeded(project, "evaluate", "films.toml", "--json", "--require-win", "--html", "report.html")
    return msgspec.json.decode(run.stdout, type=Report)


def test_the_page_of_the_report_opens_without_complaint(project: Path, report: Report) -> None:
    for width in (390, 1200):
        opened = open_page(f"file://{project / 'report.html'}", width=width)
        assert opened.console == []
    assert html.escape(str(report.verdict["sentence"])) in opened.document


def test_the_report_has_its_schema(report: Report) -> None:
    retrievers = ["steps", "knn", "als", "popular"]
    assert list(report.systems) == [*retrievers, "rrf", "two-stage"]
    assert list(report.comparisons) == [*retrievers, "rrf"]
    assert report.verdict.keys() == {"win", "metric", "best_retriever", "sentence"}
    assert len(report.ceilings) == 3
    assert list(report.ceilings[0].sources) == retrievers
    assert report.ranker.keys() == {"trees", "rows", "importance"}
    for system in report.systems.values():
        ndcg, coverage = system["ndcg@10"], system["coverage@10"]
        assert isinstance(ndcg, Interval)
        assert isinstance(coverage, Interval)
        assert ndcg.ci95 is not None
        assert 0 <= ndcg.ci95[0] <= ndcg.mean <= ndcg.ci95[1] <= 1
        assert coverage.ci95 is None
        assert (system["users"], system["covered_users"]) == (298, 298)


def test_the_two_stage_wins_where_the_order_matters(report: Report) -> None:
    assert report.verdict["win"] is True
    assert report.verdict["best_retriever"] == "steps"
    assert all(one.ci95[0] > 0 for one in report.comparisons.values())


def test_evaluation_saves_nothing_and_the_trained_artifact_carries_the_same_figures(
    project: Path, report: Report
) -> None:
    figures = read_manifest(project / "artifact").figures
    assert msgspec.convert(figures["systems"], dict[str, dict[str, Interval | int]]) == report.systems
    assert {path.name for path in project.iterdir() if path.is_dir()} == {"artifact"}


def test_training_shows_the_table_and_the_verdict(project: Path) -> None:
    told = (project / "train.txt").read_text()
    for part in ("two-stage gains", "retrieval ceiling", "the two-stage WINS. ndcg@10:", "· grow trees", "· fit als"):
        assert part in told
    assert "artifact, refit on all 3,494 interactions: artifact" in told


def test_a_table_of_ones_own_is_learnt_with_ids_features_and_titles(project: Path) -> None:
    artifact = load_engine(project / "artifact").artifact
    assert artifact.users.ids[:2].tolist() == ["v000", "v001"]
    assert artifact.title(artifact.items.row("f003")) == "Part 3"
    names = artifact.pipeline.first.features.names
    assert {"genres_affinity", "kind_affinity", "year_gap", "item_kind", "user_age", "user_sex"} <= set(names)
    assert artifact.manifest.data.source == "log"


@pytest.mark.parametrize("command", [("evaluate",), ("train", "--out", "never")])
def test_without_a_win_the_exit_code_says_so_and_nothing_is_saved(project: Path, command: tuple[str, ...]) -> None:
    run = encorec(project, command[0], "hopeless.toml", "--require-win", *command[1:])
    assert run.returncode == 2
    assert "NO GAIN from the second stage." in run.stdout
    assert not (project / "never").exists()


def interrupted_after_one_fold(folder: Path, kept: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", LISTENING, *arguments]
    surroundings = environment() | {"ENCOREC_CACHE": str(folder / "cache")}
    process = subprocess.Popen(command, cwd=folder, env=surroundings, stderr=subprocess.PIPE, text=True)
    while not list(folder.glob(kept)):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, None, told)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeks")
    write_project(folder)
    return folder


def content(artifact: Path) -> dict[str, Any]:
    """Everything learnt: hashes of all arrays, and the trees; CatBoost gives every model file a name of its own."""
    hashes = {path: entry.sha256 for path, entry in read_manifest(artifact).files.items() if entry.shape is not None}
    return hashes | {"trees": json.loads((artifact / "ranker.json").read_text())["oblivious_trees"]}


def test_an_interrupted_training_goes_on_where_it_stopped(weeks: Path) -> None:
    run = interrupted_after_one_fold(weeks, "artifact.checkpoints/*.npz", "train", "weeks.toml", "--out", "artifact")
    assert run.returncode not in (0, None)
    assert "Traceback" not in run.stderr
    assert not (weeks / "artifact").exists()
    kept = {path: path.stat().st_mtime_ns for path in weeks.glob("artifact.checkpoints/*.npz")}
    assert 1 <= len(kept) < 4
    resumed = succeeded(weeks, "train", "weeks.toml", "--out", "artifact")
    whole = succeeded(weeks, "train", "weeks.toml", "--out", "whole")
    assert resumed.stderr.count("· candidates of fold") == whole.stderr.count("· candidates of fold") - len(kept)
    assert content(weeks / "artifact") == content(weeks / "whole")
    routings = [read_manifest(weeks / name).routing for name in ("artifact", "whole")]
    assert routings[0] == routings[1]
    line = "routed past the ranker, by events in the history: "
    told = ", ".join(f"{length} to {order}" for length, order in routings[1].items())
    assert bool(told) == (f"{line}{told}" in whole.stderr)
    assert not (weeks / "artifact.checkpoints").exists()
    resumed_report, whole_report = (read_manifest(weeks / name).figures for name in ("artifact", "whole"))
    assert json.dumps(resumed_report) == json.dumps(whole_report)


OWN = """
import numpy as np

class Constant:
    def __init__(self, past, item):
        self.item = past.items.row(item)

    def recommend(self, queries, k):
        allowed = queries.eligible.mask(len(queries))[:, self.item]
        return np.where(allowed, self.item, -1)[:, None]

def make(past, rng, item):
    return Constant(past, item)
"""


def test_systems_of_ones_own_are_found_in_the_current_folder(weeks: Path) -> None:
    (weeks / "own.py").write_text(OWN)
    config = (weeks / "films.toml").read_text()
    table = '\n[evaluation.systems.constant]\nfactory = "own:make"\noptions = {item = "f000"}\n'
    (weeks / "own.toml").write_text(config + table)
    report = json.loads(succeeded(weeks, "evaluate", "own.toml", "--json").stdout)
    assert list(report["systems"]) == ["steps", "knn", "als", "popular", "constant", "rrf", "two-stage"]
    assert 0 < report["systems"]["constant"]["covered_users"] < 298
    (weeks / "torn.toml").write_text(config + table.replace("own:make", "own:mkae"))
    told = encorec(weeks, "evaluate", "torn.toml")
    assert told.returncode == 1
    assert "evaluation.systems.constant.factory: unknown attribute of own 'mkae': did you mean 'make'?" in told.stderr


def test_an_interrupted_evaluation_goes_on_where_it_stopped_and_leaves_nothing(weeks: Path) -> None:
    run = interrupted_after_one_fold(weeks, "cache/evaluate/weeks-*/*.npz", "evaluate", "weeks.toml")
    assert run.returncode not in (0, None)
    kept = len(list(weeks.glob("cache/evaluate/weeks-*/*.npz")))
    surroundings = environment() | {"ENCOREC_CACHE": str(weeks / "cache")}
    command = [sys.executable, "-m", "encorec", "evaluate", "weeks.toml", "--json"]
    resumed = subprocess.run(command, cwd=weeks, env=surroundings, capture_output=True, text=True, check=True)
    whole = succeeded(weeks, "evaluate", "weeks.toml", "--json")
    assert resumed.stderr.count("· candidates of fold") == whole.stderr.count("· candidates of fold") - kept
    assert resumed.stdout == whole.stdout
    assert not list(weeks.glob("cache/evaluate/*"))


def test_a_page_that_cannot_be_written_is_refused_before_the_work(weeks: Path) -> None:
    for command in (("evaluate", "weeks.toml"), ("train", "weeks.toml", "--out", "never")):
        run = encorec(weeks, *command, "--html", "no/such/folder/report.html")
        assert (run.returncode, run.stdout) == (1, "")
        assert "error: --html no/such/folder/report.html: cannot be written there" in run.stderr
        assert "fit als" not in run.stderr


def test_an_evaluation_needs_no_place_for_its_checkpoints(weeks: Path) -> None:
    (weeks / "occupied").write_text("")
    command = [sys.executable, "-m", "encorec", "evaluate", "hopeless.toml", "--json"]
    surroundings = environment() | {"ENCOREC_CACHE": str(weeks / "occupied")}
    run = subprocess.run(command, cwd=weeks, env=surroundings, capture_output=True, text=True, check=True)
    assert "cannot be made (Not a directory), so an interrupted run would begin anew" in run.stderr
    assert json.loads(run.stdout)["verdict"]["win"] is False
