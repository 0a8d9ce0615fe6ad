"""One mask for every rule: hidden, seen, denied, allowed. Applied by the retrievers, so that no list under-fills."""

from typing import Literal

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold
from encorec.types import BoolVector, Eligibility, Histories, ItemLists, Queries

__all__ = ["SeenRule", "catalogue_of", "fold_queries", "seen_items"]

SeenRule = Literal["exclude", "keep"]


def catalogue_of(data: Dataset) -> BoolVector:
    """(items,) items that anybody took: what can be recommended at all.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> catalogue_of(Dataset.of(Interactions.of([0], [1], [5]))).tolist()
        [False, True]
    """
    return data.interactions.item_counts > 0


def seen_items(history: Histories) -> ItemLists:
    """n lists of the items in each history."""
    compact = history.compact()
    return ItemLists(compact.indptr, compact.item)


def fold_queries(fold: Fold, seen: SeenRule = "exclude") -> Queries:
    """The questions of a fold, as they would have been asked at its time.

    Args:
        fold: an exam.
        seen: whether items of a user's history may be shown again.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.data.splits import LastN
        >>> fold = LastN().folds(Dataset.of(Interactions.of([0, 0], [0, 1], [5, 6])))[0]
        >>> fold_queries(fold).eligible.mask().tolist()
        [[False, False]]
    """
    exclude = seen_items(fold.history) if seen == "exclude" else None
    features = fold.past.user_features.dense()[fold.user]
    known = features if features.shape[1] else None
    return Queries(fold.history, fold.now, Eligibility(catalogue_of(fold.past), exclude), known, fold.user)
