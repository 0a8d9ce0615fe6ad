"""How a matrix of counts is weighted before its rows are compared, and what both sides of a comparison share."""

from typing import Any, Literal

import numpy as np
from scipy import sparse

from encorec.types import FloatVector

__all__ = ["Weighting", "frequency_penalty", "inverse_frequency", "weighted_rows"]

Weighting = Literal["cosine", "tfidf", "bm25", "jaccard"]


def weighted_rows(
    counts: sparse.csr_array, weighting: Weighting, saturation: float, length_penalty: float
) -> sparse.csr_array:
    """(n, columns) float64 weights whose row products are similarities; for jaccard, the sizes of intersections.

    Source: robertson2009 for bm25, with rows as documents and columns as terms; as in implicit.

    Args:
        counts: (n, columns) positive counts, each pair once.
        weighting: of the counts.
        saturation: k1 of BM25.
        length_penalty: b of BM25, in [0, 1].

    Example:
        >>> weighted_rows(sparse.csr_array(np.array([[3.0, 4.0]])), "cosine", 1.2, 0.75).toarray().tolist()
        [[0.6, 0.8]]
    """
    weighted, lengths = counts.copy(), np.diff(counts.indptr)
    if weighting == "jaccard":
        weighted.data = np.ones(len(counts.data))
        return weighted
    if weighting == "bm25":
        total = np.asarray(counts.sum(axis=1)).ravel()
        mean = total.sum() / max(np.count_nonzero(lengths), 1)
        penalty = frequency_penalty(total, mean, saturation, length_penalty)
        tf = weighted.data * (saturation + 1) / (np.repeat(penalty, lengths) + weighted.data)
        weighted.data = tf * inverse_frequency(counts)[weighted.indices]
        return weighted
    if weighting == "tfidf":
        weighted.data = np.sqrt(weighted.data) * inverse_frequency(counts)[weighted.indices]
    norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted.data /= np.repeat(np.where(norm > 0, norm, 1), lengths)
    return weighted


def inverse_frequency(counts: sparse.csr_array) -> FloatVector:
    """(columns,) float64 inverse document frequency: columns that many rows have say less.

    Example:
        >>> inverse_frequency(sparse.csr_array(np.array([[1.0, 0.0], [1.0, 1.0]]))).round(3).tolist()
        [-0.405, 0.0]
    """
    shape: Any = counts.shape
    documents = np.count_nonzero(np.diff(counts.indptr))  # rows of nothing say nothing of how rare a column is
    return np.log(max(documents, 1)) - np.log1p(np.bincount(counts.indices, minlength=shape[1]))


def frequency_penalty(length: FloatVector, mean: float, saturation: float, length_penalty: float) -> FloatVector:
    """(n,) what BM25 adds to the frequencies in its denominator, for rows of (n,) summed counts.

    Example:
        >>> frequency_penalty(np.array([1.0, 3.0]), 2.0, 1.0, 0.5).tolist()
        [0.75, 1.25]
    """
    return saturation * (1 - length_penalty + length_penalty * length / max(mean, 1e-12))
