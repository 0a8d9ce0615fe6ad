"""Why an item is in an answer: its features, what they did to its score, and the history items it is like."""

from typing import Any

import numpy as np

from encorec.pipeline.artifact import Artifact
from encorec.ranking.catboost_ranker import CatBoostRanker
from encorec.types import FloatVector, IntVector, Queries

__all__ = ["explain_slate"]

CONTRIBUTIONS = 5
REASONS = 3
LOOK_BACK = 50


def explain_slate(artifact: Artifact, queries: Queries, items: IntVector) -> list[dict[str, Any]]:
    """One explanation per shown item: ``features``, ``contributions`` (SHAP, largest first), ``because``.

    Args:
        artifact: that gave the answer.
        queries: one query.
        items: (k,) int32 items shown, -1 = empty place.
    """
    first = artifact.pipeline.first
    shown = items[items >= 0]
    candidates = artifact.pipeline.candidates(queries, len(items))
    rows = np.searchsorted(candidates.item, shown)
    features = first.features.compute(queries, candidates, first.retrievers)[rows]
    shap = _contributions(artifact, np.ascontiguousarray(features))
    names = first.features.names
    return [
        {
            "features": {name: float(value) for name, value in zip(names, row, strict=True) if not np.isnan(value)},
            "contributions": _largest(names, shap[place]) if shap is not None else {},
            "because": because(artifact, queries, int(item)),
        }
        for place, (item, row) in enumerate(zip(shown, features, strict=True))
    ]


def because(artifact: Artifact, queries: Queries, item: int) -> list[Any]:
    """Ids of the newest history items that ``item`` is most alike to, best first.

    Args:
        artifact: whose best comparing retriever is asked.
        queries: one query.
        item: row of the item to explain.
    """
    history = np.unique(queries.history.tail(LOOK_BACK).item)
    history = history[history != item]
    similarity = artifact.item_similarity
    if similarity is None or not len(history):
        return []
    alike = similarity.similar(history)[:, item]
    order = np.argsort(-alike, kind="stable")[:REASONS]
    return artifact.items.externals(history[order[alike[order] > 0]])


def _contributions(artifact: Artifact, features: FloatVector) -> FloatVector | None:
    ranker = artifact.pipeline.ranker
    if not isinstance(ranker, CatBoostRanker) or not len(features):
        return None
    return ranker.contributions(features)[:, :-1]


def _largest(names: tuple[str, ...], values: FloatVector) -> dict[str, float]:
    order = np.argsort(-np.abs(values), kind="stable")[:CONTRIBUTIONS]
    return {names[place]: float(values[place]) for place in order}
