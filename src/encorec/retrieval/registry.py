"""Every kind of retriever, by the name it has in a configuration."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from encorec.config import Config
from encorec.retrieval.als import ALS, ALSConfig
from encorec.retrieval.bpr import BPR, BPRConfig
from encorec.retrieval.content_knn import ContentKNN, ContentKNNConfig
from encorec.retrieval.continue_watching import ContinueWatching, ContinueWatchingConfig
from encorec.retrieval.covisitation import Covisitation, CovisitationConfig
from encorec.retrieval.ease import EASE, EASEConfig
from encorec.retrieval.hybrid import Hybrid, HybridConfig
from encorec.retrieval.item_knn import ItemKNN, ItemKNNConfig
from encorec.retrieval.neumf import NeuMF, NeuMFConfig
from encorec.retrieval.popularity import Popularity, PopularityConfig
from encorec.retrieval.random_items import RandomConfig, RandomItems
from encorec.retrieval.repeats import Repeats, RepeatsConfig
from encorec.retrieval.sasrec import SASRec, SASRecConfig
from encorec.retrieval.scoring import ScoringRetriever
from encorec.retrieval.svd import SVD, SVDConfig
from encorec.retrieval.two_tower import TwoTower, TwoTowerConfig
from encorec.retrieval.user_knn import UserKNN, UserKNNConfig

__all__ = ["RETRIEVERS", "RetrieverConfig", "make_retriever", "restore_retriever"]

RetrieverConfig = (
    PopularityConfig
    | ItemKNNConfig
    | EASEConfig
    | ALSConfig
    | CovisitationConfig
    | RepeatsConfig
    | ContinueWatchingConfig
    | RandomConfig
    | UserKNNConfig
    | ContentKNNConfig
    | SVDConfig
    | BPRConfig
    | HybridConfig
    | TwoTowerConfig
    | NeuMFConfig
    | SASRecConfig
)

RETRIEVERS: Mapping[type[Config], type[ScoringRetriever]] = {
    PopularityConfig: Popularity,
    ItemKNNConfig: ItemKNN,
    EASEConfig: EASE,
    ALSConfig: ALS,
    CovisitationConfig: Covisitation,
    RepeatsConfig: Repeats,
    ContinueWatchingConfig: ContinueWatching,
    RandomConfig: RandomItems,
    UserKNNConfig: UserKNN,
    ContentKNNConfig: ContentKNN,
    SVDConfig: SVD,
    BPRConfig: BPR,
    HybridConfig: Hybrid,
    TwoTowerConfig: TwoTower,
    NeuMFConfig: NeuMF,
    SASRecConfig: SASRec,
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
