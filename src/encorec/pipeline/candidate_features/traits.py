"""How far an item's genres, categories and numbers agree with the history of the user."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.pipeline.candidate_features.context import Context, LearntGroup
from encorec.pipeline.candidate_features.kernels import add_profiles, match_profiles, mean_numbers
from encorec.types import FloatMatrix, Histories, IntVector, ItemLists

__all__ = ["Traits"]

RECENT = 5
LARGEST_VOCABULARY = 2000


class Traits(LearntGroup):
    """Affinity of the user to the item's traits, over the history and over its last few events.

    Per tag or category column: the mean share of the history with the item's values. Per number: the difference to
    the history's mean.

    Args:
        names: of the features.
        arrays: ``indptr`` (items + 1,) and ``trait`` the traits of each item, ``column`` (traits,) their column,
            ``number`` (items, numbers) float32.
    """

    group = "traits"

    def __init__(self, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__(names, arrays)
        self._traits = len(arrays["column"])
        self._columns = len(names) // 2 - arrays["number"].shape[1]

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Number the traits; of a vocabulary over 2,000 values the most frequent are kept.

        Example:
            >>> from encorec.data.interactions import Interactions
            >>> Traits.fit(Dataset.of(Interactions.of([0], [0], [5]))).names
            ()
        """
        features = data.item_features
        columns = [*features.tags, *features.categorical]
        lists = [_frequent(one) for one in _trait_lists(features)]
        pairs = [(one.owner, _renumber(one.item)) for one in lists]
        sizes = [int(codes.max(initial=-1)) + 1 for _, codes in pairs]
        starts = np.cumsum([0, *sizes])
        item = np.concatenate([owner for owner, _ in pairs] or [np.empty(0, np.int64)])
        trait = np.concatenate([codes + start for (_, codes), start in zip(pairs, starts, strict=False)] or [item])
        order = np.argsort(item, kind="stable")
        number = np.column_stack([np.zeros((features.size, 0)), *features.numeric.values()]).astype(np.float32)
        arrays = {
            "indptr": np.searchsorted(item[order], np.arange(features.size + 1)).astype(np.int64),
            "trait": trait[order].astype(np.int32),
            "column": np.repeat(np.arange(len(sizes)), sizes).astype(np.int32),
            "number": number,
        }
        names = [f"{name}_affinity{suffix}" for suffix in ("", "_recent") for name in columns]
        names += [f"{name}_gap{suffix}" for suffix in ("", "_recent") for name in features.numeric]
        return cls(tuple(names), arrays)

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, 2 * columns + 2 * numbers) float32; NaN where the item or the history has no such trait."""
        columns, numbers = self._columns, self._arrays["number"].shape[1]
        for turn, history in enumerate((context.history, context.tail(RECENT))):
            if columns:
                self._affinity(context, history, out[:, turn * columns : (turn + 1) * columns])
            if numbers:
                start = 2 * columns + turn * numbers
                out[:, start : start + numbers] = self._gaps(context, history)

    def _affinity(self, context: Context, history: Histories, out: FloatMatrix) -> None:
        learnt, found = self._arrays, context.candidates
        profile = np.zeros((len(history), self._traits), np.float32)
        add_profiles(history.indptr, history.item, learnt["indptr"], learnt["trait"], profile)
        match_profiles(
            found.query, found.item, learnt["indptr"], learnt["trait"], learnt["column"], profile, out.T
        )  # fmt: skip

    def _gaps(self, context: Context, history: Histories) -> FloatMatrix:
        number = self._arrays["number"]
        mean = np.empty((len(history), number.shape[1]))
        mean_numbers(history.indptr, history.item, number, mean)
        return number[context.candidates.item] - context.per_query(mean)


def _trait_lists(features: FeatureTable) -> list[ItemLists]:
    """The values of every tag and category column as lists per item."""
    lists = [one.lists for one in features.tags.values()]
    for one in features.categorical.values():
        known = one.code >= 0
        indptr = np.concatenate([[0], np.cumsum(known)]).astype(np.int64)
        lists.append(ItemLists(indptr, one.code[known]))
    return lists


def _frequent(lists: ItemLists) -> ItemLists:
    """Without the values beyond the ``LARGEST_VOCABULARY`` most frequent."""
    counts = np.bincount(lists.item)
    if len(counts) <= LARGEST_VOCABULARY:
        return lists
    frequent = np.zeros(len(counts), bool)
    frequent[np.argsort(-counts, kind="stable")[:LARGEST_VOCABULARY]] = True
    kept = frequent[lists.item]
    lengths = np.bincount(lists.owner[kept], minlength=len(lists))
    return ItemLists(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), lists.item[kept])


def _renumber(codes: IntVector) -> IntVector:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
