"""Scoring with ordinary trees: the same sums as LightGBM's own, without LightGBM."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.errors import QueryError
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["BranchingTrees"]

_ZERO = float(np.float32(1e-35))  # kZeroThreshold of LightGBM
_LEFT, _MISSING_ZERO, _MISSING_NAN = 2, 4, 8  # bits of LightGBM's decision_type
_KNOWN = _LEFT | _MISSING_ZERO | _MISSING_NAN
_NODE, _TREE = ("feature", "threshold", "decision", "left", "right"), ("value",)


class BranchingTrees:
    """Trees whose nodes each ask a question of their own: is the value at most the threshold?

    Args:
        content: ``width`` features, and ``trees``: the nodes of each (``feature``, ``threshold``, ``decision``,
            ``left``, ``right``) and the ``value`` of its leaves. A child below 0 is the leaf ``~child``; ``decision``
            holds LightGBM's bits: 2 = a missing value goes left, 4 = zero is missing, 8 = NaN is missing.

    Raises:
        ValueError: trees that are none.

    Example:
        >>> node = {"feature": [0], "threshold": [0.5], "decision": [10], "left": [-1], "right": [-2]}
        >>> trees = BranchingTrees({"width": 1, "trees": [{**node, "value": [1.0, 3.0]}]})
        >>> trees.score(np.array([[0.9], [np.nan]], np.float32)).tolist()
        [3.0, 1.0]
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        trees = content["trees"]
        self._width = int(content["width"])
        self._node = _offsets(trees, "feature")
        self._leaf = _offsets(trees, "value")
        self._feature, self._left, self._right = (_joined(trees, name, np.int32) for name in ("feature", *_NODE[3:]))
        self._threshold, self._value = (_joined(trees, name, np.float64) for name in ("threshold", "value"))
        self._decision = _joined(trees, "decision", np.int32)
        self._check()

    def __len__(self) -> int:
        return len(self._node) - 1

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64; NaN goes where LightGBM sends it.

        Raises:
            QueryError: not as many features as the trees were grown on.
        """
        if features.ndim != 2 or features.shape[1] != self._width:
            raise QueryError(f"features have the shape {features.shape}, the trees were grown on (rows, {self._width})")
        total = np.zeros(len(features))
        rows = np.ascontiguousarray(features, np.float32)
        nodes = (self._feature, self._threshold, self._decision, self._left, self._right)
        _add_leaves(rows, self._node, *nodes, self._leaf, self._value, total)
        return total

    def _check(self) -> None:
        """Walks must end inside: children come after their parents, features and leaves exist."""
        size = len(self._feature)
        if any(len(one) != size for one in (self._threshold, self._decision, self._left, self._right)):
            raise ValueError("nodes with parts missing")
        nodes, leaves = np.diff(self._node), np.diff(self._leaf)
        if np.any(leaves != nodes + 1):
            raise ValueError("trees whose leaves are not one more than their nodes")
        if not np.isin(self._decision, [bits for bits in range(_KNOWN + 1) if bits & _KNOWN == bits]).all():
            raise ValueError("questions of an unknown kind")
        if size and not 0 <= self._feature.min() <= self._feature.max() < self._width:
            raise ValueError("questions about a feature that is not there")
        own = np.arange(size) - np.repeat(self._node[:-1], nodes)
        count = np.repeat(nodes, nodes)
        for child in (self._left, self._right):
            if np.any((child >= 0) & ((child <= own) | (child >= count))) or np.any(~child > count):
                raise ValueError("children that are not there")


def _offsets(trees: Sequence[Mapping[str, Any]], name: str) -> IntVector:
    return np.cumsum([0] + [len(tree[name]) for tree in trees]).astype(np.int64)


def _joined(trees: Sequence[Mapping[str, Any]], name: str, kind: type[np.generic]) -> Any:
    return np.array(list(chain.from_iterable(tree[name] for tree in trees)), kind)


@compiled(
    read(FLOAT32, 2), read(INT64), read(INT32), read(FLOAT64), read(INT32), read(INT32), read(INT32), read(INT64),
    read(FLOAT64), write(FLOAT64),
)  # fmt: skip
def _add_leaves(
    features: FloatMatrix,
    node: IntVector,
    feature: IntVector,
    threshold: FloatVector,
    decision: IntVector,
    left: IntVector,
    right: IntVector,
    leaf: IntVector,
    value: FloatVector,
    total: FloatVector,
) -> None:
    """Add every tree's leaf of every row to ``total``, in blocks of rows, tree after tree; ke2017.

    Args:
        features: (m, F) float32.
        node: (trees + 1,) int64 offsets of each tree's nodes.
        feature: (s,) int32 column asked by each node, with threshold (s,) float64: is the value at most that?
        threshold: as ``feature``.
        decision: (s,) int32 bits: where missing values go, and which are missing.
        left: (s,) int32 next node of the tree, or ``~leaf``; right likewise.
        right: as ``left``.
        leaf: (trees + 1,) int64 offsets of each tree's leaves in value (v,).
        value: as ``leaf``.
        total: (m,) float64, added to.
    """
    size = 256
    for start in range(0, len(total), size):
        stop = min(start + size, len(total))
        for tree in range(len(node) - 1):
            first, leaves = node[tree], leaf[tree]
            root = 0 if node[tree + 1] > first else -1
            for row in range(start, stop):
                at = root
                while at >= 0:
                    place = first + at
                    told, bits = np.float64(features[row, feature[place]]), decision[place]
                    unknown = np.isnan(told)
                    if unknown and not bits & 8:
                        told, unknown = 0.0, False
                    if unknown or (bits & 4 and abs(told) <= _ZERO):
                        goes_left = (bits & 2) != 0
                    else:
                        goes_left = told <= threshold[place]
                    at = left[place] if goes_left else right[place]
                total[row] += value[leaves + ~at]
