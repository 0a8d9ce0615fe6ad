"""Everything that answers queries, as one kind of function: the retrievers, their fusion, the two-stage."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from encorec.pipeline.candidates import lists_of
from encorec.pipeline.two_stage import TwoStage, in_blocks
from encorec.protocols import Retriever
from encorec.types import IntMatrix, Queries

__all__ = ["FUSION", "TWO_STAGE", "System", "asked_in_blocks", "pipeline_systems", "single_lists"]

TWO_STAGE, FUSION = "two-stage", "rrf"

System: TypeAlias = Callable[[Queries, int], IntMatrix]


def pipeline_systems(pipeline: TwoStage) -> dict[str, System]:
    """Every retriever alone, the fusion of all, and the two-stage, as functions from queries to (n, k) items.

    Args:
        pipeline: fitted.
    """
    singles = {name: partial(_retrieved, one) for name, one in pipeline.first.retrievers.items()}
    fused = TwoStage(pipeline.first)
    return singles | {
        FUSION: lambda queries, k: fused.recommend(queries, k).item,
        TWO_STAGE: lambda queries, k: pipeline.recommend(queries, k).item,
    }


def single_lists(retriever: Retriever, queries: Queries, k: int) -> IntMatrix:
    """(n, k) items of one retriever alone, padded with -1.

    Args:
        retriever: fitted.
        queries: n queries.
        k: places.

    Example:
        >>> from encorec.retrieval.repeats import Repeats
        >>> from encorec.types import Eligibility, Histories
        >>> model = Repeats.from_arrays(None, {"prior": np.array([-.5, -1, -.1], np.float32)})
        >>> single_lists(model, Queries(Histories.of([([1], [5])]), np.array([9]), Eligibility(np.ones(3, bool))), 2)
        array([[1, 2]], dtype=int32)
    """
    return asked_in_blocks(partial(_retrieved, retriever), queries, k)


def asked_in_blocks(
    system: System, queries: Queries, k: int, told: Callable[[int, int], None] | None = None, threads: int = 1
) -> IntMatrix:
    """(n, k) int32 items of a system that is asked block after block.

    Args:
        system: to ask.
        queries: n queries.
        k: places.
        told: hears how many queries are answered, and of how many.
        threads: blocks that are asked side by side, if the system allows that.

    Example:
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(2), np.array([9, 9]), Eligibility(np.ones(4, bool)))
        >>> asked_in_blocks(lambda part, k: np.full((len(part), k), 3), queries, 2).tolist()
        [[3, 3], [3, 3]]
    """
    lists = np.full((len(queries), k), -1, np.int32)

    def ask(block: slice) -> None:
        if told:
            told(block.start, len(queries))
        lists[block] = system(queries.take(block), k)

    in_blocks(ask, queries, threads)
    return lists


def _retrieved(retriever: Retriever, queries: Queries, k: int) -> IntMatrix:
    return lists_of(retriever.retrieve(queries, k), len(queries), k)
