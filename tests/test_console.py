"""What is drawn: lines where nobody watches, a bar where somebody does, and tables with every figure."""

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.worlds import Trained

from encorec.console import progress_bar, show_facts, show_report


def drawn(*, terminal: bool = False) -> tuple[Console, StringIO]:
    page = StringIO()
    return Console(file=page, width=220, force_terminal=terminal, color_system="standard" if terminal else None), page


def test_where_nobody_watches_every_step_is_one_line() -> None:
    console, page = drawn()
    with progress_bar(console) as step:
        for what, done in (("fit [als]", 0), ("fit [als]", 1), ("grow trees", 0), ("fit [als]", 2)):
            step(what, done, 3)
    assert page.getvalue().splitlines() == ["· fit [als]", "· grow trees"]


def test_where_somebody_watches_a_bar_follows_the_steps() -> None:
    console, page = drawn(terminal=True)
    with progress_bar(console) as step:
        step("grow trees", 3, 12)
        step("of nothing", 0, 0)
    assert "of nothing" in page.getvalue()
    assert page.getvalue().endswith("\x1b[2K"), "the bar is wiped out at the end"


@pytest.fixture
def report(trained: Trained) -> dict[str, Any]:
    return trained.exam.report


def shown(report: dict[str, Any], width: int = 200) -> str:
    console, page = drawn()
    console.width = width
    show_report(console, report)
    return page.getvalue()


def test_a_report_shows_the_exam_every_system_and_the_verdict(report: dict[str, Any]) -> None:
    lines = shown(report).splitlines()
    assert lines[0] == "small: 3,196 interactions to learn from, exam last-1 with 298 users and 298 items to find"
    ceiling = report["ceilings"][0]
    assert f"{ceiling['union']:.1%} of what was taken is among {ceiling['candidates_per_query']:.0f}" in lines[1]
    assert lines[-1] == report["verdict"]["sentence"]


def rows(report: dict[str, Any]) -> list[list[str]]:
    """Cells of the lines that begin with a system: those of the verdict, then those of the other metrics."""
    return cells_of(report, shown(report).partition("ndcg@10 [95")[2])


def cells_of(report: dict[str, Any], text: str) -> list[list[str]]:
    lines = (re.split(r"\s{2,}", line.strip()) for line in text.splitlines())
    return [cells for cells in lines if cells[0] in report["systems"]]


def interval(figure: dict[str, Any], sign: str = "") -> str:
    low, high = figure["ci95"]
    return f"{figure['mean']:{sign}.4f} [{low:{sign}.4f}, {high:{sign}.4f}]"


def test_systems_stand_from_worst_to_best_with_interval_and_gain(report: dict[str, Any]) -> None:
    systems, gains = report["systems"], report["comparisons"]
    ordered = sorted(systems, key=lambda name: systems[name]["ndcg@10"]["mean"])
    wanted = [
        [name, interval(systems[name]["ndcg@10"]), interval(gains[name], "+")] for name in ordered if name in gains
    ]
    assert rows(report)[:6] == [*wanted, ["two-stage", interval(systems["two-stage"]["ndcg@10"])]]


def test_the_ceiling_of_every_source_in_every_label_fold_comes_first(report: dict[str, Any]) -> None:
    before = shown(report).partition("ndcg@10 [95")[0]
    folds = report["ceilings"]
    assert cells_of(report, before) == [
        [name, *(f"{fold['sources'][name]:.1%}" for fold in folds)] for name in ("steps", "knn", "als", "popular")
    ]
    assert re.search(r"any source +" + " +".join(f"{fold['union']:.1%}" for fold in folds), before)


def test_gains_by_length_of_history_name_every_rival(report: dict[str, Any]) -> None:
    text = shown(report)
    for label, one in report["lengths"].items():
        gain = interval(one["differences"]["steps"], "+")
        mean = one["systems"]["steps"]["mean"]
        assert re.search(rf"{re.escape(label)} +{one['users']} .*steps +{mean:.4f} +{re.escape(gain)}", text)


def test_the_means_of_the_other_metrics_follow(report: dict[str, Any]) -> None:
    names = [
        name for name, figure in report["systems"]["als"].items() if name != "ndcg@10" and isinstance(figure, dict)
    ]
    header = " ".join(shown(report).splitlines())
    assert all(name.partition("@")[0] in header for name in names)
    for name, *means in rows(report)[6:12]:
        assert means == [f"{report['systems'][name][metric]['mean']:.3f}" for metric in names]


@pytest.mark.parametrize(("win", "color"), [(True, "32"), (False, "31")])
def test_the_verdict_is_green_or_red(report: dict[str, Any], win: bool, color: str) -> None:
    console, page = drawn(terminal=True)
    show_report(console, {**report, "verdict": {**report["verdict"], "win": win}})
    assert f"\x1b[1;{color}m{report['verdict']['sentence']}" in page.getvalue()


def test_facts_are_indented_and_numbers_readable() -> None:
    console, page = drawn()
    show_facts(console, {"users": {"count": 12345, "share": 0.123456}, "name": "a [bold] name", "sure": True}, "facts")
    text = page.getvalue()
    assert "facts" in text
    rows = [tuple(cell.rstrip() for cell in line.split("│")[1:-1]) for line in text.splitlines() if "│" in line]
    assert rows == [
        (" users", ""),
        ("   count", " 12,345"),
        ("   share", " 0.1235"),
        (" name", " a [bold] name"),
        (" sure", " True"),
    ]


def test_names_are_shown_as_they_are(report: dict[str, Any]) -> None:
    assert shown({**report, "name": "a [red] run"}).startswith("a [red] run: ")


def several(report: dict[str, Any]) -> dict[str, Any]:
    """The report as if there had been two exams, one of them on a sample, and some users without a past."""
    one = report["folds"][0]
    older = {**one, "split": {**one["split"], "fold": "from [2021]"}, "users": 200}
    return {**report, "folds": [older, one], "cold_users": {**report["cold_users"], "users": 7, "judged": "apart"}}


def test_several_exams_are_shown_one_by_one(report: dict[str, Any]) -> None:
    lines = shown(several(report)).splitlines()
    assert lines[0].endswith(", the newest of 2 exams")
    assert lines[1:3] == ["judged on 498 of 596 users, drawn at random", "7 users without a past, judged apart"]
    best = report["verdict"]["best_retriever"]
    gain = interval(report["comparisons"][best], "+")
    means = [f"{report['systems'][name]['ndcg@10']['mean']:.4f}" for name in ("two-stage", best)]
    exams = [re.split(r"\s{2,}", line.strip()) for line in lines if line.strip().startswith(("from [2021]", "last-1"))]
    assert exams == [["from [2021]", "200", *means, gain], ["last-1", "298", *means, gain]]


def test_segments_are_shown_with_what_the_second_stage_gains(report: dict[str, Any]) -> None:
    lines = [" ".join(line.split()) for line in shown(report).splitlines()]
    best = report["verdict"]["best_retriever"]
    for grouping, groups in report["segments"].items():
        for label, one in groups.items():
            means = " ".join(f"{one['systems'][name]['mean']:.4f}" for name in ("two-stage", best))
            gain = one["difference"]
            assert (gain["p_holm"] is not None) is (one["users"] >= 30)
            sure = "*" if gain["p_holm"] is not None and gain["p_holm"] < 0.05 else ""
            assert f"{grouping}: {label} {one['users']} {means} {interval(gain, '+')}{sure}" in lines


def test_names_of_segments_are_readable_on_a_narrow_screen(report: dict[str, Any]) -> None:
    lines = [line.strip() for line in shown(report, width=80).splitlines()]
    for grouping, groups in report["segments"].items():
        assert all(any(line.startswith(f"{grouping}: {label}"[:15]) for line in lines) for label in groups)


def test_whose_order_is_served_where_it_is_not_the_rankers_is_one_line(report: dict[str, Any]) -> None:
    line = "routed past the ranker, by events in the history: "
    orders = {one["events"]: one["order"] for one in report["routing"] if one["order"]}
    assert (line in shown(report)) == bool(orders)
    routed = [{**one, "order": "popular" if one["events"] in ("new", "1-4") else None} for one in report["routing"]]
    assert f"{line}new to popular, 1-4 to popular\n" in shown({**report, "routing": routed})
    assert line not in shown({**report, "routing": []})
