"""What variety costs and whether probabilities keep their word: the figures, the page, the terminal."""

import json
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console
from tests.test_workflow import QUICK
from tests.worlds import small_run, small_world

from encorec.console import show_report
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError
from encorec.evaluation.backtest.judged import judge_system
from encorec.evaluation.report.after_ranking import probabilities, variety
from encorec.evaluation.report.report_page import report_page
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.two_stage import TwoStage
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.ranking.platt import logistic
from encorec.ranking.reliability import reliability
from encorec.ranking.training_set import label
from encorec.verdict import EvaluationConfig
from encorec.verdict.variety import STRENGTHS
from encorec.workflow import Exam, examine

DATA = small_world()
EVALUATION = EvaluationConfig(resamples=200, curve=True)


@pytest.fixture(scope="module")
def exam() -> Exam:
    return examine(small_run(**QUICK, evaluation=EVALUATION, calibration="isotonic"), DATA)


@pytest.fixture(scope="module")
def report(exam: Exam) -> dict[str, Any]:
    return exam.report


def test_every_strength_is_judged_as_a_pipeline_of_that_selection_would_be(exam: Exam) -> None:
    found = exam.report["variety"]
    assert (found["k"], found["users"], found["configured"]) == (10, len(exam.test), None)
    queries = fold_queries(exam.test)
    for kind in ("mmr", "dpp", "calibrated"):
        entries = found["curves"][kind]
        assert [one["strength"] for one in entries] == list(STRENGTHS)
        for one in (entries[0], entries[3]):
            selection = SelectionConfig(kind=kind, strength=one["strength"])  # pyright: ignore[reportArgumentType]
            selector = VariedSelector.fit(selection, exam.test.past)
            pipeline = TwoStage(exam.pipeline.first, exam.pipeline.ranker, selector=selector)
            judged = judge_system(EVALUATION, exam.test, pipeline.recommend(queries, 10).item)
            for metric in ("ndcg@10", "ild@10", "miuf@10"):
                assert one[metric] == pytest.approx(judged.values[metric].mean())
            assert one["coverage@10"] == pytest.approx(judged.catalogue["coverage@10"])
            assert one["difference"]["mean"] == pytest.approx(one["ndcg@10"] - entries[0]["ndcg@10"], abs=1e-12)


def test_strength_zero_is_the_two_stage_itself(report: dict[str, Any]) -> None:
    for entries in report["variety"]["curves"].values():
        for metric in ("ndcg@10", "ild@10", "coverage@10"):
            assert entries[0][metric] == pytest.approx(report["systems"]["two-stage"][metric]["mean"])


def test_each_kind_buys_what_it_is_for(report: dict[str, Any]) -> None:
    curves = report["variety"]["curves"]
    for kind in ("mmr", "dpp"):
        unlike = [one["ild@10"] for one in curves[kind]]
        assert unlike == sorted(unlike)
        assert unlike[-1] > 1.2 * unlike[0]
    apart = [one["calibration@10"] for one in curves["calibrated"]]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.7 * apart[0]


def test_a_configured_selection_is_served_and_drawn_with_its_own_strength() -> None:
    selection = SelectionConfig(kind="mmr", strength=0.33, caps={"kind": 6})
    done = examine(small_run(**QUICK, evaluation=EVALUATION, selection=selection), DATA)
    found = done.report["variety"]
    assert list(found["curves"]) == ["mmr"]
    assert found["configured"] == 0.33
    [own] = [one for one in found["curves"]["mmr"] if one["strength"] == 0.33]
    assert own["ndcg@10"] == pytest.approx(done.report["systems"]["two-stage"]["ndcg@10"]["mean"])
    said, drawings, table = variety(done.report)
    assert said.text.endswith(" The configuration has strength 0.33.")
    assert [one.caption.partition(",")[0] for one in drawings.blocks] == ["mmr: from strength 0 to 0.75"] * 4
    assert [table.rows[at][1] for at in table.strong] == [0.33]


def test_probabilities_are_judged_on_every_candidate_of_the_exam(exam: Exam) -> None:
    queries = fold_queries(exam.test)
    ranked = exam.pipeline.rank(queries, 1)
    taken = label(ranked, exam.test.truth)
    assert exam.pipeline.calibration is not None
    assert ranked.relevance is not None
    found = exam.report["probabilities"]
    for when, chance in (
        ("before", logistic(ranked.relevance)),
        ("after", exam.pipeline.calibration.probability(ranked.relevance)),
    ):
        wanted = msgspec.to_builtins(reliability(chance, taken))
        assert found[when]["rows"] == wanted["rows"] == len(ranked)
        for name in ("ece", "log_loss", "brier", "predicted", "taken"):
            assert found[when][name] == pytest.approx(wanted[name])
    assert found["after"]["ece"] < found["before"]["ece"] / 2
    assert found["after"]["log_loss"] < found["before"]["log_loss"]


def test_the_page_tells_both_in_words_and_in_tables(report: dict[str, Any]) -> None:
    """The same from its JSON; every drawing has its caption."""
    page = report_page(json.loads(json.dumps(report))).html()
    for text in (
        "What variety costs",
        "mmr: from strength 0 to 0.75, ild@10 goes from",
        "ndcg@10 against strength 0",
        "Whether probabilities keep their word",
        "Expected calibration error",
        "as it should be",
    ):
        assert text in page


def test_the_terminal_shows_both(report: dict[str, Any]) -> None:
    told = StringIO()
    show_report(Console(width=120, file=told), report)
    assert "calibrated, isotonic" in told.getvalue()
    assert told.getvalue().count("mmr") == len(STRENGTHS)


def test_neither_is_told_unless_asked_for() -> None:
    plain = examine(small_run(**QUICK), DATA).report
    assert plain.keys().isdisjoint({"variety", "probabilities"})
    assert variety(plain) == probabilities(plain) == []


def test_a_curve_over_several_compared_features_needs_no_genre() -> None:
    selection = SelectionConfig(kind="dpp", compared=("genres", "kind"))
    found = examine(small_run(**QUICK, evaluation=EVALUATION, selection=selection), DATA).report["variety"]
    assert "calibration@10" not in found["curves"]["dpp"][0]
    assert found["configured"] == 0.3


@pytest.mark.parametrize(
    "changes", [{"evaluation": EVALUATION}, {"selection": SelectionConfig(kind="mmr")}], ids=["curve", "selection"]
)
def test_items_without_features_are_refused_before_the_work(changes: dict[str, Any]) -> None:
    told: list[str] = []
    with pytest.raises(ConfigError, match="the items have neither tags nor categories"):
        examine(
            small_run(**QUICK | changes), Dataset.of(DATA.interactions), progress=lambda *step: told.append(step[0])
        )
    assert told == []
