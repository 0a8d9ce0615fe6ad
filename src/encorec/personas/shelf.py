"""What an artifact knows of its items, for people: titles to find them by, genres, how popular each is."""

import re
from collections import defaultdict
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from encorec.data.interactions import Interactions
from encorec.errors import DataError
from encorec.evaluation.metrics.diversity import ItemAttributes
from encorec.pipeline.artifact import Artifact
from encorec.types import IntVector

__all__ = ["Shelf"]

_YEAR = re.compile(r"\s*\(\d{4}\)$")
_MOST_TRAITS = 4


class Shelf:
    """The items of an artifact.

    Args:
        artifact: loaded.
        name: for errors.
    """

    def __init__(self, artifact: Artifact, name: str) -> None:
        self.artifact, self.name = artifact, name

    def row(self, wanted: int | str) -> int:
        """The item that a title or an id means.

        A number is an id. A text is a title as it stands, else an id, else a title with other capitals, else one that
        differs by a year in brackets at its end.

        Raises:
            DataError: no such item, or several of that title.
        """
        items = self.artifact.items
        if isinstance(wanted, int):
            if (row := items.row(wanted)) >= 0:
                return row
            raise DataError(f"{self.name}: no item has the id {wanted}; give the title or an id of the training data")
        for found in (
            self._titled.get(wanted, []),
            [row] if (row := items.row(wanted)) >= 0 else [],
            self._folded.get(_folded(wanted), []),
            self._yearless.get(_yearless(wanted), []),
        ):
            if len(found) > 1:
                ids = ", ".join(map(repr, items.externals(found)))
                raise DataError(f"{self.name}: {len(found)} items are called {wanted!r}; give one of the ids {ids}")
            if found:
                return found[0]
        raise DataError(f"{self.name}: no item is called {wanted!r}; {self._nearest(wanted)}")

    def title(self, row: int) -> str:
        """What a person calls the item at ``row``."""
        return self.artifact.title(row)

    def traits(self, row: int) -> str:
        """What the item at ``row`` is like: its values of the feature ``traits_name``."""
        table, name = self.artifact.item_features, self.traits_name
        if table is None or not name:
            return ""
        if name in table.tags:
            tags = table.tags[name]
            names = [tags.values[code] for code in tags.lists.row(row)]
            return ", ".join(names[:_MOST_TRAITS]) + (" …" if len(names) > _MOST_TRAITS else "")
        category = table.categorical[name]
        return "" if category.code[row] < 0 else category.values[category.code[row]]

    @cached_property
    def traits_name(self) -> str:
        """The feature that says most to people: genres, else the first tags, else the first category, else nothing."""
        table = self.artifact.item_features
        if table is None:
            return ""
        names = [*table.tags, *table.categorical]
        return "genres" if "genres" in names else next(iter(names), "")

    @cached_property
    def popularity_rank(self) -> IntVector:
        """(items,) 1 = the item that most users had; items that equally many had share a rank."""
        ordered = np.sort(self.artifact.popularity)
        return len(ordered) - np.searchsorted(ordered, self.artifact.popularity, side="right") + 1

    @cached_property
    def train(self) -> Interactions:
        """What the artifact was fitted on, as the metrics of novelty read it."""
        histories, artifact = self.artifact.histories, self.artifact
        return Interactions(
            histories.owner.astype(np.int32),
            histories.item,
            histories.time,
            histories.weight,
            np.arange(len(histories.item)),
            len(artifact.users),
            len(artifact.items),
        )

    @cached_property
    def attributes(self) -> ItemAttributes | None:
        """What items are told apart by; none where the artifact holds nothing of that."""
        table = self.artifact.item_features
        known = table is not None and (table.numeric or table.categorical or table.tags)
        return ItemAttributes.of(table) if table is not None and known else None

    @cached_property
    def _titled(self) -> dict[str, list[int]]:
        titles = self.artifact.titles
        return _grouped([] if titles is None else titles.tolist())

    @cached_property
    def _folded(self) -> dict[str, list[int]]:
        return _grouped([_folded(one) for one in self._all_titles()])

    @cached_property
    def _yearless(self) -> dict[str, list[int]]:
        return _grouped([_yearless(one) for one in self._all_titles()])

    def _all_titles(self) -> list[str]:
        return [] if self.artifact.titles is None else self.artifact.titles.tolist()

    def _nearest(self, wanted: str) -> str:
        """The titles that look most like ``wanted``, with their ids."""
        near = get_close_matches(_folded(wanted), self._folded, n=3, cutoff=0.5)
        within = [title for title in self._folded if _yearless(wanted) and _yearless(wanted) in title]
        rows = [row for title in dict.fromkeys([*near, *within[:3]]) for row in self._folded[title][:1]]
        if not rows:
            return "give a title or an id of the training data"
        ids = self.artifact.items.externals(rows)
        named = ", ".join(f"{self.title(row)!r} ({one})" for row, one in zip(rows, ids, strict=True))
        return f"nearest: {named}"


def _folded(title: Any) -> str:
    return " ".join(str(title).casefold().split())


def _yearless(title: Any) -> str:
    return _YEAR.sub("", _folded(title))


def _grouped(keys: list[str]) -> dict[str, list[int]]:
    """Key -> the rows that have it."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return dict(rows)
