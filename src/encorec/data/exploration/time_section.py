"""The part of the page that shows time: day by day, new and cold, the week, and the days without anything."""

from collections.abc import Iterator

import numpy as np

from encorec.data.exploration.days import SECONDS_PER_DAY, Days, Rhythm
from encorec.data.exploration.exploration import Exploration, iso_day
from encorec.page import Chart, Columns, Details, Prose, Section, Table, charts
from encorec.page.blocks import Block
from encorec.types import FloatVector, IntVector

__all__ = ["time_section"]

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LISTED_DAYS, _LISTED_GAPS = 400, 10
_WINDOW, _SMOOTHED = 7, 60  # lines that jump are drawn as means of so many days, where there are more days than these


def time_section(found: Exploration) -> list[Section]:
    """How interactions, users and items come day by day.

    Args:
        found: of ``explore``.

    Example:
        >>> from encorec.data.dataset import Dataset
        >>> from encorec.data.exploration import explore
        >>> from encorec.data.interactions import Interactions
        >>> [one.title for one in time_section(explore(Dataset.of(Interactions.of([], [], []))))]
        []
    """
    if not len(found.days):
        return []
    inside = found.days.within(found.bulk.first // SECONDS_PER_DAY, found.bulk.last // SECONDS_PER_DAY)
    outside = int(found.days.rows.sum() - inside.rows.sum())
    told = [Prose(f"{outside:,} interactions lie far outside these days and are not drawn.")] if outside else []
    drawn = _daily(inside) if len(inside) > 1 else ()
    shown = Section("Day by day", [*told, *drawn, Details("Day by day in figures", [_listed(found.days)])])
    return [shown, Section("The week", [*_week(found.rhythm)]), Section("Days without interactions", [*_gaps(found)])]


def _daily(days: Days) -> Iterator[Block]:
    second, smooth = days.day * SECONDS_PER_DAY, len(days) > _SMOOTHED
    mean = f" Means of {_WINDOW} days." if smooth else ""
    who = {"users": (second, days.users), "items": (second, days.items)}
    yield Columns(
        [
            Chart(charts.lines({"": (second, days.rows)}, x="", y="interactions a day", dates=True), "Interactions."),
            Chart(charts.lines(who, x="", y="a day", dates=True, log="y"), "Users and items with interactions."),
        ]
    )
    new = {"new users": days.new_users, "new items": days.new_items}
    cold = {name: 100 * share for name, share in days.cold_shares().items()}
    drawn = {
        name: (second, _mean_of_week(one) if smooth else np.asarray(one, np.float64))
        for name, one in (new | cold).items()
    }
    seen = {name: (second, np.where(drawn[name][1] > 0, drawn[name][1], np.nan)) for name in new}
    yield Columns(
        [
            Chart(
                charts.lines(seen, x="", y="a day", dates=True, log="y"),
                f"Users and items seen for the first time; on the first day all are new.{mean}",
            ),
            Chart(
                charts.lines({name: drawn[name] for name in cold}, x="", y="never seen before (%)", dates=True),
                "Cold shares: what part of a day's users, items and interactions was never seen on an earlier day, "
                f"so that a model trained the day before knows nothing of it.{mean}",
            ),
        ]
    )


def _mean_of_week(values: FloatVector | IntVector) -> FloatVector:
    """(d,) mean of each day and those before it, up to ``_WINDOW`` of them."""
    reached = np.concatenate([[0.0], np.cumsum(values)])
    start = np.maximum(np.arange(len(values)) - _WINDOW + 1, 0)
    stop = np.arange(len(values)) + 1
    return (reached[stop] - reached[start]) / (stop - start)


def _listed(days: Days) -> Table:
    cold = [np.round(100 * share, 1).tolist() for share in days.cold_shares().values()]
    columns = [days.rows, days.users, days.items, days.new_users, days.new_items]
    rows = list(zip(map(iso_day, days.day), *(one.tolist() for one in columns), *cold, strict=True))
    head = ("day", "interactions", "users", "items", "new users", "new items")
    shares = ("cold users (%)", "cold items (%)", "by new users (%)", "with new items (%)")
    more = f"The last {_LISTED_DAYS} of {len(rows):,} days" if len(rows) > _LISTED_DAYS else ""
    return Table((*head, *shares), rows[-_LISTED_DAYS:], caption=more)


def _week(rhythm: Rhythm) -> Iterator[Block]:
    blocks: list[Block] = [
        Chart(
            charts.bars(dict(zip(_WEEKDAYS, rhythm.per_day().tolist(), strict=True)), x="interactions on a mean day"),
            "Of days that have interactions (UTC).",
        )
    ]
    if rhythm.timed:
        hours = [str(hour) for hour in range(24)]
        share = 100 * rhythm.rows / rhythm.rows.sum()
        blocks.append(
            Chart(charts.heatmap(share, _WEEKDAYS, hours, x="hour (UTC)", y=""), "Where in the week interactions lie.")
        )
    else:
        blocks.append(Prose("The times are dates: nothing is known of the hour."))
    yield Columns(blocks)


def _gaps(found: Exploration) -> Iterator[Block]:
    span = int(found.days.day[-1] - found.days.day[0]) + 1
    if not found.gaps:
        yield Prose(f"None: each of the {span:,} days has interactions.")
        return
    missing = sum(one.days for one in found.gaps)
    yield Prose(f"{missing:,} of {span:,} days, in {len(found.gaps):,} gaps.")
    rows = [(iso_day(one.first), iso_day(one.first + one.days - 1), one.days) for one in found.gaps[:_LISTED_GAPS]]
    yield Table(("from", "to", "days"), rows, caption="The longest")
