"""Every kind of retriever, by the name it has in a configuration."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from encorec.config import Config
from encorec.retrieval.als import ALS, ALSConfig
from encorec.retrieval.covisitation import Covisitation, CovisitationConfig
from encorec.retrieval.ease import EASE, EASEConfig
from encorec.retrieval.item_knn import ItemKNN, ItemKNNConfig
from encorec.retrieval.popularity import Popularity, PopularityConfig
from encorec.retrieval.repeats import Repeats, RepeatsConfig
from encorec.retrieval.scoring import ScoringRetriever

__all__ = ["RETRIEVERS", "RetrieverConfig", "make_retriever", "restore_retriever"]

RetrieverConfig = PopularityConfig | ItemKNNConfig | EASEConfig | ALSConfig | CovisitationConfig | RepeatsConfig

RETRIEVERS: Mapping[type[Config], type[ScoringRetriever]] = {
    PopularityConfig: Popularity,
    ItemKNNConfig: ItemKNN,
    EASEConfig: EASE,
    ALSConfig: ALS,
    CovisitationConfig: Covisitation,
    RepeatsConfig: Repeats,
}


def make_retriever(config: RetrieverConfig) -> ScoringRetriever:
    """An unfitted retriever of the kind that ``config`` is for.

    Example:
        >>> type(make_retriever(EASEConfig(reg=100))).__name__
        'EASE'
    """
    return RETRIEVERS[type(config)](config)


def restore_retriever(config: RetrieverConfig, arrays: Mapping[str, NDArray[Any]]) -> ScoringRetriever:
    """The fitted retriever that ``arrays`` were taken from.

    Example:
        >>> import numpy as np
        >>> restore_retriever(RepeatsConfig(), {"prior": np.zeros(3)}).arrays()["prior"].shape
        (3,)
    """
    return RETRIEVERS[type(config)].from_arrays(config, arrays)
