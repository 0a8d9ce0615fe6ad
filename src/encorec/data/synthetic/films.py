"""What can be watched: the catalogue, its popularity, its releases, its chains of parts."""

from dataclasses import dataclass

import numpy as np

from encorec.data.synthetic.figures import ITEMS, ITEMS_WATCHED, MEAN_SECONDS
from encorec.data.synthetic.genres import AXES, GENRES, loadings
from encorec.data.synthetic.people import HIDDEN, bell
from encorec.data.synthetic.rhythm import DAYS
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.stream import generator
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["KINDS", "Films", "draw_films"]

KINDS = ("film", "children", "night", "series", "facts")
"""What the hour of the day matters to."""
_ID_GAPS = 16_519 / ITEMS
_MOST_GENRES = 5
_GENRE_COUNTS = np.cumsum([0.27, 0.29, 0.24, 0.14, 0.06])
_DECADES = (
    (1912, 8, 11), (1920, 10, 24), (1930, 10, 104), (1940, 10, 117), (1950, 10, 199), (1960, 10, 342),
    (1970, 10, 553), (1980, 10, 745), (1990, 10, 636), (2000, 10, 2168), (2010, 10, 8788), (2020, 2, 2276),
)  # fmt: skip
_RATINGS = ((0, 1518), (6, 1538), (12, 4147), (16, 5729), (18, 2547), (21, 482))
_MATURITY = np.array([0.55, 0.45, 0.7, 0.75, 0.6, -0.6, 0.3, 0.5, 1.0, 0.35, 0.3, 0.3])
_CHAIN, _LONGEST = 0.045, 5
_SERIES = 3961 / ITEMS
_MEAN_SHARE = 0.5


@dataclass(frozen=True)
class Films:
    """All items, in the order of their ids.

    Args:
        id: (n,) int64.
        series: (n,) bool.
        genre: (n, 5) int32 positions in ``GENRES``, -1 after the last.
        year: (n,) int32 of release.
        rating: (n,) int32 least age of viewers.
        director: (n,) int32 number of a person.
        part: (n,) int32 place in a chain of parts, 0 for single ones.
        previous: (n,) int32 item that comes before in the chain, -1 for none.
        following: (n,) int32 item that comes after in the chain, -1 for none.
        rank: (n,) int32 by popularity, 0 first; the last 1.6 % are never watched.
        release: (n,) int32 day on which it becomes available, 0 for what was there before.
        seconds: (n,) float64 length of all of it.
        taste: (n, 20) float32 on the named and hidden axes.
        quality: (n,) float32 added to everybody's liking.
        kind: (n,) int32 position in ``KINDS``.

    Example:
        >>> films = draw_films(WorldConfig(users=5000, items=200))
        >>> len(films.id), sorted(films.rank.tolist()) == list(range(200))
        (200, True)
    """

    id: IntVector
    series: BoolVector
    genre: IntMatrix
    year: IntVector
    rating: IntVector
    director: IntVector
    part: IntVector
    previous: IntVector
    following: IntVector
    rank: IntVector
    release: IntVector
    seconds: FloatVector
    taste: FloatMatrix
    quality: FloatVector
    kind: IntVector

    @property
    def watched(self) -> int:
        """Items that anybody ever watches."""
        return watched_items(len(self.id))


def watched_items(items: int) -> int:
    """How many of a catalogue are watched at KION's size.

    Example:
        >>> watched_items(15_963)
        15706
    """
    return items - -(-items * (ITEMS - ITEMS_WATCHED) // ITEMS)


def draw_films(config: WorldConfig, purpose: int = 3) -> Films:
    """The catalogue of a world.

    Args:
        config: of the world.
        purpose: number of the stream.

    Example:
        >>> films = draw_films(WorldConfig(users=5000, items=200))
        >>> int((films.previous >= 0).sum()) == int((films.following >= 0).sum()) > 0
        True
    """
    rng = generator(config.seed, purpose)
    size = config.items
    series = rng.random(size) < _SERIES
    genre = _genres(rng, size)
    head, part, previous, following = _chains(rng, genre[:, 0], series)
    genre = genre[head]
    axes = _axes(genre)
    year = _years(rng, axes)
    year = np.where(part > 0, np.minimum(year[head] + 2 * part, 2021), year).astype(np.int32)
    director = (rng.random(size) ** 2 * (size * 0.62)).astype(np.int32)[head]
    rank = _ranks(rng, year, series, head, part)
    return Films(
        np.arange(size) + np.cumsum(rng.random(size) < _ID_GAPS - 1),
        series,
        genre,
        year,
        _by_order(rng.random(size) + axes @ _MATURITY, _RATINGS),
        director,
        part,
        previous,
        following,
        rank,
        _releases(rng, year, rank, previous),
        _seconds(rng, series, axes, rank),
        _tastes(rng, axes, director, head),
        _quality(rng, rank),
        _kinds(axes, series),
    )


def _genres(rng: np.random.Generator, size: int) -> IntMatrix:
    """The first genre at large; the further ones half of the time from the same or the second axis of the first."""
    weight = np.array([genre.weight for genre in GENRES], float)
    axis, second = np.array([genre.axis for genre in GENRES]), np.array([genre.second for genre in GENRES])
    levels = np.cumsum(weight)
    near = np.cumsum(weight * ((axis[:, None] == axis) | (second[:, None] == axis)), axis=1)
    genre = np.full((size, _MOST_GENRES), -1, np.int32)
    genre[:, 0] = np.searchsorted(levels, rng.random(size) * levels[-1], side="right")
    count = np.searchsorted(_GENRE_COUNTS, rng.random(size), side="right") + 1
    for place in range(1, _MOST_GENRES):
        close = near[genre[:, 0]]
        drawn = (close <= (rng.random(size) * close[:, -1])[:, None]).sum(axis=1)
        anywhere = np.searchsorted(levels, rng.random(size) * levels[-1], side="right")
        drawn = np.where(rng.random(size) < 0.6, drawn, anywhere)
        fresh = (count > place) & ~(genre[:, :place] == drawn[:, None]).any(axis=1)
        genre[fresh, place] = drawn[fresh]
    return genre


def _chains(
    rng: np.random.Generator, genre: IntVector, series: BoolVector
) -> tuple[IntVector, IntVector, IntVector, IntVector]:
    """Films of one first genre strung together: the head of each item, its place, the item before and after."""
    size = len(genre)
    head, part = np.arange(size), np.zeros(size, np.int32)
    previous, following = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    order = np.flatnonzero(~series)
    order = order[np.lexsort((rng.random(len(order)), genre[order]))]
    starts = rng.random(len(order)) < _CHAIN
    lengths = rng.integers(1, _LONGEST, len(order))
    place = 0
    while place < len(order) - _LONGEST:
        if starts[place]:
            for one in order[place + 1 : place + 1 + lengths[place]]:
                before = order[place]
                if genre[one] != genre[before]:
                    break
                head[one], part[one] = head[before], part[before] + 1
                previous[one], following[before] = before, one
                place += 1
        place += 1
    return head, part, previous, following


def _axes(genre: IntMatrix) -> FloatMatrix:
    """(n, 12) named axes: the first genre counts twice."""
    table = np.vstack([loadings(), np.zeros(len(AXES))])
    total, weight = table[genre[:, 0]] * 2, np.full(len(genre), 2.0)
    for place in range(1, _MOST_GENRES):
        total += table[genre[:, place]]
        weight += genre[:, place] >= 0
    return total / weight[:, None]


def _by_order(score: FloatVector, shares: tuple[tuple[int, int], ...]) -> IntVector:
    """(n,) values in the given shares, the first ones to the lowest scores."""
    values, counts = np.array(shares).T
    levels = np.cumsum(counts) / counts.sum() * len(score)
    value = np.empty(len(score), np.int32)
    value[np.argsort(np.round(score, 9), kind="stable")] = values[
        np.searchsorted(levels, np.arange(len(score)), side="right").clip(0, len(values) - 1)
    ]
    return value


def _years(rng: np.random.Generator, axes: FloatMatrix) -> IntVector:
    shares = tuple((decade, count) for decade, _, count in _DECADES)
    start = _by_order(rng.random(len(axes)) - 1.4 * axes[:, AXES.index("classics")], shares)
    span = np.array([span for _, span, _ in _DECADES])[np.searchsorted([first for first, _, _ in _DECADES], start)]
    return (start + rng.random(len(axes)) * span).astype(np.int32)


def _ranks(
    rng: np.random.Generator, year: IntVector, series: BoolVector, head: IntVector, part: IntVector
) -> IntVector:
    """New items and series do better, the parts of a chain about as well as its head."""
    score = rng.random(len(year)) + 0.28 * (year >= 2020) + 0.10 * (year >= 2015) + 0.12 * series
    score = np.where(part > 0, 0.85 * score[head] + 0.25 * score - 0.05 * part, score)
    rank = np.empty(len(year), np.int32)
    rank[np.argsort(-np.round(score, 9), kind="stable")] = np.arange(len(year))
    return rank


def _releases(rng: np.random.Generator, year: IntVector, rank: IntVector, previous: IntVector) -> IntVector:
    """Two in five of the newest items come within the window: a premiere a week, and others.

    Premieres are the smaller the later, but for two great ones in August. Of the others, those that will be hits come
    by May, and the last weeks bring none of the more popular ones.
    """
    size = len(year)
    day = 1 + (rng.random(size) * (DAYS - 3)).astype(np.int32)
    day = np.where((day > 100) & (rank < size // 100), day - 75, day)
    released = (rng.random(size) < 0.4) & (year >= 2020) & (rank > 0) & ~((day > 134) & (rank < size // 20))
    release = np.where(released, day, 0).astype(np.int32)
    hits = np.flatnonzero((year >= 2020) & (rank >= size // 1000) & (rank < size // 100) & (previous < 0))
    hits = hits[np.argsort(rank[hits])]
    weeks = np.arange(1, DAYS // 7)
    if len(hits) >= len(weeks):
        chosen = hits[np.arange(len(weeks)) * (len(hits) - 1) // (len(weeks) - 1)]
        chosen = np.concatenate([np.delete(chosen, [3, 6, -1]), chosen[[6, 3, -1]]])
        release[chosen] = weeks * 7 + 1 + (rng.random(len(weeks)) * 3).astype(np.int32)
    for item in np.flatnonzero(previous >= 0):
        release[item] = max(release[item], release[previous[item]])
    return release


def _seconds(rng: np.random.Generator, series: BoolVector, axes: FloatMatrix, rank: IntVector) -> FloatVector:
    """Lengths in the published spread of watch time: series long, clips for children short and seldom popular."""
    size = len(series)
    popular = 1 - rank / size
    middle = 0.42 + 0.10 * popular
    score = middle + (rng.random(size) - 0.5) * (1.25 - 0.75 * popular)
    score += 0.45 * series * rng.random(size) - 0.30 * axes[:, AXES.index("family")] * (1 - popular)
    place = np.empty(size)
    place[np.argsort(np.round(score, 9), kind="stable")] = (np.arange(size) + 0.5) / size
    shares, seconds = zip(*MEAN_SECONDS, strict=True)
    return np.round(np.interp(place, shares, seconds) / _MEAN_SHARE, 3)


def _tastes(rng: np.random.Generator, axes: FloatMatrix, director: IntVector, head: IntVector) -> FloatMatrix:
    """Named axes from the genres with some noise; hidden ones from the director, the chain and the item itself."""
    size, named = axes.shape
    taste = np.empty((size, named + HIDDEN), np.float32)
    taste[:, :named] = axes + 0.08 * bell(rng, (size, named))
    shared, chain, own = bell(rng, (size, HIDDEN)), bell(rng, (size, HIDDEN)), bell(rng, (size, HIDDEN))
    taste[:, named:] = 0.55 * shared[director] + 0.65 * chain[head] + 0.50 * own
    return taste


def _quality(rng: np.random.Generator, rank: IntVector) -> FloatVector:
    """What is watched by many is better by up to 1.3; the rest is chance."""
    fame = np.maximum(1 - np.log10(rank + 1.0) / 3.3, 0)
    return np.round(1.3 * fame + 0.35 * bell(rng, len(rank)), 6).astype(np.float32)


def _kinds(axes: FloatMatrix, series: BoolVector) -> IntVector:
    kind = np.where(series, KINDS.index("series"), KINDS.index("film"))
    for name, axis, least in (("facts", "documentary", 0.4), ("night", "horror", 0.3), ("children", "family", 0.35)):
        kind = np.where(axes[:, AXES.index(axis)] > least, KINDS.index(name), kind)
    return kind.astype(np.int32)
