"""How the items nearest to a query's vector are found: by looking at all, or by an index that looks at some."""

from importlib.util import find_spec
from typing import Literal, Protocol

import numpy as np

from encorec.config import Config, bounded
from encorec.protocols import Arrays
from encorec.retrieval.item_vectors import ItemVectors
from encorec.types import FloatVector, IntVector

__all__ = ["IndexConfig", "ItemIndex", "index_kind", "learn_index", "restore_index"]

IndexKind = Literal["exact", "hnsw", "ivf"]


class IndexConfig(Config):
    """How a vector model searches its items. A field ``index`` of the model's own config.

    Exact search has recall 1 and is the faster one for small catalogues. An index proposes, exact inner products
    order what it proposes, and where it does not fill a list the search is exact: lists are never short.

    Args:
        kind: exact; hnsw, a graph of neighbours; ivf, lists around centroids; auto = exact for small catalogues and
            where faiss is not installed when the model is fitted, else ivf, which is built sooner and, of vectors of
            unequal length, finds more in less time (``encorec ann-report`` says what holds for one's own).
        exact_below: items with a vector up to which auto is exact.
        links: neighbours of an item in the graph.
        ef_construction: items held in view while the graph is built.
        ef_search: items held in view during a search: more find more and take longer.
        lists: of ivf; none = four times the square root of the number of items.
        probes: lists of ivf looked through during a search: more find more and take longer.

    Example:
        >>> IndexConfig(kind="hnsw", ef_search=256).links
        16
    """

    kind: Literal["auto", "exact", "hnsw", "ivf"] = "auto"
    exact_below: int = 100_000
    links: int = 16
    ef_construction: int = 100
    ef_search: int = 128
    lists: int | None = None
    probes: int = 32

    def __post_init__(self) -> None:
        bounded(self, exact_below=(0, 10**9), links=(2, 512), ef_construction=(1, 10**5), ef_search=(1, 10**6))
        bounded(self, lists=(1, 10**6), probes=(1, 10**6))


class ItemIndex(Protocol):
    """Finds items near a query's vector without looking at all."""

    def near(self, user: FloatVector, count: int) -> IntVector:
        """Up to ``count`` items with a vector, int32 and none twice, that may have high products with (size,)."""
        ...


def index_kind(config: IndexConfig, items: int) -> IndexKind:
    """What ``auto`` means for so many items with a vector.

    Example:
        >>> index_kind(IndexConfig(), 99_999), index_kind(IndexConfig(kind="ivf"), 10)
        ('exact', 'ivf')
    """
    if config.kind != "auto":
        return config.kind
    return "ivf" if items > config.exact_below and find_spec("faiss") is not None else "exact"


def learn_index(config: IndexConfig, vectors: ItemVectors, rng: np.random.Generator) -> Arrays:
    """The arrays of the index, named ``index_...``; none for exact search. They hold no copy of the vectors.

    Args:
        config: which, and how.
        vectors: of the items.
        rng: of the levels of the graph, or of the first centroids.

    Raises:
        MissingExtra: faiss is asked for and not installed.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> learn_index(IndexConfig(), vectors, np.random.default_rng(0))
        {}
    """
    known = len(vectors.known)
    kind = index_kind(config, known)
    if kind == "exact" or not known:
        return {}
    from encorec.retrieval.faiss_index import learn_graph, learn_lists

    seed = int(rng.integers(2**31))
    return learn_graph(config, vectors, seed) if kind == "hnsw" else learn_lists(config, vectors, seed)


def restore_index(config: IndexConfig, arrays: Arrays, vectors: ItemVectors) -> ItemIndex | None:
    """The index that ``learn_index`` learnt, or none where the search is exact.

    Args:
        config: how far it looks.
        arrays: with or without arrays named ``index_...``.
        vectors: of the items, the same as then.

    Raises:
        ArtifactError: the arrays do not fit each other or the items.
        MissingExtra: faiss is not installed.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> restore_index(IndexConfig(), {}, vectors) is None
        True
    """
    if not any(name.startswith("index_") for name in arrays):
        return None
    from encorec.retrieval.faiss_index import GraphIndex, ListIndex

    return (GraphIndex if "index_neighbors" in arrays else ListIndex)(config, arrays, vectors)
