"""What is known of users and items besides their interactions: numbers, categories, sets of tags."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.types import FloatMatrix, FloatVector, IntVector, ItemLists

__all__ = ["Categories", "FeatureTable", "Tags"]


@dataclass(frozen=True)
class Categories:
    """One value of a closed list per entity.

    Args:
        code: (n,) int32 position in ``values``, -1 unknown.
        values: names of the categories.

    Example:
        >>> Categories.of(["film", None, "series"]).code.tolist()
        [0, -1, 1]
    """

    code: IntVector
    values: tuple[str, ...]

    @classmethod
    def of(cls, given: list[Any]) -> "Categories":
        """From one value (or none) per entity; categories in alphabetic order."""
        values = tuple(sorted({str(one) for one in given if one is not None}))
        code_of = {value: code for code, value in enumerate(values)}
        code = np.fromiter((-1 if one is None else code_of[str(one)] for one in given), np.int32, len(given))
        return cls(code, values)


@dataclass(frozen=True)
class Tags:
    """Any number of values of a closed list per entity, such as genres.

    Args:
        lists: n lists of positions in ``values``.
        values: names of the tags.

    Example:
        >>> Tags.of([["drama", "war"], [], ["drama"]]).lists.item.tolist()
        [0, 1, 0]
    """

    lists: ItemLists
    values: tuple[str, ...]

    @classmethod
    def of(cls, given: list[list[str]]) -> "Tags":
        """From a list of names per entity; tags in alphabetic order, each once per entity."""
        values = tuple(sorted({one for names in given for one in names}))
        code_of = {value: code for code, value in enumerate(values)}
        return cls(ItemLists.of([sorted({code_of[one] for one in names}) for names in given]), values)

    def matrix(self) -> FloatMatrix:
        """(n, tags) float32, 1 where the entity has the tag.

        Example:
            >>> Tags.of([["drama"], ["war"]]).matrix().tolist()
            [[1.0, 0.0], [0.0, 1.0]]
        """
        dense = np.zeros((len(self.lists), len(self.values)), np.float32)
        dense[self.lists.owner, self.lists.item] = 1
        return dense


@dataclass(frozen=True)
class FeatureTable:
    """Features of all entities of a vocabulary, by name.

    Args:
        size: number of entities n.
        numeric: name -> (n,) float32, NaN unknown.
        categorical: name -> one category per entity.
        tags: name -> a set of tags per entity.

    Raises:
        DataError: a column of another length.

    Example:
        >>> table = FeatureTable(2, numeric={"age": np.array([30, np.nan], np.float32)})
        >>> table.dense().shape, table.dense_names
        ((2, 1), ('age',))
    """

    size: int
    numeric: dict[str, FloatVector] = field(default_factory=dict)
    categorical: dict[str, Categories] = field(default_factory=dict)
    tags: dict[str, Tags] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.numeric.items()}
        lengths |= {name: len(column.code) for name, column in self.categorical.items()}
        lengths |= {name: len(column.lists) for name, column in self.tags.items()}
        for name, length in lengths.items():
            if length != self.size:
                raise DataError(f"feature {name!r} has {length} values for {self.size} entities")
        if len(lengths) < len(self.numeric) + len(self.categorical) + len(self.tags):
            raise DataError("a feature is named twice: as numeric, categorical or tags; a name means one of them")

    @property
    def dense_names(self) -> tuple[str, ...]:
        """Columns of ``dense()``: numeric first, then categorical."""
        return (*self.numeric, *self.categorical)

    def dense(self) -> FloatMatrix:
        """(n, F) float32: numbers as they are, categories as codes, NaN where unknown; tags are left out."""
        columns = [np.asarray(column, np.float32) for column in self.numeric.values()]
        for column in self.categorical.values():
            columns.append(np.where(column.code < 0, np.nan, column.code).astype(np.float32))
        return np.column_stack(columns) if columns else np.empty((self.size, 0), np.float32)

    def encode(self, given: dict[str, Any]) -> FloatVector:
        """(F,) float32: one entity described by the outside, as a row of ``dense()``; unknown names are ignored.

        Example:
            >>> table = FeatureTable(1, categorical={"sex": Categories.of(["F"])})
            >>> table.encode({"sex": "F", "shoe": 43}).tolist()
            [0.0]
        """
        row = np.full(len(self.dense_names), np.nan, np.float32)
        for place, name in enumerate(self.dense_names):
            value = given.get(name)
            if value is None:
                continue
            if name in self.numeric:
                row[place] = value if isinstance(value, int | float) and abs(value) < 1e30 else np.nan
            elif str(value) in self.categorical[name].values:
                row[place] = self.categorical[name].values.index(str(value))
        return row
