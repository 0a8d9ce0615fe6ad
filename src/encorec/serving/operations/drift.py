"""What is shown of the catalogue lately: how much of it, how popular, how evenly. A model that drifts shows here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from encorec.data.vocabulary import Vocabulary
from encorec.pipeline.requests import ItemId
from encorec.types import FloatVector, IntVector

__all__ = ["Shown", "ShownItems"]

WINDOW = 600.0  # seconds; the figures are about one to two windows
BUNCH = 512  # slates that are counted at a time


class Shown(msgspec.Struct, frozen=True):
    """Figures of what was shown.

    Args:
        places: how many.
        catalogue_share: items shown at least once, of all items.
        popularity: mean percentile, 1 = the most popular item; NaN = nothing was shown.
        entropy: of the distribution over items, bits; at most log2 of the number of items.

    Example:
        >>> Shown.of(np.array([3, 1, 0, 0]), np.array([1, 0.75, 0.5, 0.25])).catalogue_share
        0.5
    """

    places: int
    catalogue_share: float
    popularity: float
    entropy: float

    @classmethod
    def of(cls, counts: IntVector, percentile: FloatVector) -> "Shown":
        """Figures of counts.

        Args:
            counts: (items,) how often each was shown.
            percentile: (items,) float64 popularity, 1 = the top item.
        """
        places = int(counts.sum())
        if not places:
            return cls(0, 0.0, float("nan"), 0.0)
        chance = counts[counts > 0] / places
        entropy = float(-(chance * np.log2(chance)).sum())
        share = float(np.count_nonzero(counts) / len(counts))
        return cls(places, share, float(counts @ percentile) / places, max(entropy, 0.0))


class ShownItems:
    """Counts the items that a snapshot shows, in windows of ten minutes; the figures are about the last one and this.

    Args:
        items: ids of the catalogue.
        popular: ids by falling popularity; items left out share the lowest percentiles in the order of the catalogue.
        file: where the counts are kept, so that other workers can read them; none = in memory.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> shown = ShownItems(Vocabulary(np.array([5, 6, 7, 8])), [8, 5])
        >>> shown.add([8, 5], at=0.0)
        >>> shown.add([8], at=1.0)
        >>> shown.figures(at=2.0).catalogue_share, shown.figures(at=5_000.0).places
        (0.5, 0)
    """

    def __init__(self, items: Vocabulary, popular: Sequence[ItemId], file: Path | None = None) -> None:
        self._items, self._file = items, file
        self._waiting: list[Sequence[ItemId]] = []
        self._percentile = _percentiles(items.rows(popular), len(items))
        size = 1 + 2 * len(items)  # the window, and counts of the even and of the odd one
        self._cells = np.zeros(size, np.int64) if file is None else np.memmap(file, np.int64, "w+", shape=(size,))

    def add(self, item_ids: Sequence[ItemId], *, at: float) -> None:
        """Count the items of one slate; a few hundred slates are counted together.

        Args:
            item_ids: as shown.
            at: seconds since 1970.
        """
        self._waiting.append(item_ids)
        if len(self._waiting) >= BUNCH:
            self.count(at=at)

    def count(self, *, at: float) -> None:
        """Count what was added, so that other workers see it too.

        Args:
            at: seconds since 1970.
        """
        window, before = max(int(at // WINDOW), int(self._cells[0])), int(self._cells[0])
        counts = self._cells[1:].reshape(2, -1)
        for begun in range(max(before + 1, window - 1), window + 1):
            counts[begun % 2] = 0
        self._cells[0] = window
        if self._waiting:
            tally = Counter(chain.from_iterable(self._waiting))
            rows, times = self._items.rows(tally), np.fromiter(tally.values(), np.int64, len(tally))
            np.add.at(counts[window % 2], rows[rows >= 0], times[rows >= 0])
            self._waiting = []

    def figures(self, others: Iterable[Path] = (), *, at: float) -> Shown:
        """Figures of this worker and of others.

        Args:
            others: files of other workers about the same snapshot.
            at: seconds since 1970.
        """
        self.count(at=at)
        found = [self._cells, *(_read(path) for path in others if path != self._file)]
        window = int(self._cells[0])
        counts = sum((_recent(one, window) for one in found if one.size == self._cells.size), np.zeros(1, np.int64))
        return Shown.of(counts, self._percentile)

    def close(self) -> None:
        """Forget the counts, and their file."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def _read(file: Path) -> IntVector:
    """Its cells; none where its worker has just taken it away."""
    try:
        return np.fromfile(file, np.int64)
    except FileNotFoundError:
        return np.zeros(0, np.int64)


def _recent(cells: IntVector, window: int) -> IntVector:
    """(items,) counts of ``window`` and the one before."""
    counts = cells[1:].reshape(2, -1)
    kept = [one for one in (int(cells[0]), int(cells[0]) - 1) if one >= window - 1]
    return counts[[one % 2 for one in kept]].sum(axis=0)


def _percentiles(popular: IntVector, items: int) -> FloatVector:
    """(items,) float64: 1 for the most popular item, falling by 1/items from place to place."""
    first = popular[popular >= 0]
    rest = np.ones(items, bool)
    rest[first] = False
    percentile = np.empty(items)
    percentile[np.concatenate([first, np.flatnonzero(rest)])] = 1 - np.arange(items) / items
    return percentile
