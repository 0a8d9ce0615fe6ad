"""MovieLens-100K as the benchmark of Microsoft Recommenders cuts it: a quarter of every item's ratings is the exam.

The draw is theirs too: numbers of numpy's old generator, in the order of the file, sorted within the item; the first
three quarters are the past. Their notebook stratifies by item, the default of their function is by user.
"""

from typing import Literal, TypeAlias

import numpy as np
from benchmarks.quality.retrieval_exam import RetrievalExam

from encorec.data.dataset import Dataset
from encorec.data.interactions import distinct
from encorec.pipeline.eligibility import catalogue_of, seen_items
from encorec.types import BoolVector, Eligibility, ItemLists, Queries

__all__ = ["By", "drawn_past", "stratified_exam"]

RATIO, SEED = 0.75, 42
By: TypeAlias = Literal["item", "user"]


def drawn_past(data: Dataset, by: By, seed: int = SEED, ratio: float = RATIO) -> BoolVector:
    """(m,) true for the interactions of the past.

    Args:
        data: whole.
        by: what the draw is stratified by.
        seed: of the draw.
        ratio: share of the past within every item or user.
    """
    table = data.interactions
    order = np.argsort(table.row)
    number = np.empty(len(table))
    number[order] = np.random.RandomState(seed).rand(len(table))
    group = table.item if by == "item" else table.user
    ranked = np.lexsort((number, group))
    size = np.bincount(group)
    start = np.cumsum(size) - size
    share = np.empty(len(table))
    share[ranked] = (np.arange(len(table)) - start[group[ranked]] + 1) / size[group[ranked]]
    return share <= ratio


def stratified_exam(data: Dataset, past: BoolVector) -> RetrievalExam:
    """The exam with these interactions (m,) in the past; users without any are not asked."""
    before, after = data.restrict(past), data.interactions.take(~past)
    known = before.interactions.user_counts[after.user] > 0
    pairs = distinct(after.user[known].astype(np.int64) * after.items + after.item[known])
    owner = pairs // after.items
    user = distinct(owner).astype(np.int32)
    starts = np.append(np.searchsorted(owner, user), len(pairs))
    truth = ItemLists(starts.astype(np.int64), (pairs % after.items).astype(np.int32))
    history = before.interactions.histories.take(user)
    eligible = Eligibility(catalogue_of(before), seen_items(history))
    now = np.full(len(user), data.interactions.end, np.int64)
    features = before.user_features.dense()[user]
    queries = Queries(history, now, eligible, features if features.shape[1] else None, user)
    return RetrievalExam(before, user, queries, truth, keep_seen=False)
