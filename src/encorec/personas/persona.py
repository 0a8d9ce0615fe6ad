"""Made-up users with a chosen history, as a file holds them."""

from pathlib import Path
from typing import Any

import msgspec

from encorec.config import Config, bounded, load_toml
from encorec.errors import ConfigError

__all__ = ["Persona", "PersonaFile", "Taken", "load_personas", "shipped_personas"]


class Taken(Config, frozen=True):
    """One thing a persona took.

    Args:
        item: title or id.
        days_ago: days before the moment of asking; none = as many as its place from the end of the history.
        weight: strength of the event.

    Raises:
        ConfigError: a time that is not past, a weight that is not positive.

    Example:
        >>> Taken(item="Fargo", days_ago=0.5).weight
        1.0
    """

    item: int | str
    days_ago: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        bounded(self, days_ago=(1 / 86_400, 36_500), weight=(1e-9, 1e9))


class Persona(Config, frozen=True):
    """A made-up user.

    Args:
        about: who that is, for people.
        history: titles, ids or ``{item = ..., days_ago = ...}``, the oldest first; empty = a newcomer.
        features: of the user, by name.

    Example:
        >>> [one.days_ago for one in Persona(history=("Fargo", Taken(item=50))).taken()]
        [2.0, 1.0]
    """

    about: str = ""
    history: tuple[int | str | Taken, ...] = ()
    features: dict[str, Any] = msgspec.field(default_factory=dict)

    def taken(self) -> list[Taken]:
        """The history with a time for everything in it."""
        found: list[Taken] = []
        for place, one in enumerate(self.history):
            given = one if isinstance(one, Taken) else Taken(item=one)
            days = float(len(self.history) - place) if given.days_ago is None else given.days_ago
            found.append(Taken(item=given.item, days_ago=days, weight=given.weight))
        return found


class PersonaFile(Config, frozen=True):
    """Personas by name.

    Raises:
        ConfigError: none at all.

    Example:
        >>> list(PersonaFile(personas={"newcomer": Persona()}).personas)
        ['newcomer']
    """

    personas: dict[str, Persona]

    def __post_init__(self) -> None:
        if not self.personas:
            raise ConfigError('no personas; write at least one table such as [personas."action fan"]')


def load_personas(path: str | Path) -> dict[str, Persona]:
    """Personas by name, in the order of the file.

    Args:
        path: of a TOML file with tables ``[personas."name"]``.

    Raises:
        ConfigError: no such file, not TOML, a field that there is not, or no personas.

    Example:
        >>> "newcomer" in load_personas(shipped_personas("movielens-100k"))
        True
    """
    return load_toml(path, PersonaFile).personas


def shipped_personas(source: str) -> Path:
    """The personas that come with the package: beside it when installed, in the checkout while developing.

    Args:
        source: name of the data that an artifact was fitted on.

    Raises:
        ConfigError: none come for this source.

    Example:
        >>> shipped_personas("movielens-100k").name
        'personas-movielens.toml'
    """
    package = Path(__file__).parents[1]
    places = (package / "configs", package.parents[1] / "configs")
    folder = next((place for place in places if place.is_dir()), places[0])
    for name in (source, source.partition("-")[0]):
        if (found := folder / f"personas-{name}.toml").is_file():
            return found
    raise ConfigError(f"no personas come for {source!r}; write a file of them and name it with --personas")
