"""Features as columns of numbers: 0 and 1 for every category and tag, numbers in standard deviations."""

from typing import NamedTuple

import numpy as np

from encorec.data.features import FeatureTable
from encorec.errors import ConfigError, unknown_name
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["DenseColumns", "feature_matrix"]

LARGEST = 5.0  # standard deviations; what lies beyond counts as this


class DenseColumns(NamedTuple):
    """How rows of ``FeatureTable.dense`` become c columns of numbers.

    ``column`` (c,) int64 place in the row; ``code`` (c,) float32 the category that is 1, or -1 for a number; ``mean``
    and ``scale`` (c,) float32 of the numbers.
    """

    column: IntVector
    code: FloatVector
    mean: FloatVector
    scale: FloatVector

    @classmethod
    def of(cls, features: FeatureTable, names: tuple[str, ...], where: str) -> "DenseColumns":
        """For the features of these names, in their order.

        Args:
            features: of all entities.
            names: numeric or categorical features.
            where: component and field, for errors.

        Raises:
            ConfigError: no such feature.

        Example:
            >>> from encorec.data.features import Categories
            >>> table = FeatureTable(2, {"age": np.array([20, 40])}, {"sex": Categories.of(["F", "M"])})
            >>> columns = DenseColumns.of(table, ("age", "sex"), "als: user_features")
            >>> columns.encode(table.dense()).tolist()
            [[-1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
        """
        rows: list[tuple[float, float, float, float]] = []
        for name in names:
            if name not in features.dense_names:
                raise ConfigError(f"{where}: " + unknown_name("feature", name, features.dense_names))
            place = features.dense_names.index(name)
            if name in features.categorical:
                rows += [(place, code, 0.0, 1.0) for code in range(len(features.categorical[name].values))]
            else:
                rows.append((place, -1.0, *_spread(features.numeric[name])))
        table = np.array(rows, np.float64).reshape(-1, 4)
        code, mean, scale = table[:, 1:].T.astype(np.float32)
        return cls(table[:, 0].astype(np.int64), code, mean, scale)

    def encode(self, dense: FloatMatrix) -> FloatMatrix:
        """(n, F) features with NaN where unknown -> (n, c) float32, 0 where unknown."""
        value = np.asarray(dense, np.float32)[:, self.column]
        number = np.clip((value - self.mean) / self.scale, -LARGEST, LARGEST)
        return np.nan_to_num(np.where(self.code < 0, number, value == self.code)).astype(np.float32)


def feature_matrix(features: FeatureTable, names: tuple[str, ...], where: str) -> FloatMatrix:
    """(n, c) float32 columns of any features, tags included, in the order of ``names``.

    Args:
        features: of n entities.
        names: numeric, categorical or tags.
        where: component and field, for errors.

    Raises:
        ConfigError: no such feature.

    Example:
        >>> from encorec.data.features import Tags
        >>> feature_matrix(FeatureTable(2, tags={"genre": Tags.of([["war"], []])}), ("genre",), "als: item_features")
        array([[1.], [0.]], dtype=float32)
    """
    known, dense = (*features.dense_names, *features.tags), features.dense()
    parts = [np.zeros((features.size, 0), np.float32)]
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: " + unknown_name("feature", name, known))
        if name in features.tags:
            parts.append(features.tags[name].matrix())
        else:
            parts.append(DenseColumns.of(features, (name,), where).encode(dense))
    return np.concatenate(parts, axis=1)


def _spread(numbers: FloatVector) -> tuple[float, float]:
    """Mean and standard deviation of what is known; 1 where it does not vary."""
    known = numbers[np.isfinite(numbers)].astype(np.float64)
    if not len(known):
        return 0.0, 1.0
    return float(known.mean()), float(known.std()) or 1.0
