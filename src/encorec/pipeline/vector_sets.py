"""Vectors of queries and items to compare indexes on: an artifact's own, or those of a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from encorec.errors import DataError, QueryError, unknown_name
from encorec.pipeline.artifact import Artifact
from encorec.pipeline.query_building import stored_queries
from encorec.retrieval.item_vectors import ItemVectors
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, IntVector

__all__ = ["VectorSet", "artifact_vectors", "file_vectors"]


@dataclass(frozen=True)
class VectorSet:
    """What is searched, and what for.

    Args:
        name: for people.
        users: (n, size) float32, none of zeros.
        vectors: of the items.
    """

    name: str
    users: FloatMatrix
    vectors: ItemVectors


def artifact_vectors(artifact: Artifact, source: str | None, queries: int, seed: int) -> VectorSet:
    """Item vectors of a retriever, and what it makes of the stored histories of some users, drawn at random.

    Args:
        artifact: to look into.
        source: name of the retriever; none = the first one with vectors.
        queries: users at most; those of whom it knows nothing are left out.
        seed: of the draw.

    Raises:
        QueryError: no such retriever, one without vectors, or no user that it knows anything of.
    """
    retrievers = artifact.pipeline.first.retrievers
    able = {name: one for name, one in retrievers.items() if isinstance(one, VectorRetriever)}
    if not able:
        raise QueryError("no retriever of this artifact has vectors; add one of kind als, or give --vectors FILE")
    if source is not None and source not in retrievers:
        raise QueryError(unknown_name("source", source, able))
    if source is not None and source not in able:
        raise QueryError(f"source {source!r} has no vectors; allowed: {', '.join(sorted(able))}")
    name = next(iter(able)) if source is None else source
    active = np.flatnonzero(artifact.histories.lengths > 0)
    drawn = _drawn(len(active), queries, seed)
    users = able[name].encode(stored_queries(artifact, active[drawn], artifact.data_end))
    users = users[users.any(axis=1)]
    if not len(users):
        raise QueryError(f"source {name!r} knows nothing of any of {len(drawn)} users, so there is nothing to ask")
    return VectorSet(name, users, able[name].vectors)


def file_vectors(items: str | Path, users: str | Path | None, queries: int, seed: int) -> VectorSet:
    """Vectors of a .npy file, and queries of another or some of the vectors themselves, drawn at random.

    Args:
        items: file of (items, size) numbers.
        users: file of (n, size) numbers; none = the items themselves.
        queries: at most; vectors of zeros are left out.
        seed: of the draw.

    Raises:
        DataError: a file that holds something else.
    """
    table = _read(Path(items))
    asked = table if users is None else _read(Path(users))
    if asked.shape[1] != table.shape[1]:
        raise DataError(f"{users}: vectors of {asked.shape[1]} numbers, those of {items} have {table.shape[1]}")
    known = np.flatnonzero(asked.any(axis=1))
    if not len(known):
        raise DataError(f"{items if users is None else users}: all vectors are zeros, so there is nothing to ask")
    chosen = known[_drawn(len(known), queries, seed)]
    vectors = ItemVectors.of(np.ascontiguousarray(table.T), np.full(len(table), -1, np.float32))
    return VectorSet(Path(items).name, asked[chosen], vectors)


def _drawn(n: int, limit: int, seed: int) -> IntVector:
    return np.arange(n) if n <= limit else np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))


def _read(path: Path) -> FloatMatrix:
    """(n, size) float32."""
    try:
        table: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as a .npy file of numbers ({error})") from error
    shape = getattr(table, "shape", "an archive")
    if len(shape) != 2 or table.dtype.kind not in "fiu" or not table.size:
        raise DataError(f"{path}: holds {shape}, allowed is a table of numbers, one row per vector")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(table, np.float32)
    wrong = np.flatnonzero(~np.isfinite(numbers).all(axis=1))
    if len(wrong):
        raise DataError(
            f"{path}: {len(wrong)} vectors are not finite float32 numbers (first: row {wrong[0]}); fix or drop them"
        )
    return numbers
