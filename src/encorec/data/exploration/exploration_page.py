"""The figures of a data set as a page: at a glance first, then the long tail, time, faults and features."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from encorec.data.exploration.activity import Activity
from encorec.data.exploration.columns import Column
from encorec.data.exploration.exploration import HEADS, Exploration
from encorec.data.exploration.suspicion import Finding
from encorec.data.exploration.time_section import time_section
from encorec.page import Chart, Columns, Details, Facts, Page, Prose, Section, Table, Verdict, charts
from encorec.page.blocks import Block

__all__ = ["exploration_page"]

_SHOWN_VALUES, _LISTED_VALUES, _SHOWN_TARGETS = 12, 50, 200
_APART = " · "
_SKEWED = 20  # the 99 % quantile of the weights is so many times the median: their axis is logarithmic


def exploration_page(facts: Mapping[str, Any], found: Exploration, *, made: str = "") -> Page:
    """A page to be read before anything is trained.

    Args:
        facts: of ``encorec.data.sources.describe``.
        found: of ``explore``, the same data set.
        made: how and when, for the foot of the page.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.exploration import explore
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.sources import describe
        >>> data = Dataset.of(Interactions.of([0, 0, 1], [0, 1, 1], [0, 60, 86_400]), "tea")
        >>> [section.title for section in exploration_page(describe(data), explore(data)).sections][:3]
        ['At a glance', 'The long tail', 'Day by day']
    """
    sections = [
        Section("At a glance", [*_glance(facts, found)]),
        Section("The long tail", [*_tails(found)]),
        *time_section(found),
        Section("Weights", [*_weights(found)]),
        Section("Repeats", [*_repeats(found)]),
        Section("Suspicious rows", [*_suspicious(found)]),
        Section("Features of users", [*_columns(found.user_columns, "users")]),
        Section("Features of items", [*_columns(found.item_columns, "items")]),
        Section("Items with most interactions", [_favourites(found)]),
        *_target(facts),
    ]
    time = facts["time"]
    lead = f"{time['first'][:10]} to {time['last'][:10]} (UTC)" if time["first"] else "No interactions."
    return Page(f"Data: {found.name}", sections, lead=lead, made=made or _made(facts))


def _made(facts: Mapping[str, Any]) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Made {now} by encorec data describe; fingerprint of the data {facts['fingerprint'][:16]}."


def _glance(facts: Mapping[str, Any], found: Exploration) -> Iterator[Block]:
    rows, users, items = facts["interactions"], facts["users"], facts["items"]
    struck = [one for one in found.suspicious if one.count]
    checks = f"{len(struck)} of {len(found.suspicious)} checks for suspicious rows found something"
    missing = len(found.gaps) and f"; {sum(one.days for one in found.gaps):,} days have no interactions"
    yield Verdict(f"{checks}{missing or ''}.")
    yield Facts(
        (
            ("interactions", rows["count"]),
            ("users with interactions", users["active"]),
            ("users without", users["count"] - users["active"]),
            ("items with interactions", items["active"]),
            ("items without", items["count"] - items["active"]),
            ("sparsity (%)", _percent(rows["sparsity"])),
            ("interactions of a user, median", users["interactions_each"].get("50%")),
            ("interactions of an item, median", items["interactions_each"].get("50%")),
            ("repeats of user and item (%)", _percent(rows["repeated"])),
            ("days", facts["time"]["days"]),
            ("days with interactions", len(found.days)),
            ("most on one day", int(found.days.rows.max(initial=0))),
        )
    )


def _tails(found: Exploration) -> Iterator[Block]:
    sides = (("user", found.users), ("item", found.items))
    yield Columns(
        [
            Chart(
                charts.histogram(side.counts, x=f"interactions of one {name}", y=f"{name}s", log="xy"),
                f"How many {name}s have so many interactions; both axes logarithmic.",
            )
            for name, side in sides
        ]
    )
    curves = {f"{name}s": side.concentration() for name, side in sides}
    even = np.array([0.0, 1.0])
    yield Columns(
        [
            Chart(
                charts.lines(
                    {**curves, "all alike": (even, even)}, x="share, most active first", y="their interactions"
                ),
                "Curve of concentration: what share of all interactions the most active have.",
            ),
            Table(("", "users", "items"), [*_tail_rows(found.users, found.items)], caption="Who has how much"),
        ]
    )


def _tail_rows(users: Activity, items: Activity) -> Iterator[tuple[Any, ...]]:
    yield "with interactions", len(users), len(items)
    for part in HEADS:
        yield f"top {100 * part:g} % have (%)", *(_percent(side.top_share(part)) for side in (users, items))
    yield "half is had by", users.half(), items.half()
    for limit in (1, 5, 10):
        yield (
            f"with at most {limit} (%)",
            *(_percent(side.at_most([limit])[0] / len(side) if len(side) else 0.0) for side in (users, items)),
        )
    yield "Gini", round(users.gini, 4), round(items.gini, 4)


def _weights(found: Exploration) -> Iterator[Block]:
    weight = found.weight[np.isfinite(found.weight)]
    if not len(weight):
        yield Prose("There are none.")
        return
    if weight.min() == weight.max():
        yield Prose(f"Every interaction weighs {weight.min():.4g}.")
        return
    steps = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    spread = dict(zip(steps, np.quantile(weight, steps), strict=True))
    log = "x" if spread[0.99] > _SKEWED * spread[0.5] else ""
    drawn = charts.histogram(weight, x="weight of an interaction", y="interactions", log=log)
    ends = (("least", float(weight.min())), ("mean", float(weight.mean(dtype=np.float64))))
    named = [(f"{step:.0%}", float(value)) for step, value in spread.items()]
    yield Columns([Chart(drawn), Facts([*ends, *named, ("most", float(weight.max()))])])


def _repeats(found: Exploration) -> Iterator[Block]:
    one = found.repeats
    if not one.again:
        yield Prose("No user has an item twice.")
        return
    yield Facts(
        (
            ("interactions beyond the first of user and item", one.again),
            ("pairs of user and item", one.pairs),
            ("pairs that stand more than once", one.repeated_pairs),
            ("the most repeated pair stands", one.most),
            ("repeated to the second", one.same_second),
            ("repeated with everything", one.exact),
        )
    )
    last = len(one.times)
    labels = [f"{times}" if times < 10 else "10 and more" for times in range(1, last + 1)]
    rows = [(label, int(pairs), _percent(pairs / one.pairs)) for label, pairs in zip(labels, one.times, strict=True)]
    yield Table(("times", "pairs", "% of pairs"), rows, caption="How often a pair of user and item stands")


def _suspicious(found: Exploration) -> Iterator[Block]:
    struck = [one for one in found.suspicious if one.count]
    clear = [one for one in found.suspicious if not one.count]
    if struck:
        yield Prose("None of these is a fault by itself; each is worth a look before training.")
        yield _findings(struck)
    if clear:
        yield Details("Checks that found nothing", [_findings(clear)])


def _findings(findings: list[Finding]) -> Table:
    rows = [
        (
            one.name,
            one.count,
            None if one.count is None else _percent(one.share),
            f"{one.unit}: {one.rule}" + (f". The most striking: {one.example}" if one.example else ""),
        )
        for one in findings
    ]
    return Table(("check", "found", "%", "what was counted"), rows)


def _columns(columns: list[Column], unit: str) -> Iterator[Block]:
    if not columns:
        yield Prose("None.")
        return
    rows = [
        (one.name, *map(_percent, (one.missing, one.missing_active, one.missing_rows)), one.kind, one.distinct)
        for one in columns
    ]
    head = ("feature", "missing (%)", "of active (%)", "by use (%)", "kind", "distinct")
    yield Prose(f"Missing: of all {unit}, of those with interactions, and weighted by interactions.")
    yield Table(head, rows)
    yield Columns([_drawn(one, unit) for one in columns if one.distinct])
    for one in columns:
        if one.distinct:
            yield Details(f"{one.name} in figures", [_listed(one, unit)])


def _drawn(column: Column, unit: str) -> Chart:
    if column.kind == "number" and column.distinct <= _SHOWN_VALUES:
        value, entities = np.unique(column.numbers, return_counts=True)
        counted = {f"{one:g}": float(many) for one, many in zip(value, entities, strict=True)}
        return Chart(charts.bars(counted, x=unit), f"{column.name}: {unit}")
    if column.kind == "number":
        return Chart(charts.histogram(column.numbers, x=column.name, y=unit), f"{column.name}: {unit}")
    shown = {one.name: float(one.entities) for one in column.values[:_SHOWN_VALUES]}
    rest = len(column.values) - len(shown)
    more = f", the {len(shown)} most frequent of {len(column.values)}" if rest else ""
    return Chart(charts.bars(shown, x=unit), f"{column.name}: {unit}{more}")


def _listed(column: Column, unit: str) -> Table:
    if column.kind == "number":
        return Table(("quantile", column.name), list(column.quantiles.items()))
    rows = [
        (one.name, one.entities, _percent(one.share), _percent(one.rows_share))
        for one in column.values[:_LISTED_VALUES]
    ]
    more = f"The {_LISTED_VALUES} most frequent" if len(column.values) > _LISTED_VALUES else "All that occur"
    return Table((column.name, unit, f"% of {unit}", "% of interactions"), rows, caption=more)


def _favourites(found: Exploration) -> Table:
    total = max(int(found.items.counts.sum()), 1)
    rows = [
        (
            place,
            one.title,
            str(one.item_id),
            one.rows,
            *([one.users] if found.repeats.again else []),
            _percent(one.rows / total),
        )
        for place, one in enumerate(found.favourites, 1)
    ]
    return Table(("", "title", "item", "taken", *(["users"] if found.repeats.again else []), "%"), rows)


def _target(facts: Mapping[str, Any]) -> Iterator[Section]:
    """What a generated data set was to be like, beside what it is."""
    target = facts.get("target")
    if not isinstance(target, Mapping) or not target:
        return
    tables: dict[str, list[tuple[str, Any, Any]]] = {}
    for name, generated, wanted in _beside(target, facts, ()):
        group, _, figure = name.rpartition(_APART)
        tables.setdefault(group, []).append((figure.replace("_", " "), generated, wanted))
    head = ("figure", "generated", "target")
    drawn = [Table(head, rows[:_SHOWN_TARGETS], caption=group.replace("_", " ")) for group, rows in tables.items()]
    yield Section("Generated beside target", [Columns(drawn)])


def _beside(target: Mapping[str, Any], facts: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
    """(name, generated, target) of every figure; the generated one stands beside it or at the same path of facts."""
    for name, value in target.items():
        here = (*path, str(name))
        same = facts.get(name) if isinstance(facts, Mapping) else None
        if isinstance(value, Mapping) and "target" in value:
            yield _APART.join(here), _plain(value.get("generated", same)), _plain(value["target"])
        elif isinstance(value, Mapping):
            yield from _beside(value, same, here)
        else:
            yield _APART.join(here), _plain(same), _plain(value)


def _plain(value: Any) -> Any:
    """What a cell of a table can hold."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _percent(share: float) -> float:
    return round(100 * float(share), 2)
