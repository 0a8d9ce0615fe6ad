"""A service over a trained artifact whose parts fail while a file of their name exists.

    python -m tests.end_to_end.faulty_service ARTIFACT SWITCHES SETTINGS

SWITCHES is a folder: ``knn`` breaks this source, ``sources`` all of them, ``ranker`` the ranker, ``slow`` makes the
ranker sleep 200 ms, ``engine`` breaks the engine itself, ``heavy`` makes every answer of the ranker cost 20 ms.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from encorec.config import decode
from encorec.pipeline.engine import Engine, load_engine
from encorec.serving.server import run
from encorec.serving.settings import Settings

SLOW, HEAVY = 0.2, 0.02


class Switches:
    """Which faults are on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on(self, *names: str) -> bool:
        return any((self._folder / name).exists() for name in names)


class FaultySource:
    """A source that raises while it is told to."""

    def __init__(self, inner: Any, name: str, switches: Switches) -> None:
        self._inner, self._name, self._switches = inner, name, switches

    def retrieve(self, queries: Any, n: int) -> Any:
        return self._inner.retrieve(queries, n)

    def scores(self, queries: Any) -> Any:
        if self._switches.on(self._name, "sources"):
            raise OSError(f"source {self._name} is gone")
        return self._inner.scores(queries)


class FaultyRanker:
    """A ranker that raises or sleeps while it is told to."""

    def __init__(self, inner: Any, switches: Switches) -> None:
        self._inner, self._switches = inner, switches

    def score(self, features: Any) -> Any:
        if self._switches.on("ranker"):
            raise RuntimeError("the ranker is torn")
        time.sleep(SLOW if self._switches.on("slow") else HEAVY if self._switches.on("heavy") else 0)
        return self._inner.score(features)

    def save(self, folder: Path) -> None:
        self._inner.save(folder)


class FaultyEngine(Engine):
    """An engine that raises while it is told to."""

    def __init__(self, artifact: Any, switches: Switches) -> None:
        super().__init__(artifact)
        self._switches = switches

    def recommend(self, *given: Any, **how: Any) -> Any:
        if self._switches.on("engine"):
            raise MemoryError("the engine is out of order")
        return super().recommend(*given, **how)


def faulty(engine: Engine, switches: Switches) -> Engine:
    """The engine with every part under a switch."""
    pipeline = engine.artifact.pipeline
    sources = {name: FaultySource(one, name, switches) for name, one in pipeline.first.retrievers.items()}
    first = replace(pipeline.first, retrievers=sources)
    changed = replace(pipeline, first=first, ranker=FaultyRanker(pipeline.ranker, switches), routing=None)
    return FaultyEngine(replace(engine.artifact, pipeline=changed), switches)


def main(artifact: str, folder: str, settings: str) -> None:
    switches = Switches(Path(folder))
    run(faulty(load_engine(artifact), switches), decode(msgspec.json.decode(settings), Settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
