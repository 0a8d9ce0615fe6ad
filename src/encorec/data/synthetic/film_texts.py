"""What the catalogue says of its items in words: the item table in KION's own columns."""

import numpy as np
import polars as pl

from encorec.data.synthetic.figures import ITEMS
from encorec.data.synthetic.films import Films
from encorec.data.synthetic.genres import AXES, GENRES
from encorec.data.synthetic.names import COUNTRIES, KEYWORDS, latin, person, studio, title
from encorec.data.synthetic.stream import generator
from encorec.types import FloatVector

__all__ = ["item_table"]

_MISSING = {
    "title_orig": 4745, "release_year": 98, "countries": 37, "age_rating": 2, "studios": 14898, "directors": 1509,
    "actors": 2619, "description": 2, "keywords": 423,
}  # fmt: skip
_FOR_KIDS = ((1, 114), (0, 452))
_COUNTRY_WEIGHT = np.array([300, 292, 66, 46, 30, 26, 20, 18, 14, 14, 14, 12, 8, *[5] * 17], float)
_SOVIET = 0.62


def item_table(films: Films, seed: int, purpose: int = 6) -> pl.DataFrame:
    """``items.csv`` of KION: one row per item, with what is missing as often as there.

    Args:
        films: the catalogue.
        seed: of the world.
        purpose: number of the stream.

    Example:
        >>> from encorec.data.synthetic.films import draw_films
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> item_table(draw_films(WorldConfig(users=5000, items=200)), 7).columns[:4]
        ['item_id', 'content_type', 'title', 'title_orig']
    """
    rng = generator(seed, purpose)
    size = len(films.id)
    titles = _titles(films, rng)
    genres = [", ".join(GENRES[one].name for one in row if one >= 0) for row in films.genre.tolist()]
    columns: dict[str, pl.Series] = {
        "item_id": pl.Series(films.id),
        "content_type": pl.Series(np.where(films.series, "series", "film")),
        "title": pl.Series(titles),
        "title_orig": pl.Series([latin(one) for one in titles]),
        "release_year": pl.Series(films.year.astype(float)),
        "genres": pl.Series(genres),
        "countries": pl.Series(_countries(films, rng)),
        "for_kids": _for_kids(films, rng),
        "age_rating": pl.Series(films.rating.astype(float)),
        "studios": pl.Series([studio(one) for one in rng.integers(38, size=size).tolist()]),
        "directors": pl.Series([person(one) for one in films.director.tolist()]),
        "actors": pl.Series(_actors(films, rng)),
        "description": pl.Series(_descriptions(titles, genres, films)),
        "keywords": pl.Series(_keywords(films)),
    }
    for name, count in _MISSING.items():
        columns[name] = _without(columns[name], rng.random(size), count)
    return pl.DataFrame(columns)


def _without(column: pl.Series, lot: FloatVector, count: int) -> pl.Series:
    """The column without as many of its values as KION lacks, in proportion."""
    gone = np.argsort(lot, kind="stable")[: len(column) * count // ITEMS]
    return column.scatter(gone, None) if len(gone) else column


def _titles(films: Films, rng: np.random.Generator) -> list[str]:
    """A number after the title for further parts; one title in twenty-four serves twice."""
    number = rng.permutation(len(films.id) * 23 // 24 + 1)[np.arange(len(films.id)) % (len(films.id) * 23 // 24 + 1)]
    names = [title(one) for one in number.tolist()]
    for item in np.argsort(films.part, kind="stable").tolist():
        if films.part[item]:
            head = names[films.previous[item]]
            names[item] = f"{head.removesuffix(f' {films.part[item]}')} {films.part[item] + 1}"
    return names


def _countries(films: Films, rng: np.random.Generator) -> list[str]:
    levels = np.cumsum(_COUNTRY_WEIGHT)
    first, second, soviet, joint = (rng.random(len(films.id)) for _ in range(4))
    one = np.searchsorted(levels, first * levels[-1], side="right")
    two = np.searchsorted(levels, second * levels[-1], side="right")
    old = (films.year < 1992) & (soviet < _SOVIET + 0.06)
    one = np.where(old, len(COUNTRIES) - 1, np.where((films.year < 1992) & (one == 0), 1, one))
    return [
        COUNTRIES[a] if a == b or lot > 0.16 or a == len(COUNTRIES) - 1 else f"{COUNTRIES[a]}, {COUNTRIES[b]}"
        for a, b, lot in zip(one.tolist(), two.tolist(), joint.tolist(), strict=True)
    ]


def _for_kids(films: Films, rng: np.random.Generator) -> pl.Series:
    """Known for few: 1 for those most for children, 0 for others."""
    size, value = len(films.id), np.full(len(films.id), np.nan)
    family = films.taste[:, AXES.index("family")].astype(np.float64)
    order = np.argsort(-np.round(family + 0.3 * rng.random(size), 6), kind="stable")
    yes, no = (size * count // ITEMS for _, count in _FOR_KIDS)
    value[order[:yes]] = 1.0
    value[order[yes:][np.argsort(rng.random(size - yes), kind="stable")[:no]]] = 0.0
    return pl.Series(value, nan_to_null=True)


def _actors(films: Films, rng: np.random.Generator) -> list[str]:
    size = len(films.id)
    count = rng.integers(1, 9, size).tolist()
    cast = 10_000 + (rng.random((size, 8)) ** 1.5 * 20_000).astype(np.int64)
    return [
        ", ".join(dict.fromkeys(person(one) for one in row[:n])) for row, n in zip(cast.tolist(), count, strict=True)
    ]


def _keywords(films: Films) -> list[str]:
    """Words for the ends of the hidden axes where an item lies far out, and for its first genre."""
    hidden = films.taste[:, len(AXES) :]
    words: list[list[str]] = [[] for _ in films.id]
    for axis, (high, low) in enumerate(KEYWORDS):
        place = (films.id + axis) % 3
        for sign, ends in ((1, high), (-1, low)):
            for item in np.flatnonzero(sign * hidden[:, axis] > 0.7).tolist():
                words[item].append(ends[place[item]])
    first = films.genre[:, 0].tolist()
    return [", ".join([*named, GENRES[genre].name]) for named, genre in zip(words, first, strict=True)]


def _descriptions(titles: list[str], genres: list[str], films: Films) -> list[str]:
    kinds = np.where(films.series, "Сериал", "Фильм").tolist()
    return [
        f"{kind} «{name}» ({year}): {genre}. Вымышленное описание вымышленной истории."
        for kind, name, genre, year in zip(kinds, titles, genres, films.year.tolist(), strict=True)
    ]
