"""What users of the same kind take: for every category of users, how much more often they took an item than all did."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.compiled import FLOAT32, INT32, INT64, compiled, read, write
from encorec.data.dataset import Dataset
from encorec.data.features import Categories
from encorec.data.interactions import Interactions
from encorec.errors import ArtifactError, QueryError
from encorec.pipeline.candidate_features.context import Context, LearntGroup
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["SegmentTaste"]

SMOOTHING = 20.0


class SegmentTaste(LearntGroup):
    """Target statistics of the user's categories: a smoothed log-lift per user feature, and the mean of those known.

    A value (such as age 25-34) of which n users took anything, k of them the item, which a share p of all users took,
    has the lift log((k + a p) / (n + a)) - log(p), a = 20: as if 20 more of its users had the taste of all. Every user
    counts once per item. NaN where the user's value is not known or nobody ever took the item.

    Args:
        names: of the features.
        arrays: ``indptr`` (items + 1,) and ``trait`` the values whose users took each item, ascending, with ``lift``;
            ``start`` (columns + 1,) the first value of each user feature, ``column`` (values,) the feature of a value;
            ``floor`` (values,) float32 the lift of items that no user of the value took; ``prior`` (items,) float32
            share of users who took the item; ``before`` (1,) columns of ``Queries.user_features`` before the
            categories.

    Raises:
        ArtifactError: the arrays do not fit each other.
    """

    group = "segments"

    def __init__(self, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(names, arrays)
        start, values = arrays["start"], len(arrays["column"])
        self._columns = len(start) - 1
        self._before = int(arrays["before"][0])
        fits = (
            len(names) == (self._columns + 1 if self._columns else 0),
            len(arrays["indptr"]) == len(arrays["prior"]) + 1,
            len(arrays["trait"]) == len(arrays["lift"]),
            len(arrays["floor"]) == values,
            start[0] == 0 and start[-1] == values and bool(np.all(np.diff(start) >= 0)),
            self._before >= 0,
        )
        if not all(fits):
            raise ArtifactError("features/segments: lengths of its arrays do not fit each other; train again")

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Count the users of every value who took each item.

        Example:
            >>> from dataclasses import replace
            >>> from encorec.data.features import FeatureTable
            >>> from encorec.data.interactions import Interactions
            >>> people = FeatureTable(2, categorical={"sex": Categories.of(["F", "M"])})
            >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 0, 1], [5, 6, 7]))
            >>> learnt = SegmentTaste.fit(replace(data, user_features=people)).arrays()
            >>> learnt["prior"].tolist(), learnt["trait"].tolist(), learnt["lift"].astype(float).round(3).tolist()
            ([1.0, 0.5], [0, 1, 1], [0.0, 0.0, 0.047])
        """
        table, features = data.interactions, data.user_features
        columns = list(features.categorical.values())
        start = np.cumsum([0, *(len(one.values) for one in columns)]).astype(np.int64)
        active = table.user_counts > 0
        prior = table.item_users / max(int(active.sum()), 1)
        item, trait, taken = _pairs_taken(table, columns, start)
        sizes = [np.bincount(one.code[active & (one.code >= 0)], minlength=len(one.values)) for one in columns]
        size = np.concatenate([np.empty(0, np.int64), *sizes])
        lift = np.log((taken + SMOOTHING * prior[item]) / (size[trait] + SMOOTHING) / prior[item])  # micci2001
        arrays = {
            "indptr": np.searchsorted(item, np.arange(table.items + 1)).astype(np.int64),
            "trait": trait.astype(np.int32),
            "lift": lift.astype(np.float32),
            "column": np.repeat(np.arange(len(columns)), np.diff(start)).astype(np.int32),
            "start": start,
            "floor": np.log(SMOOTHING / (size + SMOOTHING)).astype(np.float32),
            "prior": prior.astype(np.float32),
            "before": np.array([len(features.numeric)]),
        }
        names = [f"user_{name}_lift" for name in features.categorical]
        return cls((*names, "segments_lift") if names else (), arrays)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, columns + 1) float32.

        Raises:
            QueryError: the queries carry fewer user features than were learnt from.
        """
        given = context.queries.user_features
        if given is None or not self._columns:
            out[:] = np.nan
            return
        if given.shape[1] != self._before + self._columns:
            raise QueryError(
                f"user_features has {given.shape[1]} columns, allowed are the {self._before + self._columns} "
                "that the features were learnt with"
            )
        learnt, found = self._arrays, context.candidates
        look_up_lifts(
            found.query, found.item, np.ascontiguousarray(given, np.float32), self._before, learnt["start"],
            learnt["indptr"], learnt["trait"], learnt["lift"], learnt["floor"], learnt["prior"], out.T,
        )  # fmt: skip


def _pairs_taken(
    table: Interactions, columns: list[Categories], start: IntVector
) -> tuple[IntVector, IntVector, IntVector]:
    """Items, values, and how many users of the value took the item; (z,) each, by item and then by value."""
    values = int(start[-1])
    pairs = table.pairs if columns else np.empty(0, np.int64)  # to sort them takes time
    user, item = pairs // max(table.items, 1), pairs % max(table.items, 1)
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for one, first in zip(columns, start[:-1], strict=True):
        code = one.code[user]
        known = code >= 0
        ordered = np.sort(item[known] * values + first + code[known])
        begins = np.flatnonzero(np.diff(ordered, prepend=-1))
        keys.append(ordered[begins])
        counts.append(np.diff(begins, append=len(ordered)))
    key, count = np.concatenate(keys), np.concatenate(counts)
    order = np.argsort(key)
    return key[order] // max(values, 1), key[order] % max(values, 1), count[order]


@compiled(
    read(INT32),
    read(INT32),
    read(FLOAT32, 2),
    INT64,
    read(INT64),
    read(INT64),
    read(INT32),
    read(FLOAT32),
    read(FLOAT32),
    read(FLOAT32),
    write(FLOAT32, 2),
)
def look_up_lifts(
    query: IntVector,
    item: IntVector,
    feature: FloatMatrix,
    before: int,
    start: IntVector,
    indptr: IntVector,
    trait: IntVector,
    lift: FloatVector,
    floor: FloatVector,
    prior: FloatVector,
    out: FloatMatrix,
) -> None:
    """The lift of each candidate for each category of its user, and their mean.

    Args:
        query: (m,) int32.
        item: (m,) int32.
        feature: (n, before + columns) float32 user features; categories by code, NaN unknown.
        before: columns of it that are no categories.
        start: (columns + 1,) int64 first value of each column.
        indptr: (items + 1,) int64 offsets of the values that took each item, ascending in trait (z,) int32, with lift
            (z,) float32.
        floor: (values,) float32 lift of what no user of the value took.
        prior: (items,) float32 0 where nobody took the item.
        out: (columns + 1, m) float32, written.
    """
    columns = len(start) - 1
    for row in range(len(query)):
        one, known, total = item[row], 0, np.float32(0)
        for column in range(columns):
            code = feature[query[row], before + column]
            if not (prior[one] > 0 and 0 <= code < start[column + 1] - start[column]):
                out[column, row] = np.nan
                continue
            wanted = start[column] + np.int64(code)
            low, high = indptr[one], indptr[one + 1]
            while low < high:
                middle = (low + high) // 2
                if trait[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            hit = low < indptr[one + 1] and trait[low] == wanted
            out[column, row] = lift[low] if hit else floor[wanted]
            total += out[column, row]
            known += 1
        out[columns, row] = total / known if known else np.nan
