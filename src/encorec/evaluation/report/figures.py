"""Sections of the report about systems as a whole: figures, differences, curves, trade-off, exams."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from encorec.page import Chart, Columns, Details, Prose, Table, charts

__all__ = ["SUBJECT", "curves", "differences", "exams", "ordered", "p_text", "systems", "trade_off", "with_interval"]

SUBJECT = "two-stage"


def ordered(report: Mapping[str, Any]) -> list[str]:
    """Systems by the metric of the verdict, best first.

    Example:
        >>> figures = {"a": {"m@1": {"mean": 0.1}}, "b": {"m@1": {"mean": 0.2}}}
        >>> ordered({"verdict": {"metric": "m@1"}, "systems": figures})
        ['b', 'a']
    """
    metric = report["verdict"]["metric"]
    return sorted(report["systems"], key=lambda name: -report["systems"][name][metric]["mean"])


def with_interval(figure: Mapping[str, Any], sign: str = "") -> str:
    """A mean with its interval as text.

    Example:
        >>> with_interval({"mean": 0.1, "ci95": [0.05, 0.15]}, "+").split()
        ['+0.1000', '[+0.0500,', '+0.1500]']
    """
    mean, ends = figure["mean"], figure["ci95"]
    form = f"{sign},.2f" if abs(mean) >= 10 else f"{sign}.4f"
    return f"{mean:{form}}" + ("" if ends is None else f" [{ends[0]:{form}},\N{NO-BREAK SPACE}{ends[1]:{form}}]")


def p_text(p: float | None) -> str:
    """A p as text, nothing where nothing was tested.

    Example:
        >>> p_text(0.00199), p_text(None)
        ('0.002', '')
    """
    return "" if p is None else f"{p:.3f}"


def systems(report: Mapping[str, Any]) -> list[Any]:
    """Every system in the metric of the verdict, what the two-stage gains over it, and all other metrics."""
    names, metric, gains = ordered(report), report["verdict"]["metric"], report["comparisons"]
    values = {name: _triple(report["systems"][name][metric]) for name in names}
    gained = {name: _triple(gains[name]) for name in names if name in gains}
    metrics = [name for name, one in report["systems"][names[0]].items() if isinstance(one, dict)]
    rows = [[name, *(with_interval(report["systems"][name][one]) for one in metrics)] for name in names]
    return [
        Columns(
            [
                Chart(charts.intervals(values, x=f"{metric}, with 95 % interval"), "Best system on top."),
                Chart(
                    charts.intervals(gained, x=f"gain of the two-stage in {metric}", zero=True),
                    "Paired by user. Right of 0 the two-stage is better.",
                ),
            ]
        ),
        Prose(f"Means over users with 95 % intervals{_over(report)}."),
        Table(["system", *metrics], rows, frozenset({names.index(SUBJECT)})),
    ]


def differences(report: Mapping[str, Any]) -> list[Any]:
    """The two-stage minus every other system, with tests."""
    gains, metric = report["comparisons"], report["verdict"]["metric"]
    rows = [
        [
            f"over {name}", with_interval(gains[name], "+"), p_text(gains[name]["p"]), p_text(gains[name]["p_holm"]),
            *_shares(gains[name]),
        ]
        for name in ordered(report) if name in gains
    ]  # fmt: skip
    head = ("gain", f"{metric} [95 %]", "p", "p (Holm)", "better for", "equal", "worse for")
    note = "p (Holm) is adjusted for the number of systems compared. The shares are of users."
    return [Prose(f"The same users are drawn for both systems. {note}"), Table(head, rows)]


def curves(report: Mapping[str, Any]) -> list[Any]:
    """Recall, precision and NDCG against k."""
    k, drawn = np.array(report["curves"]["k"]), report["curves"]["systems"]
    names = ordered(report)
    metrics = list(drawn[names[0]])
    if len(k) < 2:
        return []
    return [
        Columns(
            [
                Chart(
                    charts.lines({name: (k, np.array(drawn[name][metric])) for name in names}, x="k", y=f"{metric}@k")
                )
                for metric in metrics
            ]
        )
    ]


def trade_off(report: Mapping[str, Any]) -> list[Any]:
    """Accuracy against novelty; the size of a dot is the diversity of its lists."""
    figures, metric = report["systems"], report["verdict"]["metric"]
    names = ordered(report)
    novelty = _first(figures[names[0]], "miuf", "avg_popularity", "coverage")
    diversity = _first(figures[names[0]], "ild", "coverage")
    if novelty is None:
        return []
    points = {name: (figures[name][novelty]["mean"], figures[name][metric]["mean"]) for name in names}
    size = {name: figures[name][diversity]["mean"] for name in names} if diversity else None
    caption = "Right: less known items. Up: more hits."
    if size:
        caption += (
            f" Larger dots: more diverse lists, {diversity} from {min(size.values()):.3g} to {max(size.values()):.3g}."
        )
    unit = " (bits)" if novelty.startswith("miuf") else ""
    return [Chart(charts.scatter(points, x=f"{novelty}{unit}", y=metric, size=size), caption)]


def exams(report: Mapping[str, Any]) -> list[Any]:
    """Every exam: its size, what each system reached, and how far that varied."""
    folds, metric, names = report["folds"], report["verdict"]["metric"], ordered(report)
    rows = [[one["split"]["fold"], *(one["split"][count] for count in _COUNTS), one["users"]] for one in folds]
    counts = Table(("exam", *_COUNTS.values(), "users judged"), rows)
    if len(folds) == 1:
        return [counts]
    moments = _moments([one["split"]["fold"] for one in folds])
    along = np.arange(1, len(folds) + 1) if moments is None else moments
    series = {name: (along, np.array([one["systems"][name][metric]["mean"] for one in folds])) for name in names}
    chart = charts.lines(
        series, x="exam" if moments is None else "begin of the exam", y=metric, dates=moments is not None
    )
    spread = report["spread"]
    table = [[name, *(spread[name][metric][what] for what in ("mean", "sd", "min", "max"))] for name in names]
    gains = [[one["split"]["fold"], *(with_interval(one["systems"][name][metric]) for name in names)] for one in folds]
    best = report["verdict"]["best_retriever"]
    gained = {one["split"]["fold"]: _triple(one["comparisons"][best]) for one in folds}
    gain_chart = charts.intervals(gained, x=f"gain over {best} in {metric}", zero=True)
    return [
        Columns([Chart(chart), Chart(gain_chart, "Each exam by itself, with 95 % intervals.")]),
        Table(("system", "mean of exams", "sd", "least", "most"), table, frozenset({names.index(SUBJECT)}), metric),
        counts,
        Details(f"{metric} of every system in every exam", [Table(("exam", *names), gains)]),
    ]


_COUNTS = {
    "train_rows": "rows before", "train_users": "users before", "train_items": "items before",
    "test_rows": "rows in exam", "queries": "users asked", "truth_items": "items to find",
    "cold_users": "cold users", "cold_items": "cold items", "seen_rows": "repeats",
}  # fmt: skip


def _over(report: Mapping[str, Any]) -> str:
    many = len(report["folds"])
    return (
        ""
        if many == 1
        else (
            f", mean of {many} exams. Users are drawn with all their exams: the intervals speak of other users in "
            "these exams; how other exams may differ is seen exam by exam"
        )
    )


def _first(figures: Mapping[str, Any], *starts: str) -> str | None:
    """The first metric that begins with one of ``starts``, in their order."""
    return next((name for start in starts for name in figures if name.startswith(f"{start}@")), None)


def _triple(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    return figure["mean"], *figure["ci95"]


def _shares(gain: Mapping[str, Any]) -> list[str]:
    return [f"{gain[name]:.1%}" for name in ("better", "equal", "worse")]


def _moments(names: list[str]) -> Any:
    """(exams,) seconds at which exams named ``from 2021-08-09`` begin; none where one is named otherwise."""
    try:
        found = [datetime.fromisoformat(name.removeprefix("from ")).replace(tzinfo=UTC) for name in names]
    except ValueError:
        return None
    return np.array([int(one.timestamp()) for one in found])
