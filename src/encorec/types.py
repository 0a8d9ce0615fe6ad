"""The values that flow through Encorec: arrays with stated shapes, frozen, checked on construction.

``Queries`` go into a retriever, ``Candidates`` come out, a ``Slate`` is shown. External ids never
appear here: users and items are row numbers of a vocabulary (``encorec.data.vocabulary``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from encorec.errors import QueryError

__all__ = [
    "BoolMatrix",
    "BoolVector",
    "Candidates",
    "Eligibility",
    "Exploration",
    "FloatMatrix",
    "FloatVector",
    "Histories",
    "IntMatrix",
    "IntVector",
    "ItemLists",
    "Queries",
    "Slate",
    "names_of",
    "ragged_positions",
]

FloatVector: TypeAlias = NDArray[np.floating[Any]]
FloatMatrix: TypeAlias = NDArray[np.floating[Any]]
IntVector: TypeAlias = NDArray[np.integer[Any]]
IntMatrix: TypeAlias = NDArray[np.integer[Any]]
BoolVector: TypeAlias = NDArray[np.bool_]
BoolMatrix: TypeAlias = NDArray[np.bool_]


def ragged_positions(starts: IntVector, lengths: IntVector) -> IntVector:
    """Flat positions of ragged slices: start_0 .. start_0 + length_0 - 1, start_1 .. and so on.

    Args:
        starts: (n,) first position of each slice.
        lengths: (n,) length of each slice.

    Example:
        >>> ragged_positions(np.array([5, 0]), np.array([2, 3])).tolist()
        [5, 6, 0, 1, 2]
    """
    if len(starts) == 1:
        return np.arange(int(starts[0]), int(starts[0] + lengths[0]))
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    first: IntVector = np.repeat(starts - (ends - lengths), lengths)
    return np.arange(total) + first


def _offsets(lengths: IntVector) -> IntVector:
    indptr = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    return indptr


@dataclass(frozen=True, slots=True)
class ItemLists:
    """Ragged lists of item numbers: list i is ``item[indptr[i]:indptr[i + 1]]``.

    Args:
        indptr: (n + 1,) int64 offsets.
        item: (m,) int32 item numbers.

    Raises:
        QueryError: the offsets do not fit the items.

    Example:
        >>> lists = ItemLists.of([[3, 1], [], [2]])
        >>> lists.row(0).tolist(), lists.lengths.tolist()
        ([3, 1], [2, 0, 1])
    """

    indptr: IntVector
    item: IntVector

    def __post_init__(self) -> None:
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.item):
            raise QueryError(f"ItemLists: offsets must run from 0 to {len(self.item)} (the number of items)")

    @classmethod
    def of(cls, lists: Sequence[Sequence[int] | IntVector]) -> "ItemLists":
        """From a sequence of sequences of item numbers.

        Example:
            >>> len(ItemLists.of([[1], [2, 3]]))
            2
        """
        lengths = np.fromiter((len(one) for one in lists), np.int64, len(lists))
        flat = [np.asarray(one, np.int32) for one in lists if len(one)]
        return cls(_offsets(lengths), np.concatenate(flat) if flat else np.empty(0, np.int32))

    @classmethod
    def empty(cls, n: int) -> "ItemLists":
        """``n`` empty lists.

        Example:
            >>> ItemLists.empty(2).lengths.tolist()
            [0, 0]
        """
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> IntVector:
        """(n,) items in each list."""
        return np.diff(self.indptr)

    @property
    def owner(self) -> IntVector:
        """(m,) the list that each item belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def row(self, i: int) -> IntVector:
        """The items of list ``i``, a view of shape (length,)."""
        return self.item[self.indptr[i] : self.indptr[i + 1]]

    def take(self, rows: IntVector | slice) -> "ItemLists":
        """The lists at ``rows`` (n',), in that order.

        Example:
            >>> ItemLists.of([[3, 1], [], [2]]).take(np.array([2, 0])).item.tolist()
            [2, 3, 1]
        """
        starts, lengths = self.indptr[:-1][rows], self.lengths[rows]
        return ItemLists(_offsets(lengths), self.item[ragged_positions(starts, lengths)])


@dataclass(frozen=True, slots=True)
class Histories:
    """What n users did, each history ordered by time; the order of equal times is kept as given.

    Args:
        indptr: (n + 1,) int64 offsets of the stored rows.
        item: (m,) int32 item numbers.
        time: (m,) int64 seconds since 1970.
        weight: (m,) float32 strength of each event.
        stop: (n,) int64 where each history ends inside its stored rows; none = at the next offset.

    Raises:
        QueryError: arrays of unequal length.

    Example:
        >>> histories = Histories.of([([7, 8, 9], [10, 20, 30])])
        >>> histories.before(25).items(0).tolist()
        [7, 8]
    """

    indptr: IntVector
    item: IntVector
    time: IntVector
    weight: FloatVector
    stop: IntVector | None = None

    def __post_init__(self) -> None:
        if not len(self.item) == len(self.time) == len(self.weight):
            raise QueryError(
                f"Histories: item, time and weight must be equally long, "
                f"got {len(self.item)}, {len(self.time)} and {len(self.weight)}"
            )

    @classmethod
    def of(cls, rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> "Histories":
        """From (items, times) pairs, one per user, with weight 1.

        Example:
            >>> len(Histories.of([([1], [5]), ([], [])]))
            2
        """
        lists = ItemLists.of([items for items, _ in rows])
        times = [np.asarray(times, np.int64) for _, times in rows]
        time = np.concatenate(times) if times else np.empty(0, np.int64)
        return cls(lists.indptr, lists.item, time, np.ones(len(time), np.float32))

    @classmethod
    def empty(cls, n: int) -> "Histories":
        """``n`` users who did nothing yet.

        Example:
            >>> Histories.empty(3).lengths.tolist()
            [0, 0, 0]
        """
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float32))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def starts(self) -> IntVector:
        """(n,) first stored row of each history."""
        return self.indptr[:-1]

    @property
    def stops(self) -> IntVector:
        """(n,) one past the last stored row of each history."""
        return self.indptr[1:] if self.stop is None else self.stop

    @property
    def lengths(self) -> IntVector:
        """(n,) events in each history."""
        return (self.indptr[1:] if self.stop is None else self.stop) - self.indptr[:-1]

    def items(self, i: int) -> IntVector:
        """The items of history ``i``, oldest first, a view of shape (length,)."""
        return self.item[self.starts[i] : self.stops[i]]

    def before(self, cut: IntVector | int) -> "Histories":
        """The same histories with only the events strictly before ``cut``: a view, found by binary search.

        Args:
            cut: (n,) or one time in seconds.

        Example:
            >>> Histories.of([([1, 2], [5, 6]), ([3], [9])]).before(np.array([6, 99])).lengths.tolist()
            [1, 1]
        """
        if len(self) == 1:
            start, stop = int(self.starts[0]), int(self.stops[0])
            end = start + int(np.searchsorted(self.time[start:stop], int(np.asarray(cut).flat[0])))
            return Histories(self.indptr, self.item, self.time, self.weight, np.array([end]))
        low, high = self.starts.copy(), self.stops.copy()
        cuts = np.broadcast_to(cut, low.shape)
        while np.any(open_ := low < high):
            middle = (low + high) // 2
            earlier = open_ & (self.time[np.where(open_, middle, 0)] < cuts)
            low = np.where(earlier, middle + 1, low)
            high = np.where(open_ & ~earlier, middle, high)
        return Histories(self.indptr, self.item, self.time, self.weight, low)

    def take(self, rows: IntVector | slice) -> "Histories":
        """The histories at ``rows`` (n',), in that order, copied without gaps.

        Example:
            >>> Histories.of([([1, 2], [5, 6]), ([3], [9])]).take(np.array([1])).item.tolist()
            [3]
        """
        return self._gather(self.starts[rows], self.lengths[rows])

    def tail(self, length: int) -> "Histories":
        """The last ``length`` events of each history, without gaps: itself where none is longer, else a copy.

        Example:
            >>> Histories.of([([1, 2, 4], [5, 6, 7])]).tail(2).item.tolist()
            [2, 4]
        """
        lengths = self.lengths
        if self.stop is None and (lengths[0] if len(lengths) == 1 else lengths.max(initial=0)) <= length:
            return self
        lengths = np.minimum(lengths, length)
        return self._gather(self.stops - lengths, lengths)

    def since(self, cut: IntVector | int) -> "Histories":
        """The events at or after ``cut``, (n,) or one time in seconds, copied without gaps.

        Example:
            >>> Histories.of([([1, 2, 4], [5, 6, 7])]).since(6).item.tolist()
            [2, 4]
        """
        starts = self.before(cut).stops
        return self._gather(starts, self.stops - starts)

    def compact(self) -> "Histories":
        """Without gaps: itself where nothing was cut off, else a copy.

        Example:
            >>> Histories.of([([1, 2], [5, 6])]).before(6).compact().item.tolist()
            [1]
        """
        return self if self.stop is None else self._gather(self.starts, self.lengths)

    def _gather(self, starts: IntVector, lengths: IntVector) -> "Histories":
        if len(starts) == 1:
            start, length = int(starts[0]), int(lengths[0])
            one = slice(start, start + length)
            return Histories(np.array([0, length]), self.item[one], self.time[one], self.weight[one])
        kept = ragged_positions(starts, lengths)
        return Histories(_offsets(lengths), self.item[kept], self.time[kept], self.weight[kept])

    @property
    def owner(self) -> IntVector:
        """(m,) the history that each event of a compact ``Histories`` belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Which items may be shown: one rule for the catalogue, and per query what to leave out or keep to.

    Args:
        catalogue: (items,) items that may be shown to anybody.
        exclude: n lists of items that this query must not get (seen, denied); none = nothing.
        allow: n lists of the only items that this query may get; none = no query is restricted.
        restricted: (n,) the queries to which ``allow`` applies; none = all of them.

    Example:
        >>> rule = Eligibility(np.ones(4, bool), exclude=ItemLists.of([[0, 1]]))
        >>> rule.mask().tolist()
        [[False, False, True, True]]
    """

    catalogue: BoolVector
    exclude: ItemLists | None = None
    allow: ItemLists | None = None
    restricted: BoolVector | None = None

    def mask(self, n: int = 1) -> BoolMatrix:
        """(n, items) true where the item may be shown to the query.

        Args:
            n: number of queries; needed only where there are no per-query lists.

        Example:
            >>> Eligibility(np.array([True, False])).mask(2).tolist()
            [[True, False], [True, False]]
        """
        n = len(self.exclude) if self.exclude is not None else len(self.allow) if self.allow is not None else n
        mask = np.empty((n, len(self.catalogue)), bool)
        mask[:] = self.catalogue
        if self.allow is not None:
            allowed = np.zeros_like(mask)
            allowed[self.allow.owner, self.allow.item] = True
            if self.restricted is not None:
                allowed[~self.restricted] = True
            mask &= allowed
        if self.exclude is not None:
            mask[self.exclude.owner, self.exclude.item] = False
        return mask

    def take(self, rows: IntVector | slice) -> "Eligibility":
        """The rule for the queries at ``rows`` (n',), in that order."""
        return Eligibility(
            self.catalogue,
            None if self.exclude is None else self.exclude.take(rows),
            None if self.allow is None else self.allow.take(rows),
            None if self.restricted is None else self.restricted[rows],
        )


@dataclass(frozen=True, slots=True)
class Exploration:
    """How far the slates of n queries are left to chance (``encorec.pipeline.exploration``).

    Args:
        temperature: (n,) float64, in standard deviations of the scores of the head; 0 = nothing is left to chance,
            else 0.001 or more.
        seed: (n,) int64 of the draw: the same seed, the same slate.
        head: best items of each query that are drawn from; fewer than places = as many as places.

    Raises:
        QueryError: arrays of unequal length, a temperature that is not allowed or not finite, a head below 1.

    Example:
        >>> len(Exploration(np.array([0.5]), np.array([7]), head=20))
        1
    """

    temperature: FloatVector
    seed: IntVector
    head: int = 50

    def __post_init__(self) -> None:
        if len(self.temperature) != len(self.seed):
            raise QueryError(f"Exploration: {len(self.temperature)} temperatures but {len(self.seed)} seeds")
        if self.head < 1:
            raise QueryError(f"Exploration: head is {self.head}, allowed is 1 or more")
        for one in self.temperature.tolist():
            if one != 0 and not 1e-3 <= one < np.inf:
                raise QueryError(f"Exploration: temperature is {one}, allowed is 0 (no chance) or 0.001 or more")

    def __len__(self) -> int:
        return len(self.seed)

    def take(self, rows: IntVector | slice) -> "Exploration":
        """That of the queries at ``rows`` (n',), in that order."""
        return Exploration(self.temperature[rows], self.seed[rows], self.head)


@dataclass(frozen=True, slots=True)
class Queries:
    """n questions "what should this user be shown now?": everything an answer may depend on.

    Args:
        history: n histories; the caller has already cut them before ``now``.
        now: (n,) int64 seconds since 1970.
        eligible: which items may be shown.
        user_features: (n, F) float32, NaN where unknown, columns as the data set's user features; or none.
        user: (n,) int32 row of the user, -1 unknown; for logging, never for scoring.
        exploration: how far the slates are left to chance; none = not at all.

    Raises:
        QueryError: parts of unequal length.

    Example:
        >>> rule = Eligibility(np.ones(4, bool))
        >>> len(Queries(Histories.empty(2), np.array([5, 5]), rule))
        2
    """

    history: Histories
    now: IntVector
    eligible: Eligibility
    user_features: FloatMatrix | None = None
    user: IntVector | None = None
    exploration: Exploration | None = None

    def __post_init__(self) -> None:
        n = len(self.history)
        parts = {
            "now": self.now,
            "exclude": self.eligible.exclude,
            "allow": self.eligible.allow,
            "user_features": self.user_features,
            "restricted": self.eligible.restricted,
            "user": self.user,
            "exploration": self.exploration,
        }
        for name, part in parts.items():
            if part is not None and len(part) != n:
                raise QueryError(f"Queries: {n} histories but {len(part)} rows in {name}")

    def __len__(self) -> int:
        return len(self.history)

    @property
    def items(self) -> int:
        """Size of the catalogue."""
        return len(self.eligible.catalogue)

    def take(self, rows: IntVector | slice) -> "Queries":
        """The queries at ``rows`` (n',), in that order."""
        return Queries(
            self.history.take(rows),
            self.now[rows],
            self.eligible.take(rows),
            None if self.user_features is None else self.user_features[rows],
            None if self.user is None else self.user[rows],
            None if self.exploration is None else self.exploration.take(rows),
        )

    def with_history(self, history: Histories) -> "Queries":
        """The same questions asked with other histories, for example their last event only."""
        return Queries(history, self.now, self.eligible, self.user_features, self.user, self.exploration)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items proposed for each query, flat and sorted by query.

    Args:
        query: (m,) int32 row of the query.
        item: (m,) int32 item number; no pair (query, item) stands twice.
        score: (m, sources) float32; NaN where the source cannot score the item.
        rank: (m, sources) float32, 1 = best; NaN where the source did not propose the item.
        sources: name of each source.
        relevance: (m,) the ranker's score; none before ranking.

    Example:
        >>> score, rank = np.array([[.9], [.8]]), np.array([[1.], [2.]])
        >>> one = Candidates(np.array([0, 0]), np.array([4, 2]), score, rank, ("als",))
        >>> len(one), one.proposed.ravel().tolist()
        (2, [True, True])
    """

    query: IntVector
    item: IntVector
    score: FloatMatrix
    rank: FloatMatrix
    sources: tuple[str, ...]
    relevance: FloatVector | None = None

    def __len__(self) -> int:
        return len(self.item)

    @property
    def proposed(self) -> BoolMatrix:
        """(m, sources) true where the source proposed the item."""
        return ~np.isnan(self.rank)

    def indptr(self, n: int) -> IntVector:
        """(n + 1,) offsets of the candidates of each of ``n`` queries."""
        return np.searchsorted(self.query, np.arange(n + 1))


@dataclass(frozen=True, slots=True)
class Slate:
    """What is shown: k places per query, best first.

    Args:
        item: (n, k) int32 item numbers, -1 = the place is empty.
        score: (n, k) float32, NaN at empty places.
        source: (n, k) int64 bit set of the sources that proposed the item, bit i = ``sources[i]``.
        propensity: (n, k) float32 probability with which the item stood at this place, given those before it.
        sources: name of each source.
        counts: how many items passed each stage, summed over queries.

    Example:
        >>> slate = Slate.empty(1, 3, ("als",))
        >>> slate.item.tolist(), slate.filled.tolist()
        ([[-1, -1, -1]], [0])
    """

    item: IntVector
    score: FloatVector
    source: IntVector
    propensity: FloatVector
    sources: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def empty(cls, n: int, k: int, sources: tuple[str, ...] = ()) -> "Slate":
        """``n`` slates of ``k`` empty places."""
        return cls(
            np.full((n, k), -1, np.int32),
            np.full((n, k), np.nan, np.float32),
            np.zeros((n, k), np.int64),
            np.ones((n, k), np.float32),
            sources,
        )

    def __len__(self) -> int:
        return len(self.item)

    @property
    def filled(self) -> IntVector:
        """(n,) places taken in each slate."""
        return (self.item >= 0).sum(axis=1)

    def source_names(self, query: int, place: int) -> list[str]:
        """Names of the sources that proposed the item at ``place`` of ``query``."""
        return names_of(int(self.source[query, place]), self.sources)


def names_of(bits: int, sources: tuple[str, ...]) -> list[str]:
    """The sources whose bit is set: bit i is ``sources[i]``.

    Example:
        >>> names_of(0b101, ("als", "ease", "popular"))
        ['als', 'popular']
    """
    return [name for i, name in enumerate(sources) if bits >> i & 1]
