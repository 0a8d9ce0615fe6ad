"""Sections of the report about parts: segments, item age, cold users, moved ranks, ceilings, features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from encorec.evaluation.backtest.breakdown import LEAST_TESTED
from encorec.evaluation.report.figures import SUBJECT, ordered, p_text, with_interval
from encorec.page import Chart, Columns, Details, Facts, Prose, Section, Table, charts

__all__ = ["ceilings", "cold_users", "importance", "item_age", "rank_shift", "segments"]

_FEATURES = 20


def segments(report: Mapping[str, Any]) -> list[Section]:
    """One section per grouping of users."""
    return [
        Section(f"By {name}" if name != "history" else "By length of history", _grouping(report, groups))
        for name, groups in report["segments"].items()
        if len(groups) > 1
    ]


def item_age(report: Mapping[str, Any]) -> list[Any]:
    """Share of the wanted items that was found, by time since their first interaction."""
    ages, k = report["item_age"]["ages"], report["item_age"]["k"]
    shown = _shown(report)
    series = {name: [one["systems"][name]["mean"] for one in ages.values()] for name in shown}
    head = ("first met", "wanted", "share", *shown)
    rows = [
        [label, one["wanted"], f"{one['share']:.1%}", *(with_interval(one["systems"][name]) for name in shown)]
        for label, one in ages.items()
    ]
    return [
        Chart(charts.grouped_bars(list(ages), series, x=f"share of the wanted items found in {k} places")),
        Prose(
            "Time from anybody's first interaction with an item to the question. Cold: nobody had met it by then; "
            "where every user is asked at his own time, others may have met it later, within the same past."
        ),
        Table(head, rows),
    ]


def cold_users(report: Mapping[str, Any]) -> list[Any]:
    """Systems on users of whom nothing is known."""
    cold, metric = report["cold_users"], report["verdict"]["metric"]
    if not cold["users"]:
        return [Prose("Nobody in these exams was without a past.")]
    figures = cold["systems"]
    names = [name for name in ordered(report) if name in figures]
    names.sort(key=lambda name: -figures[name][metric]["mean"])
    metrics = [name for name, one in figures[names[0]].items() if isinstance(one, dict)]
    rows = [[name, *(with_interval(figures[name][one]) for one in metrics)] for name in names]
    where = "are not in the figures above" if cold["judged"] == "apart" else "are part of the figures above"
    values = {name: (figures[name][metric]["mean"], *figures[name][metric]["ci95"]) for name in names}
    return [
        Prose(f"{cold['users']:,} users had no past; {cold['wanted']:,} items to find. They {where}."),
        Chart(charts.intervals(values, x=f"{metric}, users without a past")),
        Table(["system", *metrics], rows, frozenset({names.index(SUBJECT)})),
    ]


def rank_shift(report: Mapping[str, Any]) -> list[Any]:
    """Rank by the best retriever against the rank as shown."""
    best = report["verdict"]["best_retriever"]
    shift = report["rank_shift"].get(best)
    if shift is None:
        return []
    items, hits = np.array(shift["items"], float), np.array(shift["hits"], float)
    rows, columns = shift["retriever_rank"], shift["final_rank"]
    axes = {"x": "rank as shown by the two-stage", "y": f"rank by {best}"}
    total = max(hits.sum(), 1)
    k = columns[-2].split("-")[-1]
    inside = [row for row, name in enumerate(rows[:-1]) if int(name.split("-")[-1]) <= int(k)]
    deeper = [row for row in range(len(rows)) if row not in inside]
    won, lost, kept = hits[deeper, :-1].sum(), hits[:, -1].sum(), hits[inside, :-1].sum()
    text = (
        f"Of the items that {best} alone or the two-stage would show in {k} places, {int(hits.sum()):,} were wanted: "
        f"{int(kept):,} are shown by both, {int(won):,} only by the two-stage, {int(lost):,} only by {best}."
    )
    return [
        Prose(text),
        Columns(
            [
                Chart(charts.heatmap(_percent(hits, total), rows, columns, **axes), "Wanted items, per cent of them."),
                Chart(
                    charts.heatmap(_percent(items, max(items.sum(), 1)), rows, columns, **axes), "All items, per cent."
                ),
            ]
        ),
        Details(
            "Counts of wanted items",
            [
                Table(
                    (f"rank by {best}", *columns), [[name, *row] for name, row in zip(rows, shift["hits"], strict=True)]
                )
            ],
        ),
    ]


def ceilings(report: Mapping[str, Any]) -> list[Any]:
    """Share of what was taken that each source proposed, in the label folds of the newest exam."""
    folds = report["ceilings"]
    sources = list(folds[0]["sources"])
    head = ("label fold", "exam", "users", "items taken", "any source", *sources, "candidates per user")
    rows = [
        [
            str(number), one["fold"], one["queries"], one["truth"], f"{one['union']:.1%}",
            *(f"{one['sources'][name]:.1%}" for name in sources), f"{one['candidates_per_query']:.0f}",
        ]
        for number, one in enumerate(folds, 1)
    ]  # fmt: skip
    values = {"any source": folds[0]["union"], **folds[0]["sources"]}
    return [
        Chart(
            charts.bars({name: 100 * one for name, one in values.items()}, x="per cent of what was taken"),
            "Newest label fold. No ranker can find what no source proposed.",
        ),
        Table(head, rows),
    ]


def importance(report: Mapping[str, Any]) -> list[Any]:
    """Features by their importance to the ranker of the newest exam."""
    found = report["ranker"].get("importance")
    if not found:
        return []
    top = dict(list(found.items())[:_FEATURES])
    rest = sum(found.values()) - sum(top.values())
    caption = f"The {len(top)} strongest of {len(found)}; the others share {rest:.1%}." if rest > 0 else ""
    facts = Facts((("trees", report["ranker"]["trees"]), ("rows to learn from", report["ranker"]["rows"])))
    return [
        facts,
        Chart(charts.bars({name: 100 * one for name, one in top.items()}, x="importance, per cent"), caption),
    ]


def _grouping(report: Mapping[str, Any], groups: Mapping[str, Any]) -> list[Any]:
    metric, shown = report["verdict"]["metric"], _shown(report)
    series = {name: [one["systems"][name]["mean"] for one in groups.values()] for name in shown}
    against = next(iter(groups.values()))["difference"]["against"]
    gains = {label: (one["difference"]["mean"], *one["difference"]["ci95"]) for label, one in groups.items()}
    rows = [
        [
            label, one["users"], *(with_interval(one["systems"][name]) for name in shown),
            with_interval(one["difference"], "+"), p_text(one["difference"]["p_holm"]),
        ]
        for label, one in groups.items()
    ]  # fmt: skip
    few = [label for label, one in groups.items() if one["users"] < LEAST_TESTED]
    note = f" Fewer than {LEAST_TESTED} users, so not tested: {', '.join(few)}." if few else ""
    if report["cold_users"]["judged"] == "apart" and any(label.startswith("new:") for label in groups):
        note += " Users without a past are judged apart and count in no other section but that of their own."
    every = [
        [label, *(with_interval(one["systems"][name]) for name in ordered(report))] for label, one in groups.items()
    ]
    return [
        Columns(
            [
                Chart(charts.grouped_bars(list(groups), series, x=metric)),
                Chart(charts.intervals(gains, x=f"gain over {against} in {metric}", zero=True)),
            ]
        ),
        Prose(f"{metric} with 95 % intervals; p is adjusted for all segments of this report.{note}"),
        Table(("segment", "users", *shown, f"gain over {against}", "p (Holm)"), rows),
        Details("All systems", [Table(("segment", *ordered(report)), every)]),
    ]


def _shown(report: Mapping[str, Any]) -> list[str]:
    """The systems of a crowded chart: the two-stage, the best retriever, the fusion, and those of one's own."""
    best, retrievers = report["verdict"]["best_retriever"], report["rank_shift"]
    own = [name for name in report["systems"] if name not in retrievers and name not in (SUBJECT, "rrf")]
    return [SUBJECT, best, *(name for name in ("rrf",) if name in report["systems"]), *own][:6]


def _percent(counts: Any, total: float) -> Any:
    return np.where(counts > 0, 100 * counts / total, np.nan)
