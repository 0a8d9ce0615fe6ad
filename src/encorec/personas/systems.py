"""Who answers: an artifact as it is served, or one of its parts alone, both through the engine of the service."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from encorec.errors import ConfigError, unknown_name
from encorec.personas.shelf import Shelf
from encorec.pipeline.engine import Engine, load_engine
from encorec.verdict.systems import FUSION, TWO_STAGE

__all__ = ["System", "open_systems", "part_of"]

_ALL = "all"


@dataclass(frozen=True)
class System:
    """Something that answers requests.

    Args:
        name: for people.
        engine: what is asked.
        shelf: the items it knows.
    """

    name: str
    engine: Engine
    shelf: Shelf


def part_of(engine: Engine, part: str) -> Engine:
    """An engine whose order is that of one part alone: a retriever, the fusion of all, the two-stage.

    Candidates, eligibility and histories are those of the whole: only the order is the part's.

    Args:
        engine: of the whole artifact.
        part: name of a retriever, ``rrf`` or ``two-stage``.

    Raises:
        ConfigError: no such part.
    """
    pipeline = engine.artifact.pipeline
    allowed = [*pipeline.first.retrievers, FUSION, *([TWO_STAGE] if pipeline.ranker is not None else [])]
    if part not in allowed:
        raise ConfigError(unknown_name("system", part, allowed))
    if part == TWO_STAGE:
        return engine
    source = None if part == FUSION else part
    return Engine(replace(engine.artifact, pipeline=replace(pipeline, ranker=None, source=source)))


def open_systems(specs: Sequence[str]) -> list[System]:
    """The systems that are compared, in the order given.

    Args:
        specs: folders of artifacts, each as it is (what the service would answer) or followed by a colon and names of
            its parts: ``artifacts/ml:als,item_knn``, ``artifacts/ml:two-stage``, ``artifacts/ml:all`` (every
            retriever alone).

    Raises:
        ArtifactError: no artifact there, or one that cannot be trusted.
        ConfigError: no such part, or a system named twice.

    Example:
        >>> open_systems(["nothing-here:als"])
        Traceback (most recent call last):
        ...
        encorec.errors.ArtifactError: nothing-here:als: no manifest.json there; give a folder that `encorec train` wrote
    """
    wanted = [_parted(spec) for spec in specs]
    engines = {folder: load_engine(folder) for folder in dict.fromkeys(folder for folder, _ in wanted)}
    names = _names(engines)
    shelves = {folder: Shelf(engine.artifact, names[folder] or str(folder)) for folder, engine in engines.items()}
    found: list[System] = []
    for folder, parts in wanted:
        engine = engines[folder]
        for part in _spread(engine, parts):
            name = ":".join(filter(None, (names[folder], part))) or _served(engine)
            found.append(System(name, part_of(engine, part) if part else engine, shelves[folder]))
    twice = sorted({one.name for one in found if [other.name for other in found].count(one.name) > 1})
    if twice:
        raise ConfigError(f"{', '.join(twice)} is named twice; name every system once")
    return found


def _parted(spec: str) -> tuple[Path, str]:
    """The folder and the names of parts, which may be none."""
    head, _, tail = spec.rpartition(":")
    return (Path(head), tail) if head and not Path(spec).exists() and Path(head).exists() else (Path(spec), "")


def _spread(engine: Engine, parts: str) -> list[str]:
    retrievers = engine.artifact.pipeline.first.retrievers
    if parts == _ALL and _ALL not in retrievers:
        return list(retrievers)
    return [one.strip() for one in parts.split(",")]


def _served(engine: Engine) -> str:
    pipeline = engine.artifact.pipeline
    return TWO_STAGE if pipeline.ranker is not None else pipeline.source or FUSION


def _names(engines: dict[Path, Engine]) -> dict[Path, str]:
    """What tells artifacts apart: nothing where there is one, their name, their folder's name, or the whole path."""
    if len(engines) == 1:
        return dict.fromkeys(engines, "")
    choices = (
        {folder: engine.artifact.manifest.name for folder, engine in engines.items()},
        {folder: folder.name for folder in engines},
        {folder: str(folder) for folder in engines},
    )
    return next((names for names in choices if len(set(names.values())) == len(engines)), choices[-1])
