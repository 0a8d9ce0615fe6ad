# ruff: noqa: RUF001
"""The genres of the catalogue, as KION spells them, and the axes of taste that they stand for."""

from typing import NamedTuple

import numpy as np

from encorec.types import FloatMatrix

__all__ = ["AXES", "GENRES", "Genre", "demand", "loadings"]

AXES = (
    "drama", "comedy", "action", "crime", "romance", "family", "documentary", "fantasy", "horror", "classics",
    "adventure", "leisure",
)  # fmt: skip
"""The named axes of taste; hidden ones come after them."""


class Genre(NamedTuple):
    """A genre: its name, the axis it stands for, a second one, and how common it is.

    Example:
        >>> Genre("драмы", 0, 4, 30).name
        'драмы'
    """

    name: str
    axis: int
    second: int
    weight: int


GENRES = tuple(
    Genre(name, AXES.index(axis), AXES.index(second), weight)
    for axis, rows in {
        "drama": "драмы romance 300,зарубежные action 120,русские comedy 90,биография documentary 26,"
        "военные classics 30,социальная драма documentary 8,драматические сериалы crime 8,экранизации classics 14",
        "comedy": "комедии romance 280,юмор leisure 24,стендап leisure 10,пародии fantasy 5,"
        "чёрная комедия crime 8,ситкомы romance 9,скетчи leisure 3",
        "action": "боевики crime 170,супергерои fantasy 14,боевые искусства leisure 12,катастрофы drama 8,"
        "вестерны classics 16,шпионские crime 9,постапокалипсис fantasy 4",
        "crime": "триллеры horror 190,криминал action 90,детективы drama 120,нуар classics 5,судебные drama 4,"
        "полицейские action 12,психологические drama 7",
        "romance": "мелодрамы drama 170,о любви comedy 20,для неё drama 12,эротика horror 14,свадьба comedy 3",
        "family": "мультфильмы adventure 150,семейное comedy 110,для детей adventure 130,аниме fantasy 24,"
        "сказки fantasy 22,обучающее documentary 12,песни для детей leisure 5,развивающие мультики comedy 14",
        "documentary": "документальное classics 130,хочу всё знать adventure 26,наука fantasy 12,"
        "история classics 16,природа adventure 14,путешествия leisure 12,космос fantasy 5,общество drama 6",
        "fantasy": "фантастика action 120,фэнтези adventure 80,мистика horror 22,киберпанк action 4,"
        "инопланетяне horror 4,магия family 5",
        "horror": "ужасы crime 130,слэшер action 5,зомби action 6,вампиры fantasy 4,паранормальное crime 4",
        "classics": "советские drama 130,исторические drama 60,золотой фонд comedy 14,немое кино drama 6,"
        "мюзиклы romance 16,чёрно-белое drama 7,фильмы-спектакли drama 8",
        "adventure": "приключения fantasy 120,спорт documentary 24,дорожные comedy 5,пираты family 3,"
        "выживание horror 6,гонки action 6,животные family 8",
        "leisure": "музыка documentary 24,концерты comedy 14,фитнес documentary 18,кулинария comedy 9,"
        "здоровье family 8,йога documentary 6,шоу comedy 16,мода romance 4,"
        "дом и сад documentary 4,короткометражные drama 16",
    }.items()
    for name, second, weight in (
        (" ".join(words[:-2]), words[-2], int(words[-1])) for words in (row.split() for row in rows.split(","))
    )
)
"""About ninety genres."""

_AGE = (
    (2, 5, 7, 4, 4, 2, 1, 7, 7, 1, 4, 2),
    (3, 5, 6, 5, 4, 4, 2, 5, 5, 1, 4, 2),
    (4, 5, 5, 5, 4, 6, 2, 4, 3, 2, 4, 2),
    (5, 4, 4, 6, 5, 3, 3, 3, 2, 4, 3, 2),
    (6, 4, 3, 6, 5, 2, 4, 2, 1, 6, 3, 2),
    (6, 3, 2, 5, 6, 2, 5, 1, 1, 8, 2, 2),
)
_SEX = ((10, 10, 6, 9, 16, 12, 9, 8, 8, 10, 8, 12), (9, 10, 15, 11, 5, 8, 11, 12, 11, 10, 12, 8))
_KIDS = ((10, 10, 10, 10, 10, 6, 10, 10, 10, 10, 10, 10), (8, 10, 9, 8, 9, 30, 9, 10, 7, 9, 12, 10))


def demand() -> FloatMatrix:
    """(6 ages, 2 sexes, 2 without or with children, 12 axes) float64: how much each group likes each axis, at most 1.

    Example:
        >>> wanted = demand()
        >>> bool(wanted[2, 0, 1, 5] > wanted[2, 0, 0, 5])
        True
    """
    product = np.array(_AGE)[:, None, None, :] * np.array(_SEX)[None, :, None, :] * np.array(_KIDS)[None, None, :, :]
    return product / product.max(axis=-1, keepdims=True)


def loadings() -> FloatMatrix:
    """(genres, 12) float64: 0.7 on the axis of the genre, 0.3 on its second one.

    Example:
        >>> loadings().sum(axis=1).round(6).min().item()
        1.0
    """
    table = np.zeros((len(GENRES), len(AXES)))
    rows = np.arange(len(GENRES))
    table[rows, [genre.axis for genre in GENRES]] += 0.7
    table[rows, [genre.second for genre in GENRES]] += 0.3
    return table
