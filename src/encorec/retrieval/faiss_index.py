"""Approximate search by faiss, whose only user this is.

What is kept of an index are plain arrays: the links of the graph, or the centroids and the list of each item. They are
checked before faiss sees them, for its own reader of saved indexes trusts its input, and the vectors are not stored
twice. Building runs on one thread, so that a seed gives one index.
"""

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from encorec.errors import ArtifactError, MissingExtra
from encorec.protocols import Arrays
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.item_vectors import ItemVectors
from encorec.types import FloatMatrix, FloatVector, IntVector

try:
    import faiss as _faiss
except ImportError as error:
    raise MissingExtra("faiss-cpu", "ann") from error

__all__ = ["GraphIndex", "ListIndex", "learn_graph", "learn_lists"]

faiss: Any = _faiss

ROWS_PER_LIST = 64  # of the sample that centroids are learnt from


class GraphIndex:
    """A graph of neighbours that is walked greedily towards higher inner products.

    Over the vectors with their bias as they are: a graph over vectors made equally long, as ``ListIndex`` has them,
    finds far less where lengths differ much. Sources: malkov2020, morozov2018.

    Args:
        config: ``ef_search`` says how far it looks.
        arrays: of ``learn_graph``.
        vectors: the same items.

    Raises:
        ArtifactError: arrays that do not fit each other or the items.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> index = GraphIndex(IndexConfig(), learn_graph(IndexConfig(), vectors, seed=0), vectors)
        >>> index.near(np.array([0, 0, 1], np.float32), 1).tolist()
        [2]
    """

    def __init__(self, config: IndexConfig, arrays: Arrays, vectors: ItemVectors) -> None:
        self._known = vectors.known.astype(np.int32)
        index, graph = _empty_graph(config, vectors), _columns(arrays, "levels", "neighbors", "entry")
        levels, neighbors, entry = graph
        widths = faiss.vector_to_array(index.hnsw.cum_nneighbor_per_level)
        offsets = _check_graph(levels, neighbors, entry, widths, len(self._known))
        faiss.copy_array_to_vector(levels, index.hnsw.levels)
        faiss.copy_array_to_vector(offsets.astype(np.uint64), index.hnsw.offsets)
        faiss.copy_array_to_vector(neighbors, index.hnsw.neighbors)
        index.hnsw.entry_point, index.hnsw.max_level = int(entry[0]), int(levels.max()) - 1
        index.storage.add(_graph_points(vectors, self._known))
        index.ntotal = len(self._known)
        index.hnsw.efSearch = config.ef_search
        self._index = index

    def near(self, user: FloatVector, count: int) -> IntVector:
        """Up to ``count`` items that may have high products with (size,) float32."""
        return _search(self._index, np.append(user, np.float32(1)), self._known, count)


class ListIndex:
    """Lists of items around centroids, of which the nearest are looked through.

    Of vectors made equally long by one more number, for which the nearest is the one of highest product: bachrach2014.
    The query is made as long as they are: that leaves the order of items as it is, but not that of centroids, of which
    a short query finds the shortest near.

    Args:
        config: ``probes`` says how many lists are looked through.
        arrays: of ``learn_lists``.
        vectors: the same items.

    Raises:
        ArtifactError: arrays that do not fit each other or the items.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> index = ListIndex(IndexConfig(), learn_lists(IndexConfig(lists=2), vectors, seed=0), vectors)
        >>> index.near(np.array([0, 0, 1], np.float32), 1).tolist()
        [2]
    """

    def __init__(self, config: IndexConfig, arrays: Arrays, vectors: ItemVectors) -> None:
        self._known = vectors.known.astype(np.int32)
        points = _list_points(vectors, self._known)
        centroids, own = _columns(arrays, "centroids", "list")
        _check_lists(centroids, own, points)
        self._centroids = faiss.IndexFlatL2(points.shape[1])
        self._centroids.add(centroids)
        index = faiss.IndexIVFFlat(self._centroids, points.shape[1], len(centroids))
        index.is_trained = True
        numbers = np.arange(len(points), dtype=np.int64)
        lists = own.astype(np.int64)
        index.add_core(len(points), *(faiss.swig_ptr(one) for one in (points, numbers, lists)))
        index.nprobe = min(config.probes, len(centroids))
        self._index = index
        self._length = float(np.linalg.norm(points[0].astype(np.float64)))
        self._bias = np.float32(points[:, -2].any())  # where no item has one, its place in the query stays empty

    def near(self, user: FloatVector, count: int) -> IntVector:
        """Up to ``count`` items that may have high products with (size,) float32."""
        point = np.append(user, np.array([self._bias, 0], np.float32)).astype(np.float64)
        point *= self._length / max(float(np.linalg.norm(point)), 1e-30)
        return _search(self._index, point.astype(np.float32), self._known, count)


def learn_graph(config: IndexConfig, vectors: ItemVectors, seed: int) -> Arrays:
    """``index_levels`` (m,) int32, ``index_neighbors`` (links,) int32 and ``index_entry`` (1,) int32 of m items.

    Args:
        config: ``links`` and ``ef_construction``.
        vectors: of the items; m of them have one.
        seed: of the levels.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> sorted(learn_graph(IndexConfig(), vectors, seed=0))
        ['index_entry', 'index_levels', 'index_neighbors']
    """
    index = _empty_graph(config, vectors)
    index.hnsw.rng = faiss.RandomGenerator(seed)
    with threadpool_limits(limits=1):
        index.add(_graph_points(vectors, vectors.known))
    return {
        "index_levels": faiss.vector_to_array(index.hnsw.levels),
        "index_neighbors": faiss.vector_to_array(index.hnsw.neighbors),
        "index_entry": np.array([index.hnsw.entry_point], np.int32),
    }


def learn_lists(config: IndexConfig, vectors: ItemVectors, seed: int) -> Arrays:
    """``index_centroids`` (lists, size + 2) float32 and ``index_list`` (m,) int32, the list of each of m items.

    Args:
        config: ``lists``.
        vectors: of the items; m of them have one.
        seed: of the first centroids.

    Example:
        >>> vectors = ItemVectors.of(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
        >>> learn_lists(IndexConfig(lists=2), vectors, seed=0)["index_centroids"].shape
        (2, 5)
    """
    points = _list_points(vectors, vectors.known)
    lists = min(config.lists or int(4 * len(points) ** 0.5), len(points))
    with threadpool_limits(limits=1):
        means = faiss.Kmeans(
            points.shape[1], lists, seed=seed, min_points_per_centroid=1, max_points_per_centroid=ROWS_PER_LIST
        )
        means.train(points)
        _, own = means.index.search(points, 1)
    return {"index_centroids": np.array(means.centroids), "index_list": own[:, 0].astype(np.int32)}


def _empty_graph(config: IndexConfig, vectors: ItemVectors) -> Any:
    index = faiss.IndexHNSWFlat(vectors.row.shape[1], config.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = config.ef_construction
    return index


def _graph_points(vectors: ItemVectors, known: IntVector) -> FloatMatrix:
    """(m, size + 1) float32 vectors with their bias."""
    return np.ascontiguousarray(vectors.row[known])


def _list_points(vectors: ItemVectors, known: IntVector) -> FloatMatrix:
    """(m, size + 2) float32 vectors with their bias, and what makes them all as long as the longest."""
    row = vectors.row[known]
    square = (row.astype(np.float64) ** 2).sum(axis=1)
    rest = np.sqrt(square.max() - square).astype(np.float32)
    return np.concatenate([row, rest[:, None]], axis=1)


def _search(index: Any, point: FloatVector, known: IntVector, count: int) -> IntVector:
    found = index.search(point[None, :], min(count, len(known)))[1][0] if count else np.empty(0, np.int64)
    return known[found[found >= 0]]


def _columns(arrays: Arrays, *names: str) -> list[Any]:
    """Plain copies of the index arrays of these names.

    Raises:
        ArtifactError: one is missing or of another kind.
    """
    columns: list[Any] = []
    for name in names:
        kind = np.float32 if name == "centroids" else np.int32
        array = arrays.get(f"index_{name}")
        if array is None or array.dtype != kind or array.ndim != (2 if name == "centroids" else 1):
            raise ArtifactError(f"index_{name} is missing or not of {kind.__name__}; train again")
        columns.append(np.array(array))
    return columns


def _check_graph(levels: IntVector, neighbors: IntVector, entry: IntVector, widths: IntVector, items: int) -> IntVector:
    """(m + 1,) int64 offsets of the links of each item, once every link leads to an item of its level.

    Raises:
        ArtifactError: one does not.
    """
    if len(levels) != items or not 1 <= levels.min() <= levels.max() < len(widths):
        raise ArtifactError(f"index_levels has {len(levels)} values for {items} items with a vector; train again")
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(widths[levels], dtype=np.int64)])
    if len(neighbors) != offsets[-1] or not -1 <= neighbors.min() <= neighbors.max() < items:
        raise ArtifactError(f"index_neighbors does not fit a graph of {items} items; train again")
    if len(entry) != 1 or not 0 <= entry[0] < items or levels[entry[0]] != levels.max():
        raise ArtifactError("index_entry is not an item of the highest level; train again")
    for level in range(int(levels.max())):
        start = offsets[:-1][levels > level] + widths[level]
        linked = neighbors[start[:, None] + np.arange(widths[level + 1] - widths[level])]
        if (levels[linked[linked >= 0]] <= level).any():
            raise ArtifactError("index_neighbors leads to items of lower levels; train again")
    return offsets


def _check_lists(centroids: FloatMatrix, own: IntVector, points: FloatMatrix) -> None:
    if len(own) != len(points) or centroids.shape[1] != points.shape[1] or not np.isfinite(centroids).all():
        raise ArtifactError(f"index_list has {len(own)} values for {len(points)} items with a vector; train again")
    if not 0 <= own.min() <= own.max() < len(centroids):
        raise ArtifactError(f"index_list numbers lists beyond the {len(centroids)} of the index; train again")
