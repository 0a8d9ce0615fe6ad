"""The seams: what a stage must do so that it can be replaced.

Training is separate from inference: ``fit`` needs a data set, the other methods need nothing but queries.
Check an implementation with ``encorec.testing.check_retriever`` and ``check_ranker``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encorec.types import BoolMatrix, Candidates, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries, Slate

__all__ = [
    "Arrays",
    "Explainer",
    "ItemSimilarity",
    "Lists",
    "Ranker",
    "Reasons",
    "Retriever",
    "Scored",
    "Scorer",
    "Selector",
    "Trainable",
    "Updatable",
    "is_scorer",
]

Arrays = dict[str, NDArray[Any]]
Lists = tuple[IntMatrix, FloatMatrix]


@runtime_checkable
class Retriever(Protocol):
    """Who could be shown. Honours ``queries.eligible`` itself, so it never under-fills."""

    def retrieve(self, queries: Queries, n: int) -> Candidates:
        """The best ``min(n, eligible)`` items of every query, one source."""
        ...


class Scored(Protocol):
    """What one source thinks of the catalogue for n queries."""

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query: (n, k) int32 padded with -1, and their scores padded with NaN.

        Best first, equal scores in catalogue order; ``eligible`` is (n, items), or (1, items) for all alike.
        """
        ...

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) float32 scores of the items for the queries, which do not decrease."""
        ...


class Scorer(Retriever, Protocol):
    """A retriever that can score the whole catalogue at once, whoever proposed an item.

    One that need not look at the whole catalogue for that has a method ``scored(queries) -> Scored`` besides.
    """

    def scores(self, queries: Queries) -> FloatMatrix:
        """(n, items) float32; larger is better, never NaN."""
        ...


def is_scorer(retriever: Retriever) -> TypeGuard[Scorer]:
    """Whether the retriever can score the whole catalogue; much cheaper than ``isinstance``, for the request path.

    Example:
        >>> from encorec.retrieval.repeats import Repeats
        >>> is_scorer(Repeats())
        True
    """
    return callable(getattr(retriever, "scores", None))


@runtime_checkable
class ItemSimilarity(Protocol):
    """A component that knows which items are alike."""

    def similar(self, items: IntVector) -> FloatMatrix:
        """(n,) item numbers -> (n, items) float32 similarity."""
        ...


class Reasons(NamedTuple):
    """Why n items scored as they did: the events of the history that spoke for them, ragged.

    ``indptr`` (n + 1,) int64; ``item`` (m,) int32 history items, each once per query, strongest first;
    ``share`` (m,) float32, what each added to the score.
    """

    indptr: IntVector
    item: IntVector
    share: FloatVector


@runtime_checkable
class Explainer(Protocol):
    """A retriever that can say which items of the history an answer comes from."""

    def explain(self, queries: Queries, item: IntVector) -> Reasons:
        """'Because you watched ...': (n,) one item per query -> what every history item added to its score."""
        ...


@runtime_checkable
class Updatable(Protocol):
    """A component that takes in new interactions without learning everything anew."""

    def update(self, data: Any, events: Any) -> Self:
        """A new component, equal to one fitted on ``data``.

        Args:
            data: an ``encorec.data.dataset.Dataset`` with everything until now, the new events included; it may have
                more users and items than before, the numbers of the old ones are the same.
            events: ``Interactions``, the new ones alone, in the same numbers.
        """
        ...


@runtime_checkable
class Trainable(Protocol):
    """A component that learns from a data set and is saved as plain arrays."""

    def fit(self, data: Any, *, rng: np.random.Generator) -> Self:
        """Learn from ``data`` (an ``encorec.data.dataset.Dataset`` that ends before the questions begin)."""
        ...

    def arrays(self) -> Arrays:
        """Everything learnt, as named arrays."""
        ...

    @classmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The component that ``arrays()`` was taken from."""
        ...


@runtime_checkable
class Ranker(Protocol):
    """In what order. Keeps length and order of its input; drops nothing."""

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,); larger is better."""
        ...

    def save(self, folder: Path) -> None:
        """Write the fitted ranker into ``folder``."""
        ...


@runtime_checkable
class Selector(Protocol):
    """Which k of the ranked candidates are shown, and with what probability."""

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        """The slate of every query, from ``candidates.relevance``; NaN sinks last."""
        ...
