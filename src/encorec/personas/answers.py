"""What systems show to personas, as values: lists with titles, their figures, and what they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from encorec.types import FloatMatrix, IntMatrix

__all__ = ["Comparison", "PersonaAnswers", "PersonaList", "Shown"]


@dataclass(frozen=True)
class Shown:
    """One item of a list or of a history.

    Args:
        item_id: external id.
        title: what a person calls it.
        traits: genres, or what else is known.
        popularity_rank: 1 = the item that most users had.
        source: retrievers that proposed it; none for an item of a history.
        score: of the system that shows it; none for an item of a history.
        days_ago: of an item of a history, days before the moment of asking.

    Example:
        >>> Shown(50, "Star Wars", "Action, Sci-Fi", 1).title
        'Star Wars'
    """

    item_id: int | str
    title: str
    traits: str
    popularity_rank: int
    source: tuple[str, ...] = ()
    score: float | None = None
    days_ago: float | None = None


@dataclass(frozen=True)
class PersonaList:
    """What one system shows one persona.

    Args:
        items: best first.
        ild: intra-list distance; none where nothing is known of items.
        miuf: mean inverse user frequency, bits.
        popularity_rank: median over the list; none for an empty list.

    Example:
        >>> PersonaList((), None, 0.0, None).items
        ()
    """

    items: tuple[Shown, ...]
    ild: float | None
    miuf: float
    popularity_rank: float | None


@dataclass(frozen=True)
class PersonaAnswers:
    """What all systems show one persona.

    Args:
        about: who that is.
        history: what it took, the oldest first.
        lists: by system.
        common: (systems, systems) items that two lists have in common.

    Example:
        >>> PersonaAnswers("", (), {}, np.zeros((0, 0), int)).lists
        {}
    """

    about: str
    history: tuple[Shown, ...]
    lists: dict[str, PersonaList]
    common: IntMatrix


@dataclass(frozen=True)
class Comparison:
    """Systems side by side.

    Args:
        k: places of a list.
        systems: names, in the order given.
        personas: name -> answers.
        sources: system -> names of the retrievers that propose items to it.
        traits: what ``Shown.traits`` are, such as genres; empty = nothing is known of items.

    Example:
        >>> Comparison(10, (), {}).as_dict()["personas"]
        {}
    """

    k: int
    systems: tuple[str, ...]
    personas: dict[str, PersonaAnswers]
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    traits: str = ""

    def means(self) -> dict[str, dict[str, float | None]]:
        """System -> ``ild``, ``miuf``, ``popularity_rank`` and ``filled`` as means over personas."""
        found: dict[str, dict[str, float | None]] = {}
        for system in self.systems:
            lists = [one.lists[system] for one in self.personas.values()]
            found[system] = {
                "ild": _mean([one.ild for one in lists]),
                "miuf": _mean([one.miuf for one in lists]),
                "popularity_rank": _mean([one.popularity_rank for one in lists]),
                "filled": _mean([float(len(one.items)) for one in lists]),
            }
        return found

    def mean_common(self) -> FloatMatrix:
        """(systems, systems) items that two lists have in common, as means over personas."""
        shape = (len(self.systems), len(self.systems))
        return np.mean([one.common for one in self.personas.values()] or [np.zeros(shape)], axis=0)

    def as_dict(self) -> dict[str, Any]:
        """All of it as nested dictionaries of text and numbers, ready for JSON."""
        return {
            "k": self.k,
            "systems": self.means(),
            "common": _matrix(self.systems, self.mean_common()),
            "personas": {
                name: {
                    "about": one.about,
                    "history": [_told(item) for item in one.history],
                    "lists": {
                        system: {
                            "ild": shown.ild,
                            "miuf": shown.miuf,
                            "popularity_rank": shown.popularity_rank,
                            "items": [_told(item) for item in shown.items],
                        }
                        for system, shown in one.lists.items()
                    },
                    "common": _matrix(self.systems, one.common),
                }
                for name, one in self.personas.items()
            },
        }


def _told(item: Shown) -> dict[str, Any]:
    told: dict[str, Any] = {
        "item_id": item.item_id,
        "title": item.title,
        "traits": item.traits,
        "popularity_rank": item.popularity_rank,
    }
    if item.days_ago is not None:
        return told | {"days_ago": item.days_ago}
    return told | {"source": list(item.source), "score": item.score}


def _matrix(names: Sequence[str], values: Any) -> dict[str, dict[str, float]]:
    return {
        one: {other: values[place, column].item() for column, other in enumerate(names) if other != one}
        for place, one in enumerate(names)
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None
