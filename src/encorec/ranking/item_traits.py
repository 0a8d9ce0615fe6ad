"""Values of item features as ragged lists per item: what items are compared, counted and capped by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from encorec.compiled import FLOAT64, INT32, INT64, read, record
from encorec.data.features import FeatureTable
from encorec.errors import ArtifactError, ConfigError, unknown_name
from encorec.protocols import Arrays
from encorec.ranking.read_only import read_only
from encorec.types import FloatVector, IntVector

__all__ = ["TRAITS", "ItemTraits", "TraitArrays"]


class TraitArrays(NamedTuple):
    """Arguments of a compiled loop: ``offsets`` (items + 1,) int64, ``code`` (t,) int32, ``weight`` (t,) float64.

    Example:
        >>> TraitArrays(np.array([0, 1]), np.array([0], np.int32), np.ones(1)).code.tolist()
        [0]
    """

    offsets: IntVector
    code: IntVector
    weight: FloatVector


TRAITS = record(TraitArrays, read(INT64), read(INT32), read(FLOAT64))


@dataclass(frozen=True)
class ItemTraits:
    """The tags and categories of every item, numbered over all columns, each with a weight.

    Args:
        arrays: per item its traits and their weights.
        size: number of traits.

    Example:
        >>> from encorec.data.features import Tags
        >>> table = FeatureTable(2, tags={"genres": Tags.of([["war"], ["drama", "war"]])})
        >>> traits = ItemTraits.of(table)
        >>> traits.arrays.code.tolist(), traits.size
        ([1, 0, 1], 2)
        >>> (traits.as_vectors().arrays.weight ** 2).round(2).tolist()
        [1.0, 0.72, 0.28]
    """

    arrays: TraitArrays
    size: int

    @classmethod
    def of(cls, table: FeatureTable, names: Sequence[str] | None = None, *, where: str = "item features") -> Self:
        """The traits of the columns ``names``; none = all tags or, where there are no tags, all categories.

        Args:
            table: features of all items.
            names: columns with tags or categories.
            where: the setting that names them, for errors.

        Raises:
            ConfigError: no such column, or nothing to choose from.
        """
        known = {**table.categorical, **table.tags}
        chosen = list(table.tags or table.categorical) if names is None else list(names)
        for name in chosen:
            if name not in known:
                raise ConfigError(f"{where}: {unknown_name('item feature', name, known)}")
        if not chosen:
            raise ConfigError(f"{where}: the items have neither tags nor categories; add some, or select by relevance")
        owners, codes, size = [], [], 0
        for name in chosen:
            owner, code, values = _column(table, name)
            owners.append(owner)
            codes.append(code.astype(np.int64) + size)
            size += values
        owner, code = np.concatenate(owners), np.concatenate(codes)
        order = np.argsort(owner, kind="stable")
        offsets = np.searchsorted(owner[order], np.arange(table.size + 1)).astype(np.int64)
        return cls(read_only(TraitArrays(offsets, code[order].astype(np.int32), np.ones(len(code)))), size)

    def as_vectors(self) -> Self:
        """Weights by inverse document frequency, so that every item with traits is a vector of length 1.

        A trait of ``d`` among ``n`` items weighs log(1 + n / d), never 0: items of equal traits stay equal.
        """
        offsets, code, _ = self.arrays
        items = len(offsets) - 1
        counts = np.bincount(code, minlength=self.size)
        weight = np.log1p(items / np.maximum(counts, 1))[code]  # sparckjones1972, salton1983
        owner = np.repeat(np.arange(items), np.diff(offsets))
        length = np.sqrt(np.bincount(owner, weight**2, minlength=items))
        return type(self)(read_only(TraitArrays(offsets, code, weight / length[owner])), self.size)

    def as_shares(self) -> Self:
        """Weights that spread every item evenly over its traits."""
        offsets, code, _ = self.arrays
        counts = np.diff(offsets)
        return type(self)(read_only(TraitArrays(offsets, code, 1 / np.repeat(counts, counts))), self.size)

    def named(self, prefix: str) -> Arrays:
        """The arrays by name, to be saved."""
        found: Arrays = {f"{prefix}.{name}": array for name, array in self.arrays._asdict().items()}
        return found | {f"{prefix}.size": np.array([self.size], np.int64)}

    @classmethod
    def restored(cls, prefix: str, arrays: Mapping[str, NDArray[Any]], items: int) -> Self:
        """What ``named`` gave.

        Raises:
            ArtifactError: arrays that do not fit each other or the items.
        """
        offsets, code, weight = (np.asarray(arrays[f"{prefix}.{name}"]) for name in TraitArrays._fields)
        size = int(arrays[f"{prefix}.size"].ravel()[0])
        steps = np.diff(offsets)
        fits = len(offsets) == items + 1 and offsets[0] == 0 and offsets[-1] == len(code) == len(weight)
        if not fits or np.any(steps < 0) or (len(code) and not 0 <= code.min() <= code.max() < size):
            raise ArtifactError(f"{prefix}: traits do not fit the {items} items; train again")
        plain = TraitArrays(offsets.astype(np.int64), code.astype(np.int32), weight.astype(np.float64))
        return cls(read_only(plain), size)


def _column(table: FeatureTable, name: str) -> tuple[IntVector, IntVector, int]:
    """Item and value of every entry of one column, and the number of its values."""
    if name in table.tags:
        tags = table.tags[name]
        return tags.lists.owner, tags.lists.item, len(tags.values)
    category = table.categorical[name]
    owner = np.flatnonzero(category.code >= 0)
    return owner, category.code[owner], len(category.values)
