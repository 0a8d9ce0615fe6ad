"""Which of the ranked candidates are shown."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from encorec.data.dataset import Dataset
from encorec.pipeline.slates import ordered_rows, relevance_of, slate_of
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.protocols import Selector
from encorec.types import Candidates, Queries, Slate

__all__ = ["TopSelector", "fit_selector", "restore_selector"]


class TopSelector:
    """The k candidates of highest relevance; equal ones in catalogue order; NaN sinks last.

    Example:
        >>> import numpy as np
        >>> from encorec.types import Eligibility, Histories
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(6, bool)))
        >>> pair = np.ones((2, 1), np.float32)
        >>> found = Candidates(np.array([0, 0]), np.array([3, 5]), pair, pair, ("als",), np.array([.1, .7]))
        >>> slate = TopSelector().select(queries, found, 3)
        >>> slate.item.tolist(), slate.source_names(0, 0)
        ([[5, 3, -1]], ['als'])
    """

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        """The slate of every query, with propensity 1: nothing is left to chance.

        Raises:
            QueryError: the candidates have not been ranked.
        """
        return slate_of(candidates, ordered_rows(queries, candidates, relevance_of(candidates, "TopSelector"), k))


def fit_selector(config: SelectionConfig, data: Dataset) -> Selector:
    """The selector that ``config`` asks for, with what it needs of ``data``.

    Args:
        config: what is weighed.
        data: everything that may be learnt from.

    Raises:
        ConfigError: a feature that the items do not have.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> type(fit_selector(SelectionConfig(), Dataset.of(Interactions.of([0], [0], [5])))).__name__
        'TopSelector'
    """
    return VariedSelector.fit(config, data) if config.varied else TopSelector()


def restore_selector(config: SelectionConfig, arrays: Mapping[str, NDArray[Any]], items: int) -> Selector:
    """The selector of an artifact.

    Args:
        config: what is weighed.
        arrays: of the selector; none where the slate is the best k.
        items: number of items.

    Raises:
        ArtifactError: arrays that do not fit.

    Example:
        >>> type(restore_selector(SelectionConfig(), {}, 7)).__name__
        'TopSelector'
    """
    return VariedSelector.from_arrays(config, arrays, items) if config.varied else TopSelector()
