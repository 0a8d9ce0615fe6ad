"""Everything that is looked at before a model is trained, computed in one go."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.exploration.activity import Activity
from encorec.data.exploration.columns import Column, columns_of
from encorec.data.exploration.days import Days, Gap, Rhythm
from encorec.data.exploration.repeats import RepeatedPairs
from encorec.data.exploration.suspicion import Bulk, Finding, SuspicionConfig, suspicious
from encorec.types import FloatVector

__all__ = ["Exploration", "Favourite", "explore", "iso_day"]

HEADS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)
_FAVOURITES, _LONGEST_GAPS = 20, 10


@dataclass(frozen=True)
class Favourite:
    """One of the items with most interactions.

    Args:
        item_id: external id.
        title: what a person calls it.
        rows: interactions.
        users: distinct users.

    Example:
        >>> Favourite(50, "Star Wars (1977)", 583, 583).rows
        583
    """

    item_id: int | str
    title: str
    rows: int
    users: int


@dataclass(frozen=True)
class Exploration:
    """The figures of a data set.

    Args:
        name: of the data set.
        users: activity of users.
        items: activity of items.
        days: day by day.
        rhythm: by weekday and hour.
        bulk: the seconds between which nearly all interactions lie.
        gaps: runs of days without interactions, the longest first.
        weight: (m,) float32 weights.
        repeats: pairs that stand more than once.
        suspicious: what the rules found.
        user_columns: features of users.
        item_columns: features of items.
        favourites: items with most interactions.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> found = explore(Dataset.of(Interactions.of([0, 0, 1], [0, 1, 1], [0, 60, 86_400])))
        >>> found.items.counts.tolist(), found.favourites[0].rows, found.figures()["daily"]["new_users"]
        ([2, 1], 2, [1, 1])
    """

    name: str
    users: Activity
    items: Activity
    days: Days
    rhythm: Rhythm
    bulk: Bulk
    gaps: list[Gap]
    weight: FloatVector
    repeats: RepeatedPairs
    suspicious: list[Finding]
    user_columns: list[Column]
    item_columns: list[Column]
    favourites: list[Favourite]

    def summary(self) -> dict[str, Any]:
        """The little of ``figures`` that is read at a glance: the tails, and how much each rule found."""
        return {
            "tails": {"users": _tail(self.users), "items": _tail(self.items)},
            "suspicious": {f"{one.name} ({one.unit})": one.count for one in self.suspicious if one.count},
            "days without interactions": sum(one.days for one in self.gaps),
        }

    def figures(self) -> dict[str, Any]:
        """What ``describe`` does not say, as nested dictionaries of text and numbers, ready for JSON."""
        days = {name: value.tolist() for name, value in asdict(self.days).items() if name != "day"}
        repeats = {name: value for name, value in asdict(self.repeats).items() if isinstance(value, int)}
        return {
            "tails": {"users": _tail(self.users), "items": _tail(self.items)},
            "duplicates": {name: value for name, value in repeats.items() if name != "exact_at"},
            "suspicious": {
                one.name: {name: value for name, value in asdict(one).items() if name != "name"}
                for one in self.suspicious
            },
            "gaps": {
                "days": sum(one.days for one in self.gaps),
                "longest": [{"first": iso_day(one.first), "days": one.days} for one in self.gaps[:_LONGEST_GAPS]],
            },
            "daily": {"day": [iso_day(one) for one in self.days.day], **days},
        }


def explore(data: Dataset, config: SuspicionConfig | None = None) -> Exploration:
    """All figures of a data set.

    Args:
        data: the data set.
        config: when something is suspicious.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> explore(Dataset.of(Interactions.of([], [], []))).gaps
        []
    """
    table, config = data.interactions, config or SuspicionConfig()
    days, repeats = Days.of(table), RepeatedPairs.of(table)
    return Exploration(
        name=data.name,
        users=Activity.of(table.user_counts),
        items=Activity.of(table.item_counts),
        days=days,
        rhythm=Rhythm.of(table),
        bulk=Bulk.of(table.time, fence=config.fence),
        gaps=days.gaps(),
        weight=table.weight,
        repeats=repeats,
        suspicious=suspicious(data, repeats, config),
        user_columns=columns_of(data.user_features, table.user_counts),
        item_columns=columns_of(data.item_features, table.item_counts),
        favourites=_favourites(data),
    )


def iso_day(day: int) -> str:
    """The date of a day, counted from 1970-01-01.

    Example:
        >>> iso_day(18_861)
        '2021-08-22'
    """
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(day))).strftime("%Y-%m-%d")
    except OverflowError:
        return f"day {int(day)}"


def _tail(activity: Activity) -> dict[str, Any]:
    return {
        "gini": activity.gini,
        "top_share": {f"{one:.3g}": activity.top_share(one) for one in HEADS},
        "half_is_had_by": activity.half(),
        "with_one": activity.at_most([1])[0],
    }


def _favourites(data: Dataset) -> list[Favourite]:
    table = data.interactions
    order = np.argsort(-table.item_counts, kind="stable")[:_FAVOURITES]
    order = order[table.item_counts[order] > 0]
    ids = data.items.externals(order)
    return [
        Favourite(ids[at], data.title(int(item)), int(table.item_counts[item]), int(table.item_users[item]))
        for at, item in enumerate(order)
    ]
