"""Effects that contradict each other."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from encorec.experiment.spec import ExperimentSpec, MetricSpec

__all__ = ["clickbait_alarms"]

_CLICKS = re.compile(r"ctr|click|tap(?:s|_|\b)|opens?\b|impression")
_TIME_OR_MONEY = re.compile(
    r"watch|minute|hour|second|time|duration|dwell|listen|play|stream|session_length|completion|"
    r"revenue|money|income|gmv|arpu|spend|spent|order|purchase|margin|profit|sales|conversion|retention"
)


def clickbait_alarms(spec: ExperimentSpec, metrics: Sequence[Mapping[str, Any]], level: float = 0.1) -> list[str]:
    """Clicks up while time or money is down: both at a two-sided ``level``.

    Click metrics are told by their names and columns (ctr, click, ...), and so are time and money; the metric of the
    money line counts as money. Only metrics of which more is better.

    Args:
        spec: of the experiment.
        metrics: as in the JSON, with ``name``, ``variant``, ``effect`` and ``p``.
        level: of both effects.

    Example:
        >>> ctr = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views")
        >>> watch = MetricSpec(name="watch", value="minutes", role="primary")
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=(ctr, watch))
        >>> seen = [{"variant": "b", "p": 0.001}] * 2
        >>> metrics = [{**seen[0], "name": "ctr", "effect": 0.1}, {**seen[1], "name": "watch", "effect": -1.0}]
        >>> clickbait_alarms(spec, metrics)
        ["b: 'ctr' is up while 'watch' is down: clickbait is likely, look at what is clicked"]
    """
    known = {one.name: one for one in spec.metric}
    clear = [one for one in metrics if one["p"] is not None and one["p"] < level and one["effect"]]
    up = [one for one in clear if one["effect"] > 0 and _clicks(known[one["name"]])]
    down = [one for one in clear if one["effect"] < 0 and _time_or_money(known[one["name"]], spec)]
    return [
        f"{more['variant']}: {more['name']!r} is up while {less['name']!r} is down: clickbait is likely, "
        "look at what is clicked"
        for more in up
        for less in down
        if more["variant"] == less["variant"]
    ]


def _clicks(metric: MetricSpec) -> bool:
    told = (metric.name, metric.numerator or metric.value or "")
    return metric.direction == "up" and any(_CLICKS.search(one.lower()) for one in told)


def _time_or_money(metric: MetricSpec, spec: ExperimentSpec) -> bool:
    if metric.direction != "up" or _clicks(metric):
        return False
    told = (metric.name, metric.numerator or metric.value or "")
    paid = spec.money is not None and spec.money.metric == metric.name
    return paid or any(_TIME_OR_MONEY.search(one.lower()) for one in told)
