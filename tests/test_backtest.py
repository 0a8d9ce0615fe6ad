"""Several exams: each judged as it would be alone, nothing made twice, one report of all, interrupted or not."""

import json
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.browser import open_page
from tests.test_workflow import QUICK, Spy
from tests.worlds import small_run, small_world

from encorec import workflow
from encorec.data.dataset import Dataset
from encorec.data.splits import RollingTime, TimeCut
from encorec.errors import ConfigError, DataError
from encorec.evaluation.report.report_page import report_page, write_report
from encorec.evaluation.uncertainty import holm
from encorec.pipeline.checkpoints import Checkpoints
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import TrainingConfig
from encorec.types import IntMatrix, Queries
from encorec.verdict import EvaluationConfig, SegmentsConfig, single_lists
from encorec.workflow import Exam, RunConfig, examine, refit

DATA = small_world()
WEEKS = RollingTime(days=14, n=3)
EVALUATION = EvaluationConfig(
    metrics=("recall@5", "miuf@10", "coverage@10", "ild@10"),
    resamples=200,
    segments=SegmentsConfig(history=(5, 12), item_age=(20, 40)),
)


class Random:
    """A system of one's own: any items that may be shown."""

    def __init__(self, past: Dataset, rng: np.random.Generator) -> None:
        self.past, self.rng = past, rng

    def recommend(self, queries: Queries, k: int) -> IntMatrix:
        chance = self.rng.random((len(queries), queries.items))
        return np.argsort(-np.where(queries.eligible.mask(len(queries)), chance, -1), axis=1)[:, :k]


def weekly(**changes: Any) -> RunConfig:
    settings = QUICK | {"split": WEEKS, "evaluation": EVALUATION, "training": TrainingConfig(folds=2, negatives=5)}
    return small_run(**settings | changes)


@pytest.fixture(scope="module")
def exam() -> Exam:
    return examine(weekly(), DATA, systems={"random": Random})


@pytest.fixture(scope="module")
def report(exam: Exam) -> dict[str, Any]:
    return exam.report


def test_every_exam_is_judged_as_it_would_be_alone(report: dict[str, Any]) -> None:
    for number, fold in enumerate(WEEKS.folds(DATA)):
        end = np.datetime64(int(fold.now[0]) + 14 * 86_400, "s").item().isoformat()
        alone = examine(weekly(split=RollingTime(days=14, n=1, end=end)), DATA).report
        entry = report["folds"][number]
        assert entry["split"] == alone["split"] == msgspec.to_builtins(fold.statistics)
        for system, figures in alone["systems"].items():
            assert entry["systems"][system] == figures
        for system, gain in alone["comparisons"].items():
            assert entry["comparisons"][system] == {name: value for name, value in gain.items() if name != "p_holm"}
        assert entry["win"] is alone["verdict"]["win"]


def test_the_figures_are_means_of_the_exams_with_their_spread(report: dict[str, Any]) -> None:
    for system, figures in report["systems"].items():
        for metric in ("ndcg@10", "recall@5", "coverage@10"):
            means = [fold["systems"][system][metric]["mean"] for fold in report["folds"]]
            assert figures[metric]["mean"] == pytest.approx(np.mean(means))
            spread = report["spread"][system][metric]
            assert spread["sd"] == pytest.approx(np.std(means, ddof=1))
            assert (spread["min"], spread["max"]) == (min(means), max(means))
        low, high = figures["ndcg@10"]["ci95"]
        assert low <= figures["ndcg@10"]["mean"] <= high
    users = set().union(*(fold.user.tolist() for fold in WEEKS.folds(DATA)))
    assert report["systems"]["popular"]["users"] == len(users)


def test_the_verdict_speaks_of_all_exams(report: dict[str, Any]) -> None:
    verdict, systems = report["verdict"], report["systems"]
    best = max(("steps", "popular"), key=lambda name: systems[name]["ndcg@10"]["mean"])
    ahead = sum(
        fold["systems"]["two-stage"]["ndcg@10"]["mean"] > fold["systems"][best]["ndcg@10"]["mean"]
        for fold in report["folds"]
    )
    assert verdict["best_retriever"] == best
    assert verdict["sentence"].endswith(f"; mean of 3 exams, ahead in {ahead}")
    assert verdict["win"] is all(report["comparisons"][name]["ci95"][0] > 0 for name in ("steps", "popular"))


def test_comparisons_are_adjusted_for_their_number(report: dict[str, Any]) -> None:
    gains = report["comparisons"].values()
    assert [gain["p_holm"] for gain in gains] == holm([gain["p"] for gain in gains])
    segments = [one for groups in report["segments"].values() for one in groups.values()]
    tested = [one["difference"] for one in segments if one["users"] >= 30]
    assert [gain["p_holm"] for gain in tested] == holm([gain["p"] for gain in tested])
    small = [one["difference"] for one in segments if one["users"] < 30]
    assert [(gain["p"], gain["p_holm"]) for gain in small] == [(None, None)] * len(small)
    assert tested
    assert small
    for gain in [*gains, *tested, *small]:
        assert gain["better"] + gain["equal"] + gain["worse"] == pytest.approx(1)


def ndcg_of(lists: IntMatrix, fold: Any) -> list[float]:
    found = []
    for row, items in enumerate(lists.tolist()):
        wanted = fold.truth.row(row).tolist()
        gained = sum(1 / log2(place + 2) for place, item in enumerate(items[:10]) if item in wanted)
        found.append(gained / sum(1 / log2(place + 2) for place in range(min(10, len(wanted)))))
    return found


def test_segments_are_means_over_their_answers(report: dict[str, Any]) -> None:
    """Of the popular items, which are easily made again: over all answers of the segment in all exams."""
    values, length, sex = [], [], []
    for fold in WEEKS.folds(DATA):
        popular = workflow.fit_first_stage(weekly().pipeline, fold.past, 0).retrievers["popular"]
        values += ndcg_of(single_lists(popular, fold_queries(fold), 10), fold)
        length += fold.history.lengths.tolist()
        sex += DATA.user_features.categorical["sex"].code[fold.user].tolist()
    value, events, code = np.array(values), np.array(length), np.array(sex)
    groups = {
        ("history", "light: 1 to 4"): (events > 0) & (events < 5),
        ("history", "5 to 11"): (events >= 5) & (events < 12),
        ("history", "heavy: 12 or more"): events >= 12,
        ("sex", "F"): code == 0,
        ("sex", "M"): code == 1,
        ("sex", "missing"): code == -1,
    }
    for (grouping, label), inside in groups.items():
        entry = report["segments"][grouping][label]
        assert entry["systems"]["popular"]["mean"] == pytest.approx(value[inside].mean())
        assert entry["answers"] == inside.sum()
    assert sum(one["answers"] for one in report["segments"]["sex"].values()) == len(value)


def test_item_ages_share_out_what_was_wanted(report: dict[str, Any]) -> None:
    ages = report["item_age"]["ages"]
    wanted = sum(fold["split"]["truth_items"] for fold in report["folds"])
    assert sum(one["wanted"] for one in ages.values()) == wanted
    assert sum(one["share"] for one in ages.values()) == pytest.approx(1)
    for one in ages.values():
        for figure in one["systems"].values():
            assert 0 <= figure["ci95"][0] <= figure["mean"] <= figure["ci95"][1] <= 1 + 1e-9


def test_curves_end_where_the_metrics_stand(report: dict[str, Any]) -> None:
    curves = report["curves"]
    assert curves["k"] == list(range(1, 11)), "no source proposes more than ten"
    for system, drawn in curves["systems"].items():
        assert drawn["ndcg"][9] == pytest.approx(report["systems"][system]["ndcg@10"]["mean"])
        assert drawn["recall"][4] == pytest.approx(report["systems"][system]["recall@5"]["mean"])
        assert np.all(np.diff(drawn["recall"]) >= -1e-12)


def test_moved_ranks_count_the_hits_of_both(report: dict[str, Any]) -> None:
    found = {
        system: sum(one["wanted"] * one["systems"][system]["mean"] for one in report["item_age"]["ages"].values())
        for system in report["systems"]
    }
    for name, shift in report["rank_shift"].items():
        hits, ten = np.array(shift["hits"]), shift["retriever_rank"].index("6-10") + 1
        assert hits[:, :-1].sum() == pytest.approx(found["two-stage"])
        assert hits[:ten].sum() == pytest.approx(found[name])


def test_nothing_is_made_twice_and_only_the_newest_pipeline_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three exams with two label folds each need five first stages, not nine."""
    fits, rows = Spy(monkeypatch, "fit_first_stage"), Spy(monkeypatch, "fold_rows")
    done = examine(weekly(), DATA)
    assert len(fits.calls) == 5
    assert len(rows.calls) == 4
    cuts = [len(data.interactions) for (_, data, *_), _ in fits.calls]
    assert len(set(cuts)) == 5
    assert done.test.statistics.fold == WEEKS.folds(DATA)[-1].statistics.fold
    refitted = refit(weekly(), DATA, done)
    assert refitted.first.retrievers.keys() == {"steps", "popular"}


def interrupted_in(exam: int) -> Callable[[str, int, int], None]:
    def progress(what: str, done: int, total: int) -> None:
        if what.startswith(f"exam {exam} of 3: judge"):
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_backtest_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        examine(weekly(), DATA, progress=interrupted_in(3), checkpoints=checkpoints)
    fits, judged = Spy(monkeypatch, "fit_first_stage"), Spy(monkeypatch, "judge_exam")
    resumed = examine(weekly(), DATA, checkpoints=checkpoints)
    assert len(fits.calls) == 1, "the label folds wait on disk"
    assert {len(fold.past.interactions) for (_, fold, *_), _ in judged.calls} == {len(resumed.test.past.interactions)}
    assert resumed.report == examine(weekly(), DATA).report


@pytest.mark.parametrize("changed", ["evaluation", "data"])
def test_exams_of_another_run_are_not_reused(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints, other, data = Checkpoints(tmp_path), {}, DATA
    examine(weekly(), DATA, checkpoints=checkpoints)
    if changed == "data":
        table = DATA.interactions
        data = DATA.restrict(np.arange(len(table)) != int(table.time.argmin()))
    else:
        other = {"evaluation": EvaluationConfig(metric="mrr@10", resamples=200)}
    judged = Spy(monkeypatch, "judge_exam")
    again = examine(weekly(**other), data, checkpoints=checkpoints)
    assert len(judged.calls) >= 3
    assert again.report == examine(weekly(**other), data).report


def test_torn_checkpoints_are_made_anew(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    examine(weekly(), DATA, checkpoints=checkpoints)
    kept = list(tmp_path.glob("*.exam"))
    assert len(kept) == 2
    kept[0].write_bytes(kept[0].read_bytes()[:1000])
    kept[1].write_bytes(b"")
    assert examine(weekly(), DATA, checkpoints=checkpoints).report == examine(weekly(), DATA).report


def test_exams_with_systems_of_ones_own_are_always_sat_anew(tmp_path: Path) -> None:
    """Their code may have changed since."""
    examine(weekly(), DATA, systems={"random": Random}, checkpoints=Checkpoints(tmp_path))
    assert not list(tmp_path.glob("*.exam"))


def test_a_system_of_ones_own_learns_from_the_past_of_every_exam() -> None:
    given: list[Dataset] = []

    def make(past: Dataset, rng: np.random.Generator) -> Random:
        given.append(past)
        return Random(past, rng)

    report = examine(weekly(), DATA, systems={"random": make}).report
    assert [len(past.interactions) for past in given] == [len(fold.past.interactions) for fold in WEEKS.folds(DATA)]
    assert list(report["systems"]) == ["steps", "popular", "random", "rrf", "two-stage"]
    assert report["comparisons"]["random"]["ci95"][0] > 0


class Oracle:
    """Knows the future."""

    def __init__(self, past: Dataset, rng: np.random.Generator) -> None:
        self.past = past

    def recommend(self, queries: Queries, k: int) -> IntMatrix:
        later = np.zeros((len(queries), queries.items), bool)
        table = DATA.interactions
        place = {int(user): row for row, user in enumerate(queries.user if queries.user is not None else [])}
        for user, item, time in zip(table.user.tolist(), table.item.tolist(), table.time.tolist(), strict=True):
            if user in place and queries.now[place[user]] <= time:
                later[place[user], item] = True
        return np.argsort(-np.where(queries.eligible.mask(len(queries)), 1.0 + later, 0), axis=1, kind="stable")[:, :k]


def test_a_better_system_of_ones_own_is_named_in_the_verdict() -> None:
    done = examine(weekly(split=TimeCut(days=14)), DATA, systems={"oracle": Oracle})
    assert done.report["verdict"]["sentence"].endswith(". Better than the two-stage: oracle")


COLD = TimeCut(days=50)


def test_users_without_a_past_are_judged_apart_and_leave_the_headline_alone() -> None:
    report = examine(weekly(split=COLD), DATA).report
    without = examine(weekly(split=COLD, evaluation=msgspec.structs.replace(EVALUATION, cold_users=False)), DATA).report
    cold = report["cold_users"]
    assert cold["judged"] == "apart"
    assert cold["users"] == report["split"]["cold_users"] > 0
    assert cold["wanted"] == report["split"]["cold_user_rows"]
    assert report["systems"] == without["systems"]
    assert without["cold_users"]["users"] == 0
    assert report["segments"]["history"]["new: no past"]["users"] == cold["users"]
    assert report["segments"]["history"]["new: no past"]["systems"]["steps"] == cold["systems"]["steps"]["ndcg@10"]
    assert "new: no past" not in without["segments"]["history"]


def test_kept_in_the_truth_they_are_part_of_the_headline_and_told_apart_too() -> None:
    apart = examine(weekly(split=COLD), DATA).report
    kept = examine(weekly(split=TimeCut(days=50, drop_cold_users=False)), DATA).report
    cold, users = kept["cold_users"], kept["split"]["queries"]
    assert cold["judged"] == "with the others"
    assert users == apart["split"]["queries"] + cold["users"]
    for system in ("steps", "popular"):
        warm, new, together = (figures["systems"][system]["ndcg@10"]["mean"] for figures in (apart, cold, kept))
        assert new == pytest.approx(apart["cold_users"]["systems"][system]["ndcg@10"]["mean"])
        assert together * users == pytest.approx(warm * (users - cold["users"]) + new * cold["users"])


def test_where_nobody_is_without_a_past_the_report_says_so() -> None:
    cold = examine(small_run(**QUICK), DATA).report["cold_users"]
    assert (cold["judged"], cold["users"], cold["systems"]) == ("none", 0, {})


def test_a_sample_of_users_is_judged_and_stated() -> None:
    some = msgspec.structs.replace(EVALUATION, max_users=30)
    first, again = (examine(weekly(evaluation=some), DATA).report for _ in range(2))
    assert first == again
    asked = [fold["split"]["queries"] for fold in first["folds"]]
    assert [fold["users"] for fold in first["folds"]] == [min(one, 30) for one in asked]
    assert max(asked) > 30
    assert "drawn at random from" in report_page(first).html()
    other = examine(weekly(evaluation=some, seed=4), DATA).report
    assert other["systems"]["popular"] != first["systems"]["popular"]


def test_too_many_exams_for_the_data_are_an_error_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = Spy(monkeypatch, "fit_first_stage")
    with pytest.raises(DataError, match=r"no label fold fits before the test|both sides need some"):
        examine(weekly(split=RollingTime(days=14, n=7)), DATA)
    assert fits.calls == []


def test_a_user_feature_that_does_not_exist_is_an_error_before_the_work() -> None:
    wrong = msgspec.structs.replace(EVALUATION, segments=SegmentsConfig(users=("shoe",)))
    with pytest.raises(ConfigError, match=r"evaluation\.segments\.users: unknown user feature 'shoe'"):
        examine(weekly(evaluation=wrong), DATA)


def test_progress_names_the_exam() -> None:
    told: list[str] = []
    examine(weekly(), DATA, progress=lambda *step: told.append(step[0]))
    assert {what.split(":")[0] for what in told} == {
        *(f"exam {one} of 3" for one in (1, 2, 3)), "resample users", "explain the ranker"
    }  # fmt: skip


def test_the_page_of_several_exams_opens_without_complaint(report: dict[str, Any], tmp_path: Path) -> None:
    page = write_report(json.loads(msgspec.json.encode(report)), tmp_path / "report.html")
    phone, screen = (open_page(f"file://{page}", width=width) for width in (390, 1200))
    assert phone.console == screen.console == []
    for heading in ("Verdict", "Exam by exam", "By length of history", "By sex", "What the second stage moved"):
        assert f"<h2>{heading}</h2>" in phone.document
    assert report["verdict"]["sentence"].partition(". ")[0] in phone.document
