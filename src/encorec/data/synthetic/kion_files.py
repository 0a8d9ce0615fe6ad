"""A world written down as KION writes itself: three tables and the users to predict, in one zip."""

import zipfile
from pathlib import Path

import numpy as np
import polars as pl

from encorec.data.synthetic.figures import (
    AGES,
    COLD_TO_PREDICT,
    INCOMES,
    MISSING_WATCHED,
    PROFILES_OF_IDLE,
    ROWS,
    USERS,
    WARM_TO_PREDICT,
)
from encorec.data.synthetic.film_texts import item_table
from encorec.data.synthetic.films import Films
from encorec.data.synthetic.generation import Views
from encorec.data.synthetic.people import People
from encorec.data.synthetic.rhythm import DAY_SECONDS, WINDOW_START
from encorec.data.synthetic.stream import generator
from encorec.types import BoolVector, IntVector

__all__ = ["file_order", "user_table", "view_table", "watched_percent", "write_kion"]


def file_order(rows: int, seed: int, purpose: int = 7) -> IntVector:
    """(rows,) int64: the order in which the views stand in the file, a random one.

    Example:
        >>> sorted(file_order(3, 7).tolist())
        [0, 1, 2]
    """
    return np.argsort(generator(seed, purpose).random(rows), kind="stable")


def watched_percent(percent: IntVector, seed: int, purpose: int = 8) -> pl.Series:
    """(rows,) float64 percent watched, unknown as seldom as in KION.

    Example:
        >>> watched_percent(np.array([70, 100], np.int32), 7).to_list()
        [70.0, 100.0]
    """
    lost = generator(seed, purpose).random(len(percent)) < MISSING_WATCHED / ROWS
    return pl.Series(np.where(lost, np.nan, percent), nan_to_null=True)


def user_table(people: People) -> pl.DataFrame:
    """``users.csv`` of KION: the users that are described, ``sex`` in Cyrillic letters.

    Example:
        >>> from encorec.data.synthetic.people import draw_people
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> len(user_table(draw_people(WorldConfig(users=100))))
        88
    """
    kept = people.described
    return pl.DataFrame(
        {
            "user_id": people.id[kept],
            "age": _named(people.age[kept], AGES, people.unknown["age"][kept]),
            "income": _named(people.income[kept], INCOMES, people.unknown["income"][kept]),
            "sex": _named(people.sex[kept], ("Ж", "М"), people.unknown["sex"][kept]),  # noqa: RUF001
            "kids_flg": people.kids[kept],
        }
    )


def _named(code: IntVector, names: tuple[str, ...], unknown: BoolVector) -> pl.Series:
    text = pl.Series([*names, None], dtype=pl.String)
    return text.gather(np.where(unknown, len(names), code))


def view_table(people: People, views: Views, seed: int) -> pl.DataFrame:
    """``interactions.csv`` of KION: a random order of rows, dated by day.

    Args:
        people: the users.
        views: the past.
        seed: of the world.

    Example:
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> view_table(world.people, world.views, 7).columns
        ['user_id', 'item_id', 'last_watch_dt', 'total_dur', 'watched_pct']
    """
    order = file_order(len(views.item), seed)
    day = views.second[order] // DAY_SECONDS + WINDOW_START // DAY_SECONDS
    return pl.DataFrame(
        {
            "user_id": np.repeat(people.id, people.amount)[order],
            "item_id": views.item[order],
            "last_watch_dt": pl.Series(day.astype(np.int32)).cast(pl.Date),
            "total_dur": views.duration[order],
            "watched_pct": watched_percent(views.percent[order], seed),
        }
    )


def _submission(people: People, popular: IntVector, seed: int) -> pl.DataFrame:
    """``sample_submission.csv`` of KION: warm, light and cold users, all with the ten most popular items.

    How likely users are asked for grows with their items as published: 1 for one item, 5.7 for ten, 6.6 for more.
    """
    lot = generator(seed, 10).random(len(people.id))
    watching = people.amount > 0
    likely = np.minimum(0.48 + 0.52 * people.amount, 6.6)
    warm = np.flatnonzero(watching)[np.argsort((lot / likely)[watching], kind="stable")]
    cold = np.flatnonzero(~watching)[np.argsort(lot[~watching], kind="stable")]
    asked = np.concatenate(
        [warm[: len(warm) * WARM_TO_PREDICT // USERS], cold[: len(cold) * COLD_TO_PREDICT // PROFILES_OF_IDLE]]
    )
    return pl.DataFrame({"user_id": people.id[np.sort(asked)]}).with_columns(item_id=pl.lit(str(popular.tolist())))


def write_kion(people: People, films: Films, views: Views, seed: int, path: Path) -> Path:
    """A zip with the four tables of KION under ``data_kion/``.

    Args:
        people: the users.
        films: the catalogue.
        views: the past.
        seed: of the world.
        path: of the zip.

    Example:
        >>> import tempfile
        >>> from encorec.data.synthetic.settings import WorldConfig
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=60, items=120))
        >>> write_kion(world.people, world.films, world.views, 7, Path(tempfile.mkdtemp(), "data_kion.zip")).name
        'data_kion.zip'
    """
    log = view_table(people, views, seed)
    log = log.with_columns(item_id=pl.Series(films.id).gather(log["item_id"]))
    popular = films.id[np.argsort(-np.bincount(views.item, minlength=len(films.id)), kind="stable")[:10]]
    tables = {
        "interactions": log,
        "users": user_table(people),
        "items": item_table(films, seed),
        "sample_submission": _submission(people, popular, seed),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, table in tables.items():
            member = zipfile.ZipInfo(f"data_kion/{name}.csv", (2021, 8, 23, 0, 0, 0))
            archive.writestr(member, table.write_csv(), zipfile.ZIP_DEFLATED, 1)
    return path
