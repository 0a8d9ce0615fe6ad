"""Systems by the number of events in the history, against each group worked out alone."""

from dataclasses import replace

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.evaluation.backtest.backtest import Backtest
from encorec.evaluation.backtest.breakdown import LEAST_TESTED
from encorec.evaluation.backtest.judged import JudgedFold
from encorec.evaluation.backtest.lengths import LENGTHS, by_length
from encorec.evaluation.backtest.segments import UserSegments
from encorec.evaluation.report.lengths import lengths
from encorec.evaluation.uncertainty import compare
from encorec.pipeline.eligibility import fold_queries
from encorec.verdict import EvaluationConfig, judge_exam

CONFIG = EvaluationConfig(resamples=200)


@pytest.fixture(scope="module")
def exam(trained: Trained) -> JudgedFold:
    segments = UserSegments(CONFIG.segments, trained.data)
    judged = judge_exam(CONFIG, trained.exam.test, "exclude", trained.exam.pipeline, {}, segments)
    length = np.arange(len(judged)) % 40  # new ones too
    return replace(judged, length=length)


def test_the_length_is_that_of_the_history(trained: Trained) -> None:
    segments = UserSegments(CONFIG.segments, trained.data)
    judged = judge_exam(CONFIG, trained.exam.test, "exclude", trained.exam.pipeline, {}, segments)
    assert judged.length.tolist() == fold_queries(trained.exam.test).history.lengths.tolist()


def test_every_group_is_what_it_is_alone(exam: JudgedFold) -> None:
    found = by_length(Backtest(CONFIG, [exam], 0), [], "two-stage", ["steps", "popular"])
    assert list(found) == list(LENGTHS) == ["new", "1-4", "5-19", "20+"]
    bounds = {"new": (0, 0), "1-4": (1, 4), "5-19": (5, 19), "20+": (20, 999)}
    for label, one in found.items():
        least, most = bounds[label]
        kept = (exam.length >= least) & (exam.length <= most)
        values = {name: exam.systems[name].values["ndcg@10"][kept] for name in ("two-stage", "steps", "popular")}
        assert one["users"] == kept.sum()
        for rival, gain in one["differences"].items():
            alone = compare(values["two-stage"], values[rival], rng=np.random.default_rng(0), resamples=200)
            assert (gain["mean"], gain["ci95"]) == (pytest.approx(alone.mean), pytest.approx([alone.low, alone.high]))
            assert (gain["p_holm"] is None) == (kept.sum() < LEAST_TESTED)
            assert one["systems"][rival]["mean"] == pytest.approx(values[rival].mean())


def test_users_judged_apart_are_new(exam: JudgedFold) -> None:
    some = exam.take(np.arange(len(exam)) < 5)
    apart = replace(some, length=np.zeros(5, int))
    known = replace(exam, length=np.full(len(exam), 7))
    found = by_length(Backtest(CONFIG, [known], 0), [apart], "two-stage", ["steps"])
    assert {label: one["users"] for label, one in found.items()} == {"new": 5, "5-19": len(exam)}


def test_exams_without_lengths_tell_nothing(exam: JudgedFold) -> None:
    assert by_length(Backtest(CONFIG, [replace(exam, length=np.zeros(0, int))], 0), [], "two-stage", ["steps"]) == {}


def test_the_report_holds_the_best_retriever_popularity_and_the_fusion(trained: Trained) -> None:
    report = trained.exam.report
    assert list(report["lengths"]) == ["1-4", "5-19", "20+"]
    assert list(report["lengths"]["5-19"]["differences"]) == ["steps", "popular", "rrf"]
    _, charts, means, gains, _, routes = lengths(report)
    assert len(charts.blocks) == 3
    assert [len(means.rows), len(gains.rows)] == [3, 9]
    assert [row[0] for row in routes.rows] == list(LENGTHS)
    assert [row[1] for row in routes.rows] == [one["order"] or "the ranker" for one in report["routing"]]
    assert len(lengths({**report, "routing": []})) == 4
