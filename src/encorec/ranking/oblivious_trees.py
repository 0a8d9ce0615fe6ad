"""Scoring with oblivious trees: the same sums as CatBoost's own, without its set-up of each call."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from encorec.compiled import FLOAT32, FLOAT64, INT32, INT64, compiled, read, write
from encorec.errors import QueryError
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["ObliviousTrees"]


class ObliviousTrees:
    """Trees whose levels each ask one question of every row.

    Args:
        content: a CatBoost model of numeric features, as its JSON export.

    Raises:
        ValueError: a tree whose leaves are not 2 to the power of its splits.

    Example:
        >>> split = {"float_feature_index": 0, "border": 0.5}
        >>> tree = {"splits": [split], "leaf_values": [1.0, 3.0]}
        >>> features = {"float_features": [{"flat_feature_index": 0}]}
        >>> content = {"features_info": features, "oblivious_trees": [tree], "scale_and_bias": [1, [0.5]]}
        >>> ObliviousTrees(content).score(np.array([[0.9], [np.nan]], np.float32)).tolist()
        [3.5, 1.5]
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        trees = content["oblivious_trees"]
        column = {
            place: one["flat_feature_index"] for place, one in enumerate(content["features_info"]["float_features"])
        }
        self._width = len(column)
        splits = [split for tree in trees for split in tree["splits"]]
        self._feature = np.array([column[split["float_feature_index"]] for split in splits], np.int32)
        self._border = np.array([split["border"] for split in splits], np.float32)
        self._split = np.cumsum([0] + [len(tree["splits"]) for tree in trees]).astype(np.int64)
        self._leaf = np.cumsum([0] + [len(tree["leaf_values"]) for tree in trees]).astype(np.int64)
        self._value = np.array([value for tree in trees for value in tree["leaf_values"]], np.float64)
        if any(len(tree["leaf_values"]) != 1 << len(tree["splits"]) for tree in trees):
            raise ValueError("a tree whose leaves are not 2 to the power of its splits")
        if any(not 0 <= one < self._width for one in column.values()):
            raise ValueError("questions about a feature that is not there")
        scale, (bias,) = content["scale_and_bias"]
        self._scale, self._bias = float(scale), float(bias)

    def __len__(self) -> int:
        return len(self._split) - 1

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32, columns contiguous for speed -> (m,) float64; NaN answers every question with no.

        Raises:
            QueryError: not as many features as the trees were grown on.
        """
        if features.ndim != 2 or features.shape[1] != self._width:
            raise QueryError(f"features have the shape {features.shape}, the trees were grown on (rows, {self._width})")
        total = np.zeros(len(features))
        columns = np.ascontiguousarray(features.T, np.float32)
        _add_leaves(columns, self._feature, self._border, self._split, self._leaf, self._value, total)
        return total * self._scale + self._bias


@compiled(
    read(FLOAT32, 2), read(INT32), read(FLOAT32), read(INT64), read(INT64), read(FLOAT64), write(FLOAT64)
)  # fmt: skip
def _add_leaves(
    features: FloatMatrix,
    feature: IntVector,
    border: FloatVector,
    split: IntVector,
    leaf: IntVector,
    value: FloatVector,
    total: FloatVector,
) -> None:
    """Add every tree's leaf of every row to ``total``, block by block so that a block stays in the cache.

    Args:
        features: (F, m) float32.
        feature: (s,) int32 column asked by each split, with border (s,) float32: is the value above it?
        split: (trees + 1,) int64 offsets of each tree's splits, leaf (trees + 1,) of its leaves in value (v,).
        total: (m,) float64, added to.
    """
    size = 512
    reached = np.empty(size, np.int32)
    for start in range(0, len(total), size):
        rows = min(size, len(total) - start)
        for tree in range(len(split) - 1):
            reached[:] = 0
            for level in range(split[tree + 1] - split[tree]):
                place = split[tree] + level
                column, limit = features[feature[place], start : start + rows], border[place]
                for row in range(rows):
                    reached[row] |= np.int32(column[row] > limit) << np.int32(level)
            leaves, sums = value[leaf[tree] : leaf[tree + 1]], total[start : start + rows]
            for row in range(rows):
                sums[row] += leaves[reached[row]]
