"""Feature columns of users or items in figures: what stands in them, how often, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from encorec.data.features import FeatureTable
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["Column", "Value", "columns_of"]

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Value:
    """One value of a category or one tag.

    Args:
        name: the value.
        entities: how many users or items have it.
        share: of all users or items.
        rows_share: share of all interactions that are theirs.

    Example:
        >>> Value("drama", 12, 0.5, 0.75).name
        'drama'
    """

    name: str
    entities: int
    share: float
    rows_share: float


@dataclass(frozen=True)
class Column:
    """One feature of users or items.

    Args:
        name: of the feature.
        kind: a ``number``, a ``category`` or ``tags``.
        missing: share of all entities without a value.
        missing_active: the same among entities that have interactions.
        missing_rows: share of interactions whose entity has no value.
        distinct: different values that occur.
        values: of a category or tags: all that occur, the most frequent first.
        numbers: of a number: (n,) the known values, else empty.
        quantiles: of a number: name -> value.

    Example:
        >>> table = FeatureTable(2, numeric={"age": np.array([30, np.nan], np.float32)})
        >>> [column] = columns_of(table, np.array([1, 3]))
        >>> column.missing, column.missing_rows, column.quantiles["50%"]
        (0.5, 0.75, 30.0)
    """

    name: str
    kind: Literal["number", "category", "tags"]
    missing: float
    missing_active: float
    missing_rows: float
    distinct: int
    values: tuple[Value, ...]
    numbers: FloatVector
    quantiles: dict[str, float]


def columns_of(table: FeatureTable, counts: IntVector) -> list[Column]:
    """Every feature of the table, in its order.

    Args:
        table: features of n users or items.
        counts: (n,) interactions of each.

    Example:
        >>> from encorec.data.features import Tags
        >>> shelf = FeatureTable(3, tags={"genre": Tags.of([["drama", "war"], ["drama"], []])})
        >>> [(one.name, one.entities, one.rows_share) for one in columns_of(shelf, np.array([1, 1, 2]))[0].values]
        [('drama', 2, 0.5), ('war', 1, 0.25)]
    """
    return [*_numbers(table, counts), *_categories(table, counts), *_tags(table, counts)]


def _numbers(table: FeatureTable, counts: IntVector) -> Iterator[Column]:
    for name, column in table.numeric.items():
        known = column[np.isfinite(column)].astype(np.float64)
        quantiles: dict[str, float] = {}
        if len(known):
            found = np.quantile(known, QUANTILES)
            quantiles = {f"{one:.0%}": float(value) for one, value in zip(QUANTILES, found, strict=True)}
            quantiles["mean"] = float(known.mean())
        distinct = len(np.unique(known))
        yield Column(name, "number", *_missing(~np.isfinite(column), counts), distinct, (), known, quantiles)


def _categories(table: FeatureTable, counts: IntVector) -> Iterator[Column]:
    for name, column in table.categorical.items():
        known = column.code >= 0
        values = _values(column.values, column.code[known], counts[known], table.size, counts)
        missing = _missing(~known, counts)
        yield Column(name, "category", *missing, len(values), values, np.empty(0), {})


def _tags(table: FeatureTable, counts: IntVector) -> Iterator[Column]:
    for name, column in table.tags.items():
        values = _values(column.values, column.lists.item, counts[column.lists.owner], table.size, counts)
        missing = _missing(column.lists.lengths == 0, counts)
        yield Column(name, "tags", *missing, len(values), values, np.empty(0), {})


def _values(
    names: tuple[str, ...], code: IntVector, rows: IntVector, size: int, counts: IntVector
) -> tuple[Value, ...]:
    """Of (m,) codes and the interactions of their entities, the most frequent value first."""
    entities = np.bincount(code, minlength=len(names))
    theirs = np.bincount(code, rows, minlength=len(names))
    total = max(int(counts.sum()), 1)
    order = np.argsort(-entities, kind="stable")
    return tuple(
        Value(names[one], int(entities[one]), float(entities[one] / size), float(theirs[one] / total))
        for one in order[entities[order] > 0]
    )


def _missing(absent: BoolVector, counts: IntVector) -> tuple[float, float, float]:
    """Share of (n,) ``absent`` among all, among those with interactions, and among interactions."""
    active, total = counts > 0, counts.sum()
    return (
        float(absent.mean()) if len(absent) else 0.0,
        float(absent[active].mean()) if active.any() else 0.0,
        float(counts[absent].sum() / total) if total else 0.0,
    )
