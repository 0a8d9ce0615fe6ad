"""What every feature group is given: the questions, their candidates, and the retrievers that proposed them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.protocols import Arrays, Retriever
from encorec.types import Candidates, FloatMatrix, Histories, IntVector, Queries

__all__ = ["DAY", "Context", "LearntGroup"]

DAY = 86_400


@dataclass(frozen=True)
class Context:
    """One block of queries and their candidates.

    Args:
        queries: n queries; histories end before ``now``.
        candidates: m candidates, sorted by query.
        retrievers: by source name.
    """

    queries: Queries
    candidates: Candidates
    retrievers: Mapping[str, Retriever]

    @cached_property
    def history(self) -> Histories:
        """The histories without gaps."""
        return self.queries.history.compact()

    def tail(self, events: int) -> Histories:
        """The last ``events`` of each history, cut once for all groups that ask."""
        if events not in self._tails:
            self._tails[events] = self.history.tail(events)
        return self._tails[events]

    @cached_property
    def _tails(self) -> dict[int, Histories]:
        return {}

    @cached_property
    def indptr(self) -> IntVector:
        """(n + 1,) int64 offsets of the candidates of each query."""
        return self.candidates.indptr(len(self.queries)).astype(np.int64)

    def per_query(self, values: FloatMatrix) -> FloatMatrix:
        """(n, c) values of queries as (m, c) values of their candidates."""
        return np.repeat(values, np.diff(self.indptr), axis=0)


class LearntGroup:
    """Features that are computed together from arrays learnt from the past.

    A subclass names its ``group``, learns in ``fit`` and writes in ``compute``.

    Args:
        names: of the features.
        arrays: everything learnt, by name (any shape).
    """

    group: ClassVar[str]

    def __init__(self, names: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.names = names
        self._arrays = dict(arrays)

    @classmethod
    def fit(cls, data: Dataset) -> Self:
        """Learn what the features need from data that end before the questions begin."""
        raise NotImplementedError(cls.__name__)

    def arrays(self) -> Arrays:
        """Everything learnt, by name."""
        return self._arrays

    def compute(self, context: Context, out: FloatMatrix) -> None:
        """Write (m, len(names)) float32 into ``out``."""
        raise NotImplementedError(type(self).__name__)
