"""The made-up online cinema: its people, its films, its past, and the truth about what anybody would click."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from encorec.data.synthetic.films import Films, draw_films
from encorec.data.synthetic.kion_files import write_kion
from encorec.data.synthetic.making import crowd_of, live, make_stage, shelf_of
from encorec.data.synthetic.people import People, draw_people, draw_tastes
from encorec.data.synthetic.records import GRID, Crowd, Shelf, Stage, Views
from encorec.data.synthetic.responses import (
    READERS,
    Expectations,
    ReadingConfig,
    Responses,
    Shown,
    draw_responses,
    expect,
)
from encorec.data.synthetic.rhythm import WINDOW_START
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.synthetic.stream import generator
from encorec.data.synthetic.surveys import plant_views
from encorec.data.synthetic.truth import chances
from encorec.errors import QueryError
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["World"]

_READY, _READY_BY_ACTIVITY, _READY_BY_CHANCE = 0.30, 0.45, 0.25


def _silent(message: str) -> None:
    pass


@dataclass(frozen=True)
class World:
    """A cinema whose truth is known; users and items are rows, in the order of their ids, as in its data set.

    Args:
        config: what it was made from.
        people: all users.
        films: all items.
        crowd: users as compiled loops read them.
        shelf: items as compiled loops read them.
        stage: what made the past: pull of days, front pages, spread of watching.
        views: the past, by user and time; seconds count from 2021-03-13.
        reading: how far lists are read; ``dataclasses.replace`` gives the same world with other readers.

    Example:
        >>> world = World.of(WorldConfig(users=200, items=150))
        >>> preference = world.true_preference(np.array([0, 1]), np.array([[3, 5, 8], [3, 5, 8]]), 1_629_600_000)
        >>> preference.shape, bool((preference < 1).all())
        ((2, 3), True)
    """

    config: WorldConfig
    people: People
    films: Films
    crowd: Crowd
    shelf: Shelf
    stage: Stage
    views: Views
    reading: ReadingConfig = READERS

    @classmethod
    def of(cls, config: WorldConfig, progress: Callable[[str], None] = _silent) -> "World":
        """The one world of a config: equal configs give equal worlds.

        Args:
            config: sizes and seed.
            progress: told what is being done, before each long step.
        """
        progress("inventing films")
        films = draw_films(config)
        stage, share = make_stage(config, films, progress)
        progress("inventing users")
        people = draw_people(config)
        crowd, shelf = crowd_of(people, draw_tastes(people, config)), shelf_of(films)
        stage = stage._replace(**_planted(config, crowd, shelf, share))
        progress("letting them watch")
        return cls(config, people, films, crowd, shelf, stage, live(config, crowd, shelf, stage))

    @cached_property
    def indptr(self) -> IntVector:
        """(users + 1,) int64 offsets of each user's views."""
        return np.concatenate([[0], np.cumsum(self.people.amount, dtype=np.int64)])

    @cached_property
    def view_user(self) -> IntVector:
        """(views,) int32 user of each view."""
        return np.repeat(np.arange(len(self.people.id), dtype=np.int32), self.people.amount)

    @cached_property
    def readiness(self) -> FloatVector:
        """(users,) float64 in 0.3 to 1: how readily a user clicks at all; the active click more."""
        lot = generator(self.config.seed, 9).random(len(self.people.id))
        return _READY + _READY_BY_ACTIVITY * self.people.activity + _READY_BY_CHANCE * lot

    def true_preference(
        self, users: IntVector, items: IntVector | IntMatrix, time: IntVector | int
    ) -> FloatVector | FloatMatrix:
        """Probability that a user, shown an item in the first place at a time, clicks it.

        It depends on tastes, mood, hour, on what the user watched before ``time``, and on nothing that is popular.

        Args:
            users: (n,) rows.
            items: (n,) rows, one for each user, or (n, k); -1 has preference 0, and so has what is not yet released.
            time: (n,) or one time in seconds since 1970; before the window counts as its beginning.

        Returns:
            float64 in the shape of ``items``.

        Raises:
            QueryError: rows out of range or shapes that do not fit.

        Example:
            >>> world = World.of(WorldConfig(users=200, items=150))
            >>> world.true_preference(np.array([0, 1]), np.array([-1, -1]), 1_629_600_000).tolist()
            [0.0, 0.0]
        """
        users, items = np.asarray(users), np.asarray(items)
        matrix = items[:, None] if items.ndim == 1 else items
        shown = Shown(users, matrix, np.broadcast_to(np.asarray(time, np.int64), users.shape))
        found = self._chances(shown) * self.readiness[users][:, None]
        return found[:, 0] if items.ndim == 1 else found

    def respond(self, shown: Shown, rng: np.random.Generator) -> Responses:
        """What the users do with slates: examined positions, clicks, minutes and coming back, drawn.

        They read from the top and stop for good when something is watched to ``reading.enough`` tenths of its length.

        Args:
            shown: n slates of k items.
            rng: of the draws.

        Raises:
            QueryError: rows out of range.

        Example:
            >>> world = World.of(WorldConfig(users=200, items=150))
            >>> shown = Shown(np.array([0]), np.array([[3, 5]]), np.array([1_629_600_000]))
            >>> world.respond(shown, np.random.default_rng(7)).clicked.shape
            (1, 2)
        """
        return draw_responses(*self._likings(shown), rng, self.reading)

    def expected(self, shown: Shown) -> Expectations:
        """The exact means of ``respond``.

        Args:
            shown: n slates of k items.

        Raises:
            QueryError: rows out of range.

        Example:
            >>> world = World.of(WorldConfig(users=200, items=150))
            >>> shown = Shown(np.array([0]), np.array([[3, 5]]), np.array([1_629_600_000]))
            >>> bool((world.expected(shown).clicks <= world.expected(shown).examined).all())
            True
        """
        return expect(*self._likings(shown), self.reading)

    def write_kion_zip(self, path: str | Path) -> Path:
        """The world as KION's own files in one zip, which the ``kion`` source reads.

        Args:
            path: of the zip.

        Example:
            >>> import tempfile
            >>> world = World.of(WorldConfig(users=200, items=150))
            >>> world.write_kion_zip(Path(tempfile.mkdtemp(), "data_kion.zip")).name
            'data_kion.zip'
        """
        return write_kion(self.people, self.films, self.views, self.config.seed, Path(path))

    def _likings(self, shown: Shown) -> tuple[Shown, FloatMatrix, FloatMatrix, FloatMatrix, FloatVector, FloatVector]:
        chance = self._chances(shown)
        return (
            shown,
            chance * self.readiness[shown.user][:, None],
            np.searchsorted(self.stage.grid, chance, side="right") / GRID,
            self.films.seconds[shown.item],
            self.people.activity[shown.user],
            self.stage.tenths,
        )

    def _chances(self, shown: Shown) -> FloatMatrix:
        _check_rows("user", shown.user, 0, len(self.people.id))
        _check_rows("item", shown.item, -1, len(self.films.id))
        out = np.empty(shown.item.shape)
        shelf = self.shelf._replace(release=self.films.release)
        user, item = (np.ascontiguousarray(rows, np.int64) for rows in (shown.user, shown.item))
        chances(self.crowd, shelf, self.views, self.indptr, user, item, np.maximum(shown.time - WINDOW_START, 0), out)
        return out


def _check_rows(what: str, rows: IntVector | IntMatrix, least: int, size: int) -> None:
    if rows.dtype.kind not in "iu":
        raise QueryError(f"{what} rows are {rows.dtype}, allowed are integers")
    if rows.size and not least <= rows.min() <= rows.max() < size:
        raise QueryError(f"{what} rows run from {rows.min()} to {rows.max()}, allowed is {least} to {size - 1}")


def _planted(config: WorldConfig, crowd: Crowd, shelf: Shelf, share: FloatVector) -> dict[str, IntVector]:
    """Certain views by user."""
    user = np.empty(len(share), np.int32)
    plant_views(config.seed, shelf.release, share, crowd.amount, crowd.arrival, crowd.vector, shelf.taste, user)
    item = np.flatnonzero(user >= 0)
    item = item[np.argsort(user[item], kind="stable")].astype(np.int32)
    counts = np.bincount(user[item], minlength=len(crowd.amount))
    return {"plant_indptr": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), "plant": item}
