"""Fitting one retriever; of one that learns in epochs, every epoch is told."""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from encorec.data.dataset import Dataset
from encorec.nn.epoch import Epoch, Watch
from encorec.retrieval.registry import RetrieverConfig, make_retriever
from encorec.retrieval.scoring import ScoringRetriever

__all__ = ["fit_retriever"]

Progress = Callable[[str, int, int], None]


def fit_retriever(
    name: str, config: RetrieverConfig, data: Dataset, rng: np.random.Generator, progress: Progress | None = None
) -> ScoringRetriever:
    """The retriever of ``config``, fitted on ``data``.

    Args:
        name: of the source, for whoever watches.
        config: of the retriever.
        data: everything that may be learnt from.
        rng: of everything random.
        progress: told of every epoch, where there are epochs: what it came to, its number, and how many there are at
            most.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.nn.training_config import TrainingConfig
        >>> from encorec.retrieval.neumf import NeuMFConfig
        >>> data = Dataset.of(Interactions.of([0, 0], [0, 1], [1, 2]))
        >>> config = NeuMFConfig(training=TrainingConfig(epochs=2))
        >>> told = lambda what, done, total: print(what.split(",")[0], done, total)
        >>> _ = fit_retriever("pairs", config, data, np.random.default_rng(0), told)
        fit pairs: epoch 1 1 2
        fit pairs: epoch 2 2 2
    """
    retriever = make_retriever(config)
    if progress is None or not isinstance(retriever, _Watched):
        return retriever.fit(data, rng=rng)
    retriever.watch = _told(name, progress)
    try:
        return retriever.fit(data, rng=rng)
    finally:
        retriever.watch = None


@runtime_checkable
class _Watched(Protocol):
    """A retriever that tells its epochs."""

    watch: Watch | None


def _told(name: str, progress: Progress) -> Watch:
    def tell(epoch: Epoch) -> None:
        judged = "" if math.isnan(epoch.metric) else f", ndcg@10 {epoch.metric:.4f} on events kept aside"
        said = f"fit {name}: epoch {epoch.number}, loss {epoch.loss:.4f}{judged}"
        progress(said, epoch.number, epoch.epochs)

    return tell
