"""Features of user and item as they are: numbers, and categories by code."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.pipeline.candidate_features.context import Context, LearntGroup
from encorec.types import FloatMatrix

__all__ = ["StaticValues"]


class StaticValues(LearntGroup):
    """Columns of the item table, then columns of the user table.

    Categories are numbered by how much they are interacted with, so that a tree can split off the rare ones.

    Args:
        names: of the features.
        arrays: ``item`` (items, F) float32; ``user_codes`` new numbers of the user's categories, ``user_offset``
            (G + 1,) where each user column begins in it (empty = a number, taken as it is).
    """

    group = "static"

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Number the categories of items and users by their interactions.

        Example:
            >>> from encorec.data.interactions import Interactions
            >>> StaticValues.fit(Dataset.of(Interactions.of([0], [0], [5]))).names
            ()
        """
        table, item, user = data.interactions, data.item_features, data.user_features
        columns = [np.zeros((item.size, 0), np.float32), *item.numeric.values()]
        for one in item.categorical.values():
            number = _by_frequency(one.code, table.item_counts, len(one.values))
            columns.append(np.where(one.code < 0, np.nan, number[one.code]))
        codes = [_by_frequency(one.code, table.user_counts, len(one.values)) for one in user.categorical.values()]
        offsets = np.cumsum([0] * (len(user.numeric) + 1) + [len(one) for one in codes])
        names = [f"item_{name}" for name in item.dense_names] + [f"user_{name}" for name in user.dense_names]
        arrays = {
            "item": np.ascontiguousarray(np.column_stack(columns), np.float32),
            "user_codes": np.concatenate([np.empty(0, np.float32), *codes]).astype(np.float32),
            "user_offset": offsets.astype(np.int64),
        }
        return cls(tuple(names), arrays)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, F + G) float32; NaN where unknown."""
        item = self._arrays["item"]
        width = item.shape[1]
        out[:, :width] = item[context.candidates.item]
        if width < len(self.names):
            out[:, width:] = context.per_query(self._user_values(context))

    def _user_values(self, context: Context) -> FloatMatrix:
        """(n, G) float32 features of the users, categories renumbered."""
        offset = self._arrays["user_offset"]
        given = context.queries.user_features
        if given is None:
            return np.full((len(context.queries), len(offset) - 1), np.nan, np.float32)
        values = np.array(given, np.float32)
        for column in np.flatnonzero(np.diff(offset)):
            codes = self._arrays["user_codes"][offset[column] : offset[column + 1]]
            known = ~np.isnan(values[:, column])
            values[known, column] = codes[values[known, column].astype(np.int64)]
        return values


def _by_frequency(code: NDArray[Any], counts: NDArray[Any], values: int) -> NDArray[Any]:
    """(values,) new number of each category, 0 = the one with most interactions."""
    known = code >= 0
    events = np.bincount(code[known], counts[known], minlength=max(values, 1))
    number = np.empty(len(events))
    number[np.argsort(-events, kind="stable")] = np.arange(len(events))
    return number
