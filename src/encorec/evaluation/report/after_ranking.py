"""Sections of the report about what follows the ranker: the price of variety, and whether probabilities are kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from encorec.evaluation.report.figures import with_interval
from encorec.page import Chart, Columns, Details, Prose, Table, charts

__all__ = ["probabilities", "variety"]

_KINDS = {
    "mmr": "mmr (maximal marginal relevance)",
    "dpp": "dpp (determinantal point process)",
    "calibrated": "calibrated (genres in the proportions of the history)",
}
_MEANING = {
    "ild": "unlikeness of the items of a list",
    "miuf": "novelty, bits",
    "coverage": "share of the catalogue",
    "calibration": "divergence from the history, nats",
}


def variety(report: Mapping[str, Any]) -> list[Any]:
    """Accuracy against diversity, novelty and coverage, one line per kind of selection, and all figures as a table.

    Args:
        report: of ``encorec.workflow.examine``.

    Example:
        >>> variety({})
        []
    """
    found = report.get("variety")
    if not found:
        return []
    metric, curves = report["verdict"]["metric"], found["curves"]
    first = next(iter(curves.values()))[0]
    others = [name for name in first if name not in ("strength", "difference", metric)]
    drawn = [
        Chart(
            charts.lines(
                {kind: (_values(entries, name), _values(entries, metric)) for kind, entries in curves.items()},
                x=f"{name} ({_MEANING.get(name.split('@')[0], 'mean')})",
                y=metric,
            ),
            _spoken(curves, name, metric),
        )
        for name in others
    ]
    rows = [
        [kind, one["strength"], one[metric], *(one[name] for name in others), with_interval(one["difference"], "+")]
        for kind, entries in curves.items()
        for one in entries
    ]
    kinds = ", ".join(_KINDS.get(kind, str(kind)) for kind in curves)
    set_to = found["configured"]
    strong = frozenset(at for at, row in enumerate(rows) if set_to is not None and row[1] == set_to)
    served = f" The configuration has strength {set_to:g}." if set_to is not None else ""
    return [
        Prose(
            f"One ranking of {found['users']:,} users (exam {found['fold']}), chosen from with more and more weight on "
            f"variety: {kinds}. Strength 0 is the order of relevance; each dot is a strength.{served}"
        ),
        Columns(drawn),
        Table(("selection", "strength", metric, *others, f"{metric} against strength 0"), rows, strong),
    ]


def probabilities(report: Mapping[str, Any]) -> list[Any]:
    """How far scores are from the share that was taken, before and after calibration.

    Args:
        report: of ``encorec.workflow.examine``.

    Example:
        >>> probabilities({})
        []
    """
    found = report.get("probabilities")
    if not found:
        return []
    told = {"before": found["before"], "after": found["after"]}
    names = {"before": "raw scores, logistic", "after": f"calibrated ({found['kind']})"}
    series = {names[when]: tuple(np.array(one["bins"], float).T[:2]) for when, one in told.items()}
    most = max(float(np.max(both)) for both in series.values())
    series["as it should be"] = (np.array([0.0, most]), np.array([0.0, most]))
    rows = [
        [names[when], one["ece"], one["log_loss"], one["brier"], one["predicted"], one["taken"]]
        for when, one in told.items()
    ]
    bins = [
        [names[when], *(float(value) for value in entry[:2]), int(entry[2])]
        for when, one in told.items()
        for entry in one["bins"]
    ]
    return [
        Prose(
            f"All {found['after']['rows']:,} candidates of {found['users']:,} users of exam {found['fold']}, which the "
            "calibration has not seen. It was fitted on a label fold that grew no tree."
        ),
        Chart(
            charts.lines(series, x="probability said", y="share taken"),
            f"Expected calibration error {told['before']['ece']:.4f} before and {told['after']['ece']:.4f} after; "
            "each dot is one of 15 bins of equally many candidates.",
        ),
        Table(("scores", "ece", "log loss, nats", "brier", "mean said", "share taken"), rows),
        Details("All bins", [Table(("scores", "probability said", "share taken", "candidates"), bins)]),
    ]


def _values(entries: Any, name: str) -> Any:
    return np.array([one[name] for one in entries], float)


def _spoken(curves: Mapping[str, Any], name: str, metric: str) -> str:
    """The drawing in words: where each line begins and where it ends."""
    return " ".join(
        f"{kind}: from strength {entries[0]['strength']:g} to {entries[-1]['strength']:g}, {name} goes from "
        f"{entries[0][name]:.3g} to {entries[-1][name]:.3g} and {metric} from {entries[0][metric]:.4f} to "
        f"{entries[-1][metric]:.4f}."
        for kind, entries in curves.items()
    )
