"""From scores of the whole catalogue to the best eligible items of every query."""

import numpy as np

from encorec.retrieval.selection import select_top
from encorec.types import BoolMatrix, Candidates, FloatMatrix, IntMatrix

__all__ = ["candidates_of", "top_k"]


def top_k(scores: FloatMatrix, eligible: BoolMatrix, k: int) -> tuple[IntMatrix, FloatMatrix]:
    """The k best eligible items of every query, best first; equal scores in catalogue order.

    Args:
        scores: (n, items) float32 without NaN.
        eligible: (n, items), or (1, items) for all queries alike.
        k: places.

    Returns:
        items (n, k) int32 padded with -1, and their scores (n, k) float32 padded with NaN.

    Example:
        >>> items, scores = top_k(np.array([[.1, .3, .2]], np.float32), np.array([[True, False, True]]), 3)
        >>> items.tolist()
        [[2, 0, -1]]
    """
    item, score = np.empty((len(scores), k), np.int32), np.empty((len(scores), k), np.float32)
    select_top(scores, eligible, item, score)
    return item, score


def candidates_of(item: IntMatrix, score: FloatMatrix, source: str) -> Candidates:
    """The candidates of one source from its padded lists.

    Args:
        item: (n, k) int32 best first, -1 = empty.
        score: (n, k) float32.
        source: name of the source.

    Example:
        >>> candidates_of(np.array([[4, -1]]), np.array([[.5, np.nan]]), "als").item.tolist()
        [4]
    """
    query, place = np.nonzero(item >= 0)
    rank = (place + 1).astype(np.float32)
    return Candidates(
        query.astype(np.int32), item[query, place], score[query, place][:, None], rank[:, None], (source,)
    )
