"""The search: honest values, nothing of the test, interruptions harmless, the best written down."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.conftest import Command
from tests.end_to_end.project import write_project
from tests.worlds import small_run, small_world

from encorec.config import decode, load_toml
from encorec.data.dataset import Dataset
from encorec.data.splits import RollingTime, earlier_folds
from encorec.errors import ConfigError, DataError
from encorec.evaluation.evaluate import evaluate
from encorec.pipeline.assembly import assemble
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig, fit_first_stage, fit_ranker
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.search_space import Dimension, TuneConfig
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.linear_ranker import LinearConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.tuning import Tuned, tune
from encorec.tuning.validation import Validation
from encorec.workflow import RunConfig

DATA = small_world()
SPACE = {
    "ranker.bins": Dimension(low=2, high=12),
    "ranker.reg": Dimension(low=0.5, high=100.0, log=True),
    "candidates.quotas.popular": Dimension(choices=(0, 5, 10)),
    "retrievers.steps.window": Dimension(low=1, high=3),
}
QUICK: dict[str, Any] = {
    "retrievers": {"steps": CovisitationConfig(window=2, last=3), "popular": PopularityConfig()},
    "candidates": CandidatesConfig(per_source=10),
    "ranker": LinearConfig(max_steps=30),
    "training": TrainingConfig(folds=2, negatives=5),
    "tune": TuneConfig(space=SPACE),
}
RUN = small_run(**QUICK)
CONTENT: dict[str, Any] = msgspec.to_builtins(RUN)
Told = Callable[[str], None]


def tuned(
    out: Path, trials: int = 4, data: Dataset = DATA, told: Told | None = None, changed: dict[str, Any] | None = None
) -> Tuned:
    return tune(CONTENT | (changed or {}), data, out, trials=trials, told=told)


def trials_of(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("trial ")]


def made_plainly(run: RunConfig) -> np.ndarray:
    """The values of users without anything kept: every part by the functions that training itself uses."""
    test = run.split.folds(DATA)[-1]
    fold, *earlier = islice(earlier_folds(test, run.split), 1 + run.training.folds)
    parts = [fold_rows(run, one, fit_first_stage(run, one.past, run.seed), run.seed) for one in earlier]
    first = fit_first_stage(run, fold.past, run.seed)
    ranker = fit_ranker(run, parts, first.features.names, run.seed)
    slate = assemble(run, first, fold.past, run.seed, ranker=ranker, parts=parts).recommend(fold_queries(fold), 10)
    return evaluate(slate.item, fold.truth, ["ndcg@10"]).per_user["ndcg@10"]


@pytest.mark.parametrize("ranker", [LinearConfig(max_steps=30), CatBoostConfig(max_trees=5)])
def test_values_are_those_of_a_training_without_anything_kept(ranker: Any, tmp_path: Path) -> None:
    run = small_run(**QUICK | {"ranker": ranker})
    validation = Validation(run, DATA, tmp_path)
    for _ in range(2):
        assert validation.values(run).tolist() == made_plainly(run).tolist()
    again = Validation(run, DATA, tmp_path)
    other = msgspec.structs.replace(run, candidates=CandidatesConfig(per_source=10, quotas={"popular": 3}))
    assert again.values(other).tolist() == made_plainly(other).tolist()


def test_what_a_trial_leaves_as_it_was_is_not_done_again(tmp_path: Path) -> None:
    said: list[str] = []
    validation = Validation(RUN, DATA, tmp_path)
    for ranker in (LinearConfig(max_steps=30), LinearConfig(max_steps=30, bins=3)):
        said.append("next")
        validation.values(msgspec.structs.replace(RUN, ranker=ranker), lambda what, *_: said.append(what))
    second = said[len(said) - said[::-1].index("next") :]
    assert {"fit steps", "fit popular", "candidates of fold last-1"} <= set(said)
    assert set(second) == {"grow trees", "grow trees from all folds", "judge"}


def test_the_test_changes_nothing(tmp_path: Path) -> None:
    """The last item of every user is another one: the same trials, the same values."""
    table = DATA.interactions
    newest = table.indptr[1:][table.user_counts > 0] - 1
    item = table.item.copy()
    item[newest] = np.roll(item[newest], 1)
    other = replace(DATA, interactions=replace(table, item=item))
    assert other.interactions.item.tolist() != table.item.tolist()
    found: list[list[str]] = [[], []]
    for place, data in enumerate((DATA, other)):
        tuned(tmp_path / f"{place}.toml", data=data, told=found[place].append)
    assert found[0] == found[1]


def test_the_best_is_written_and_beats_or_equals_what_was_given(tmp_path: Path) -> None:
    lines: list[str] = []
    done = tuned(tmp_path / "best.toml", 6, told=lines.append)
    written = load_toml(tmp_path / "best.toml", RunConfig)
    assert decode(done.content, RunConfig) == written
    assert written.tune == RUN.tune
    values = Validation(RUN, DATA, tmp_path / "again").values(written)
    assert done.value == pytest.approx(values.mean())
    assert done.value >= done.default
    assert done.difference.mean == pytest.approx(done.value - done.default)
    best = max(float(line.split(" ")[3]) for line in trials_of(lines))
    assert done.value == pytest.approx(max(best, done.default), abs=1e-4)
    assert "the test, which no trial has seen, decides" in done.sentence or not done.changes


def test_where_nothing_beats_the_given_it_is_written_as_it_was(tmp_path: Path) -> None:
    worse = {"tune": {"space": {"ranker.reg": {"low": 10.0**8, "high": 10.0**9}}}}
    done = tuned(tmp_path / "best.toml", 2, changed=worse)
    assert done.changes == {}
    assert tomllib.loads((tmp_path / "best.toml").read_text()).keys() == {**CONTENT, **worse}.keys()
    assert load_toml(tmp_path / "best.toml", RunConfig).ranker == RUN.ranker
    assert done.sentence.startswith("no trial of ")
    assert done.difference.mean == 0


class Break:
    """Breaks off, as Ctrl-C does, at the end of a trial or in the middle of one."""

    def __init__(self, after: int) -> None:
        self.lines: list[str] = []
        self._left = after

    def told(self, line: str) -> None:
        self.lines.append(line)
        self._left -= line.startswith("trial ")

    def progress(self, what: str, done: int, total: int) -> None:
        if self._left <= 0 and what == "grow trees":
            raise KeyboardInterrupt


def test_a_study_broken_off_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole: list[str] = []
    one = tuned(tmp_path / "whole.toml", 5, told=whole.append)
    broken = Break(after=2)
    half = tune(CONTENT, DATA, tmp_path / "parts.toml", trials=5, told=broken.told, progress=broken.progress)
    assert half.interrupted
    assert load_toml(tmp_path / "parts.toml", RunConfig)
    rest: list[str] = []
    two = tuned(tmp_path / "parts.toml", 3, told=rest.append)
    assert not two.interrupted
    parts = [line.split("; ")[1] for line in [*trials_of(broken.lines), *trials_of(rest)]]
    assert parts == [line.split("; ")[1] for line in trials_of(whole)]
    assert (two.value, two.changes, two.finished) == (one.value, one.changes, one.finished)


def test_a_process_killed_while_it_wrote_leaves_a_study_that_goes_on(tmp_path: Path) -> None:
    tuned(tmp_path / "best.toml", 2)
    journal = tmp_path / "best.toml.study"
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    lines: list[str] = []
    tuned(tmp_path / "best.toml", 1, told=lines.append)
    assert len(trials_of(lines)) == 1


def test_time_ends_the_search(tmp_path: Path) -> None:
    done = tune(CONTENT, DATA, tmp_path / "best.toml", trials=1000, seconds=1e-9)
    assert done.finished <= 1


def test_the_study_of_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "best.toml"
    tuned(out, 1)
    for changed in ({"seed": 5}, {"training": {"folds": 1}}, {"tune": {"space": {"ranker.bins": {"choices": [2, 3]}}}}):
        with pytest.raises(ConfigError, match="is the study of another configuration"):
            tuned(out, 1, changed=changed)
    with pytest.raises(ConfigError, match="is the study of another configuration"):
        tuned(out, 1, data=replace(DATA, interactions=DATA.interactions.take(np.arange(3000))))


@pytest.mark.parametrize("content", ["tea,cups\n1,2", "{}", "\n"])
def test_a_file_that_is_no_study_stays_as_it_is(content: str, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text(content)
    with pytest.raises(ConfigError, match="is not a study"):
        tune(CONTENT, DATA, tmp_path / "best.toml", trials=1, storage=tmp_path / "notes.csv")
    assert (tmp_path / "notes.csv").read_text() == content


def test_values_that_are_impossible_together_are_told_and_passed_over(tmp_path: Path) -> None:
    space = {f"candidates.quotas.{name}": {"choices": [0, 10]} for name in ("steps", "popular")}
    lines: list[str] = []
    tuned(tmp_path / "best.toml", 10, told=lines.append, changed={"tune": {"space": space}})
    impossible = [line for line in trials_of(lines) if "impossible" in line]
    assert 0 < len(impossible) < 10
    assert any(line.startswith("not possible: ") and "all are 0" in line for line in lines)


def test_of_several_exams_none_is_seen() -> None:
    run = small_run(**QUICK, split=RollingTime(days=20, n=2))
    oldest = run.split.folds(DATA)[0]
    with_folds = Validation(run, DATA, Path("never-made"))
    assert int(with_folds.fold.now.max()) < int(oldest.now.min())


def test_too_little_data_is_said(tmp_path: Path) -> None:
    table = DATA.interactions
    first = np.flatnonzero(np.arange(len(table)) - table.indptr[table.user] < 3)
    short = replace(DATA, interactions=table.take(first))
    with pytest.raises(DataError, match="no label fold fits before the validation fold"):
        tuned(tmp_path / "best.toml", data=short)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path)
    text = (tmp_path / "films.toml").read_text()
    quick = text.replace('kind = "catboost"\nmax_trees = 60\ndepth = 4\nlearning_rate = 0.15', 'kind = "linear"')
    (tmp_path / "quick.toml").write_text(f'{quick}\n[tune.space]\n"ranker.bins" = {{ low = 2, high = 8 }}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_searches_goes_on_and_writes_what_evaluate_takes(project: Path, run_encorec: Command) -> None:
    code, shown, told = run_encorec("tune", "quick.toml", "--trials", 2)
    assert code == 0
    assert shown.startswith("as given: ndcg@10 0.")
    assert len(trials_of(shown.splitlines())) == 2
    assert "best configuration: quick-tuned.toml; measure it with: encorec evaluate quick-tuned.toml" in told
    code, shown, _ = run_encorec("tune", "quick.toml", "--trials", 1)
    assert len(trials_of(shown.splitlines())) == 1
    code, shown, _ = run_encorec("evaluate", "quick-tuned.toml", "--json")
    assert code == 0


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "over the configuration": (("--out", "quick.toml"), "is the configuration itself"),
    "into no folder": (("--out", "no/where.toml"), "cannot be written there"),
    "a journal over the configuration": (("--storage", "quick.toml"), "is another file of this call"),
    "a journal that is none": (("--storage", "log.csv"), "is not a study"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_one_line(wrong: str, project: Path, run_encorec: Command) -> None:
    options, message = WRONG[wrong]
    before = (project / "quick.toml").read_bytes()
    code, shown, told = run_encorec("tune", "quick.toml", *options)
    assert (code, shown) == (1, "")
    assert next(line for line in told.splitlines() if not line.startswith("·")).startswith("error: ")
    assert message in told
    assert (project / "quick.toml").read_bytes() == before
