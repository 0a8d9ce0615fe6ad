"""Rows that may be no person's doing, or no time's: each rule says what it counts, how much of it, and shows one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.exploration.days import SECONDS_PER_DAY
from encorec.data.exploration.repeats import RepeatedPairs
from encorec.data.interactions import Interactions
from encorec.types import BoolVector, IntVector

__all__ = ["Bulk", "Finding", "SuspicionConfig", "suspicious"]


class SuspicionConfig(Config, frozen=True):
    """When something is worth a look.

    Args:
        heavy: a user has so many times the interactions of the user at the 99 % quantile, in all or on one day.
        second_rows: a user has so many interactions in one second.
        whole_rows: a user has so many interactions, all of them in one second.
        burst_rows: a user has so many interactions within ``burst_seconds``.
        burst_seconds: length of a burst, seconds.
        single_rows: an item has so many interactions, all of them of one user.
        clockwork_gaps: a user has so many gaps between interactions, all of the same length.
        fence: the bulk of the times reaches so many interquartile ranges beyond the quartiles.

    Raises:
        ConfigError: a value out of bounds.

    Example:
        >>> SuspicionConfig(burst_rows=50).burst_seconds
        3600
    """

    heavy: float = 10.0
    second_rows: int = 10
    whole_rows: int = 3
    burst_rows: int = 100
    burst_seconds: int = 3600
    single_rows: int = 5
    clockwork_gaps: int = 10
    fence: float = 3.0

    def __post_init__(self) -> None:
        many, most = (2, 1_000_000_000), 1e9
        bounded(self, second_rows=many, whole_rows=many, burst_rows=many, single_rows=many, clockwork_gaps=many)
        bounded(self, heavy=(1, most), burst_seconds=(1, most), fence=(0, most))


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Args:
        name: short.
        rule: what is counted, in words.
        unit: ``users``, ``items`` or ``interactions``.
        count: how many of them; none = the rule says nothing about these data.
        share: of all of that unit.
        example: one of them, by its id; empty where there is none.

    Example:
        >>> Finding("bursts", "100 interactions within an hour", "users", 0, 0.0, "").count
        0
    """

    name: str
    rule: str
    unit: str
    count: int | None
    share: float
    example: str


@dataclass(frozen=True)
class Bulk:
    """The seconds between which nearly all interactions lie.

    Args:
        first: seconds since 1970.
        last: seconds since 1970.

    Example:
        >>> Bulk.of(np.array([0, 100_000, 200_000, 300_000, 9_000_000]), fence=3).last
        900000
    """

    first: int
    last: int

    @classmethod
    def of(cls, time: IntVector, *, fence: float) -> "Bulk":
        """The quartiles of (m,) times, and ``fence`` times their distance (at least a day) beyond them."""
        if not len(time):
            return cls(0, 0)
        low, high = np.quantile(time, [0.25, 0.75])
        reach = fence * max(float(high - low), SECONDS_PER_DAY)  # tukey1977: outer fences at 3
        return cls(int(np.floor(low - reach)), int(np.ceil(high + reach)))


def suspicious(data: Dataset, repeats: RepeatedPairs, config: SuspicionConfig | None = None) -> list[Finding]:
    """Everything that the rules find, those that find nothing among it.

    Args:
        data: the data set.
        repeats: of its interactions.
        config: when something is worth a look.

    Example:
        >>> table = Interactions.of([0, 0, 0], [0, 1, 2], [5, 5, 5])
        >>> found = suspicious(Dataset.of(table), RepeatedPairs.of(table))
        >>> next((one.count, one.example) for one in found if one.name == "history of one second")
        (1, 'user 0: 3 interactions in the second 1970-01-01 00:00:05')
    """
    rules = _Rules(data, config or SuspicionConfig())
    table = data.interactions
    if not len(table):
        return []
    return [*rules.users(), *rules.seconds(), *rules.items(), *rules.times(), rules.exact(repeats)]


class _Rules:
    """The rules over one data set."""

    def __init__(self, data: Dataset, config: SuspicionConfig) -> None:
        self._data, self._config = data, config
        self._table: Interactions = data.interactions
        self._active = np.flatnonzero(self._table.user_counts)
        self._starts = self._table.indptr[:-1][self._active]
        self._stops = self._table.indptr[1:][self._active]

    def users(self) -> Iterator[Finding]:
        """Absurd activity, and gaps like clockwork."""
        counts = self._table.user_counts[self._active]
        usual = float(np.quantile(counts, 0.99))
        limit = self._config.heavy * usual
        rule = f"more than {self._config.heavy:g} times the 99 % quantile of users ({usual:,.0f} interactions)"
        heaviest = int(counts.argmax())
        yield self._found("absurd activity", rule, counts > limit, heaviest, f"{counts[heaviest]:,} interactions")
        yield self._busy_day()
        equal, gap = self._clockwork()
        first = int(equal.argmax())
        rule = f"at least {self._config.clockwork_gaps} gaps between interactions, all of the same length"
        yield self._found("clockwork", rule, equal, first, f"every {gap[first]:,} seconds")

    def _busy_day(self) -> Finding:
        """Users with absurdly much on one day."""
        table = self._table
        day = table.time // SECONDS_PER_DAY
        starts = np.flatnonzero((np.diff(table.user, prepend=-1) != 0) | (np.diff(day, prepend=day[0]) != 0))
        rows = np.diff(starts, append=len(table))
        usual = float(np.quantile(rows, 0.99))
        flagged = np.zeros(table.users, bool)
        flagged[table.user[starts[rows > self._config.heavy * usual]]] = True
        most = int(rows.argmax())
        rule = f"on one day more than {self._config.heavy:g} times the 99 % quantile ({usual:,.0f} interactions)"
        first = int(np.searchsorted(self._active, table.user[starts[most]]))
        told = f"{rows[most]:,} interactions on {_moment(table.time[starts[most]])[:10]}"
        return self._found("absurd day", rule, flagged[self._active], first, told)

    def _clockwork(self) -> tuple[BoolVector, IntVector]:
        """(active,) whose gaps are all alike and not zero, and how long the first one is, seconds."""
        step = np.diff(self._table.time, append=self._table.time[-1:])
        many = self._stops - self._starts > self._config.clockwork_gaps
        first = step[self._starts]
        differs = step != np.repeat(first, self._stops - self._starts)
        differs[self._stops - 1] = False  # from one user to the next
        unequal = np.add.reduceat(differs.astype(np.int32), self._starts)
        return many & (unequal == 0) & (first > 0), first

    def seconds(self) -> Iterator[Finding]:
        """Much within a second or an hour; nothing is said where times are dates."""
        config, table = self._config, self._table
        names = ("history of one second", "many in one second", "bursts")
        rules = (
            f"at least {config.whole_rows} interactions, all in one second",
            f"at least {config.second_rows} interactions in one second",
            f"at least {config.burst_rows} interactions within {config.burst_seconds:,} seconds",
        )
        if not np.any(table.time % SECONDS_PER_DAY):
            for name, rule in zip(names, rules, strict=True):
                yield Finding(name, f"{rule}; not judged, for these times are dates", "users", None, 0.0, "")
            return
        counts = self._stops - self._starts
        whole = (counts >= config.whole_rows) & (table.time[self._starts] == table.time[self._stops - 1])
        first = int(np.where(whole, counts, 0).argmax())
        told = f"{counts[first]:,} interactions in the second {_moment(table.time[self._starts[first]])}"
        yield self._found(names[0], rules[0], whole, first, told)
        yield self._dense(names[1], rules[1], config.second_rows, 0)
        yield self._dense(names[2], rules[2], config.burst_rows, config.burst_seconds)

    def _dense(self, name: str, rule: str, rows: int, seconds: int) -> Finding:
        """Users with ``rows`` interactions of which the last is at most ``seconds`` after the first."""
        table = self._table
        first = int(table.time.min())
        apart = int(table.time.max()) - first + seconds + 1  # between users: no window reaches over
        moment = table.user.astype(np.int64) * apart + (table.time - first)
        begins = np.flatnonzero(moment[rows - 1 :] - moment[: max(len(table) - rows + 1, 0)] <= seconds)
        sizes = np.searchsorted(moment, moment[begins] + seconds, side="right") - begins
        flagged = np.zeros(table.users, bool)
        flagged[table.user[begins]] = True
        most = int(begins[sizes.argmax()]) if len(begins) else 0
        told = f"{sizes.max():,} interactions, from {_moment(table.time[most])}" if len(begins) else ""
        return self._found(
            name, rule, flagged[self._active], int(np.searchsorted(self._active, table.user[most])), told
        )

    def items(self) -> Iterator[Finding]:
        """Items that one user alone has."""
        table, least = self._table, self._config.single_rows
        low, high = np.full(table.items, table.users, np.int32), np.full(table.items, -1, np.int32)
        np.minimum.at(low, table.item, table.user)
        np.maximum.at(high, table.item, table.user)
        single = (low == high) & (table.item_counts > 0)
        taken = int((table.item_counts > 0).sum())
        for name, rule, found in (
            ("items of one user", "interactions with one user only", single),
            (
                "items pushed by one user",
                f"at least {least} interactions, all of one user",
                single & (table.item_counts >= least),
            ),
        ):
            count, most = int(found.sum()), int(np.where(found, table.item_counts, 0).argmax())
            told = f"item {self._item(most)}: {table.item_counts[most]:,} interactions of user " if count else ""
            owner = self._user(low[most]) if count else ""
            yield Finding(name, rule, "items", count, count / taken, told + owner)

    def times(self) -> Iterator[Finding]:
        """Interactions long before or after nearly all others."""
        table, fence = self._table, self._config.fence
        bulk = Bulk.of(table.time, fence=fence)
        reach = f"more than {fence:g} interquartile ranges (at least {fence:g} days)"
        for name, rule, found, worst in (
            (
                "long before the bulk",
                f"{reach} before the first quartile",
                table.time < bulk.first,
                table.time.argmin(),
            ),
            ("long after the bulk", f"{reach} after the third quartile", table.time > bulk.last, table.time.argmax()),
        ):
            yield self._rows(name, rule, int(found.sum()), int(worst))

    def exact(self, repeats: RepeatedPairs) -> Finding:
        """Interactions that stand twice with everything."""
        rule = "user, item, time and weight of an earlier interaction"
        return self._rows("exact repeats", rule, repeats.exact, max(repeats.exact_at, 0))

    def _rows(self, name: str, rule: str, count: int, place: int) -> Finding:
        table = self._table
        who = f"user {self._user(table.user[place])}, item {self._item(table.item[place])}"
        told = f"{who}, {_moment(table.time[place])}" if count else ""
        return Finding(name, rule, "interactions", count, count / len(table), told)

    def _found(self, name: str, rule: str, found: BoolVector, first: int, told: str) -> Finding:
        """Of active users, (active,) those found; ``first`` is the place of the example among them."""
        count = int(found.sum())
        example = f"user {self._user(self._active[first])}: {told}" if count else ""
        return Finding(name, rule, "users", count, count / len(found), example)

    def _user(self, row: Any) -> str:
        return str(self._data.users.ids[row])

    def _item(self, row: Any) -> str:
        return str(self._data.items.ids[row])


def _moment(second: Any) -> str:
    try:
        return datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"second {int(second)}"
