"""Weights of EASE with dropout and relaxation by their definition, regression by regression: a slow twin."""

import numpy as np
from tests.retrieval.asking import dense_matrix

from encorec.data.dataset import Dataset
from encorec.retrieval.ease import EASEConfig
from encorec.types import FloatMatrix, FloatVector


def held_column(dense: FloatMatrix, one: int, others: list[int], config: EASEConfig) -> FloatVector:
    """(items,) weights of ``others`` for an item, by the definition of both options; no closed form of EASE.

    Ridge regression on the others and the item itself, every item with a penalty of its own. Where the item weighs more
    for itself than is allowed, that weight is fixed and the others are fitted on what is left.
    """
    penalty = config.reg + config.dropout / (1 - config.dropout) * (dense**2).sum(axis=0)

    def ridge(known: list[int], target: FloatVector) -> FloatVector:
        columns = dense[:, known]
        return np.linalg.solve(columns.T @ columns + np.diag(penalty[known]), columns.T @ target)

    weights = np.zeros(dense.shape[1])
    *rest, itself = ridge([*others, one], dense[:, one])
    if itself > config.relaxation:
        rest = ridge(others, (1 - config.relaxation) * dense[:, one])
    weights[others] = rest
    return weights


def held_matrix(data: Dataset, config: EASEConfig) -> FloatMatrix:
    """(items, items) of ``held_column``, every item on all others."""
    dense = dense_matrix(data)
    items = range(dense.shape[1])
    return np.stack([held_column(dense, one, [item for item in items if item != one], config) for one in items], axis=1)
