"""Section of the money: what it earns in a period and over the horizon, and how sure that is."""

from collections.abc import Iterator, Mapping
from typing import Any

from encorec.experiment.report.intervals import drawable, label, whose
from encorec.experiment.report.numerals import figure, money, percent
from encorec.experiment.spec import ExperimentSpec, MoneySpec
from encorec.page import Chart, Columns, Details, Facts, Prose
from encorec.page.forest import ForestBlock, ForestRow, forest

__all__ = ["by_variant", "earnings"]


def earnings(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    """Every variant: net over the horizon and per period, chance of a gain, break-even, and the shrunk figure.

    Args:
        analysis: of an experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> earnings({"money": None}, spec)
        []
    """
    if not analysis.get("money") or spec.money is None:
        return []
    blocks: list[Any] = []
    rows: list[ForestRow] = []
    for place, (variant, line) in enumerate(by_variant(analysis["money"])):
        blocks.append(Facts(_facts(line, spec.money, whose(variant, spec))))
        if line.get("note"):
            blocks.append(Prose(f"{whose(variant, spec)}{line['note']}"))
        if drawable(line, "net", "ci95"):
            low, high = line["ci95"]
            text = label(variant, spec, money(line["net"], line["ci95"]))
            rows.append(ForestRow(line["net"], low, high, text, place))
    many = spec.money.horizon_periods
    if rows:
        block = ForestBlock(f"net over {many} period{'' if many == 1 else 's'}", rows)
        chart = Chart(forest([block], x="in the currency of the specification", shared=False), "Zero is break-even.")
        blocks.append(Columns([chart, Prose(_meaning(spec.money))]))
    else:
        blocks.append(Prose(_meaning(spec.money)))
    method = _method(analysis["money"])
    return [*blocks, *([Details("How it is computed", [Prose(method)])] if method else [])]


def by_variant(given: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Variants and their lines; one line alone may stand without a name.

    Args:
        given: ``money`` of an analysis.

    Example:
        >>> [name for name, _ in by_variant({"variants": {"new": {"net": 1.0}, "newer": {"net": 2.0}}})]
        ['new', 'newer']
        >>> list(by_variant({"net": 1.0}))
        [('', {'net': 1.0})]
    """
    lines = given.get("variants")
    if isinstance(lines, Mapping):
        yield from lines.items()
    elif isinstance(lines, list):
        yield from ((one.get("variant", ""), one) for one in lines)
    elif "net" in given:
        yield given.get("variant", ""), given
    else:
        yield from ((name, one) for name, one in given.items() if isinstance(one, Mapping) and "net" in one)


def _facts(line: Mapping[str, Any], spec: MoneySpec, owner: str) -> list[tuple[str, Any]]:
    period = line.get("per_period") or {}
    many = spec.horizon_periods
    return [
        (f"{owner}net over {many} period{'' if many == 1 else 's'}", money(line.get("net"), line.get("ci95"))),
        (f"{owner}net in the first period", money(period.get("net"), period.get("ci95"))),
        (f"{owner}chance that the net is above 0", percent(line.get("p_positive")) or "not shown yet"),
        (f"{owner}net, shrunk for the winner's curse", money(line.get("shrunk_net"))),
        (f"{owner}break-even effect on {spec.metric}", figure(line.get("break_even_effect")) or "there is none"),
    ]


def _meaning(spec: MoneySpec) -> str:
    cost = f"less {figure(spec.cost)} a period to run it" if spec.cost else "with no cost of running it"
    stays = "the whole" if spec.decay == 1 else percent(spec.decay)
    left = f"over {spec.horizon_periods} periods, each with {stays} of the effect of the one before"
    worth = f"each worth {figure(spec.value_per_unit)} per unit of {spec.metric}"
    return (
        f"{figure(spec.population)} units a period, {worth}, {cost}; {left}. These "
        "numbers are assumptions: the interval holds for them and does not cover their error. The shrunk figure allows "
        "for the fact that effects which are picked for being significant are too large on average."
    )


def _method(given: Mapping[str, Any]) -> str:
    return str(given["method"]) if isinstance(given.get("method"), str) else ""
