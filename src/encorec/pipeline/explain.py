"""Why an item is in an answer: its features, what they did to its score, and the history items it is like."""

from typing import Any

import numpy as np

from encorec.pipeline.artifact import Artifact
from encorec.pipeline.routing import FUSED
from encorec.pipeline.two_stage import TwoStage
from encorec.protocols import Explainer
from encorec.ranking.contributions import contributions_of, told_contributions
from encorec.types import IntVector, Queries

__all__ = ["explain_slate"]

CONTRIBUTIONS = 5
REASONS = 3
LOOK_BACK = 50


def explain_slate(artifact: Artifact, queries: Queries, items: IntVector) -> list[dict[str, Any]]:
    """One explanation per shown item: its ``features``, what they did to its score, ``because`` of which history items.

    ``base`` (the average score) + ``contributions`` of the strongest features + ``others`` (all the rest) =
    ``raw_score``, which the ranker gave; without a ranker that can be taken apart, these four are missing but for
    empty ``contributions``. So they are where the query is routed: then ``order`` names the source whose order it got,
    and ``because`` holds that source's own reasons, which a list that is the same for everybody does not have.

    Args:
        artifact: that gave the answer.
        queries: one query.
        items: (k,) int32 items shown, -1 = empty place.
    """
    first = artifact.pipeline.first
    served, routed = _served(artifact.pipeline, queries)
    shown = items[items >= 0]
    candidates = served.candidates(queries, len(items))
    rows = np.searchsorted(candidates.item, shown)
    features = first.features.compute(queries, candidates, first.retrievers)[rows]
    names = first.features.names
    parts = contributions_of(served.ranker, np.ascontiguousarray(features))
    told = [told_contributions(names, row, CONTRIBUTIONS) for row in parts] if parts is not None else None
    return [
        {
            "features": {name: float(value) for name, value in zip(names, row, strict=True) if not np.isnan(value)},
            **(told[place] if told is not None else {"contributions": {}}),
            "because": because(artifact, queries, int(item), served.source if routed else None),
            **({"order": served.source or FUSED} if routed else {}),
        }
        for place, (item, row) in enumerate(zip(shown, features, strict=True))
    ]


def _served(pipeline: TwoStage, queries: Queries) -> tuple[TwoStage, bool]:
    """What answers this one query, and whether it is routed past the ranker."""
    served = pipeline.ordered_for(int(queries.history.lengths[0]))
    return served, served is not pipeline


def because(artifact: Artifact, queries: Queries, item: int, source: str | None = None) -> list[Any]:
    """Ids of the history items that speak most for ``item``, best first.

    The first retriever with anything to tell says so, in the order of their quotas: what each item of the history added
    to its score. Where none explains, the newest history items that ``item`` is most alike to are named.

    Args:
        artifact: whose retrievers are asked.
        queries: one query.
        item: row of the item to explain.
        source: the only one that may speak; none = all.
    """
    for explainer in _explainers(artifact, source):
        reasons = explainer.explain(queries, np.array([item], np.int32))
        told = reasons.item[(reasons.share > 0) & (reasons.item != item)][:REASONS]
        if len(told):
            return artifact.items.externals(told)
    return [] if source is not None else artifact.items.externals(_most_alike(artifact, queries, item))


def _explainers(artifact: Artifact, source: str | None) -> list[Explainer]:
    """Retrievers that take their scores apart, those with the largest quota first; or ``source`` alone."""
    first = artifact.pipeline.first
    names = sorted(first.retrievers, key=lambda name: -first.quotas[name]) if source is None else [source]
    return [one for one in map(first.retrievers.__getitem__, names) if isinstance(one, Explainer)]


def _most_alike(artifact: Artifact, queries: Queries, item: int) -> IntVector:
    history = np.unique(queries.history.tail(LOOK_BACK).item)
    history = history[history != item]
    similarity = artifact.item_similarity
    if similarity is None or not len(history):
        return history[:0]
    alike = similarity.similar(history)[:, item]
    order = np.argsort(-alike, kind="stable")[:REASONS]
    return history[order[alike[order] > 0]]
