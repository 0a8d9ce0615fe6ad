"""Candidate features: one numeric row per candidate, computed by the same code in training and in the service.

Everything comes from the query (history, features, now), the candidates, and tables learnt from the past; groups are
columns of one matrix. A new group is a new file here and one line in ``GROUPS``.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError
from encorec.pipeline.candidate_features.context import Context
from encorec.pipeline.candidate_features.item_activity import ItemActivity
from encorec.pipeline.candidate_features.own_history import OwnHistory
from encorec.pipeline.candidate_features.recent_similarity import RecentSimilarity
from encorec.pipeline.candidate_features.segment_taste import SegmentTaste
from encorec.pipeline.candidate_features.session import Session
from encorec.pipeline.candidate_features.source_scores import SourceScores
from encorec.pipeline.candidate_features.static_values import StaticValues
from encorec.pipeline.candidate_features.time_of_asking import TimeOfAsking
from encorec.pipeline.candidate_features.traits import Traits
from encorec.pipeline.candidate_features.user_activity import UserActivity
from encorec.protocols import Arrays, Retriever
from encorec.types import Candidates, FloatMatrix, Queries

__all__ = ["CandidateFeatures", "FeatureConfig"]

GroupName = Literal["scores", "recent", "items", "users", "traits", "static", "own", "segments", "time", "session"]
LEARNT = {one.group: one for one in (ItemActivity, UserActivity, Traits, StaticValues, SegmentTaste, TimeOfAsking)}


class FeatureConfig(Config):
    """Which groups of features the ranker sees.

    - ``scores``: what the retrievers say: scores, ranks, agreement.
    - ``recent``: scores for the newest events alone.
    - ``items``: events of the item in windows of days, trend, age.
    - ``users``: size, pace and recency of the history, popularity of what is in it.
    - ``traits``: how far genres, categories and numbers of the item agree with the history.
    - ``static``: features of item and user as they are.
    - ``own``: what the user did with the item before; used only where seen items may be shown again.
    - ``segments``: how much more often users of the same category took the item, per user feature; not used by default.
    - ``time``: hour and weekday of asking, and how much the item is taken at such times; not used by default.
    - ``session``: events and minutes of the current session; not used by default.

    Args:
        groups: names of the groups, in the order of their columns.
        recent_events: lengths of the shortened histories that the ``recent`` sources are asked with.
        recent_sources: retrievers asked with shortened histories; none = those of item-to-item kind.
        session_gap: longest pause between two events of one session, in minutes.
    """

    groups: tuple[GroupName, ...] = ("scores", "recent", "items", "users", "traits", "static", "own")
    recent_events: tuple[int, ...] = (1, 3)
    recent_sources: tuple[str, ...] | None = None
    session_gap: float = 30.0

    def __post_init__(self) -> None:
        bounded(self, session_gap=(1, 1440))
        if len(set(self.groups)) != len(self.groups) or not self.groups:
            raise ConfigError(f"features: groups must be named once each, got {', '.join(self.groups) or 'none'}")
        if any(events < 1 for events in self.recent_events):
            raise ConfigError(f"features: recent_events must be at least 1, got {self.recent_events}")


class CandidateFeatures:
    """The columns of the ranker, in order.

    Args:
        config: which groups, already resolved for the retrievers at hand.
        sources: names of the retrievers, in the order of ``Candidates.score``.
        learnt: fitted groups by name.
    """

    def __init__(self, config: FeatureConfig, sources: tuple[str, ...], learnt: Mapping[str, Any]) -> None:
        self.config = config
        self.sources = sources
        self._groups = [self._group(name, learnt) for name in config.groups]
        self.names = tuple(name for group in self._groups for name in group.names)

    @classmethod
    def fit(cls, config: FeatureConfig, sources: tuple[str, ...], data: Dataset) -> "CandidateFeatures":
        """Learn the tables of every group from data that end before the questions begin."""
        return cls(config, sources, {name: LEARNT[name].fit(data) for name in config.groups if name in LEARNT})

    def compute(self, queries: Queries, candidates: Candidates, retrievers: Mapping[str, Retriever]) -> FloatMatrix:
        """(m, features) float32, columns as ``names``; NaN where something is unknown."""
        context = Context(queries, candidates, retrievers)
        out = np.empty((len(candidates), len(self.names)), np.float32, order="F")
        start = 0
        for group in self._groups:
            group.compute(context, out[:, start : start + len(group.names)])
            start += len(group.names)
        return out

    def arrays(self) -> Arrays:
        """Everything learnt, as ``group.array``."""
        return {
            f"{group.group}.{name}": array
            for group in self._groups
            if group.group in LEARNT
            for name, array in group.arrays().items()
        }

    def learnt_names(self) -> dict[str, tuple[str, ...]]:
        """Feature names of every learnt group: they depend on the data."""
        return {group.group: group.names for group in self._groups if group.group in LEARNT}

    @classmethod
    def from_arrays(
        cls,
        config: FeatureConfig,
        sources: tuple[str, ...],
        names: Mapping[str, tuple[str, ...]],
        arrays: Mapping[str, NDArray[Any]],
    ) -> "CandidateFeatures":
        """The features that ``learnt_names()`` and ``arrays()`` were taken from."""
        learnt: dict[str, Any] = {}
        for group, feature_names in names.items():
            own = {key.partition(".")[2]: array for key, array in arrays.items() if key.startswith(f"{group}.")}
            learnt[group] = LEARNT[group](tuple(feature_names), own)
        return cls(config, sources, learnt)

    def _group(self, name: str, learnt: Mapping[str, Any]) -> Any:
        if name == "scores":
            return SourceScores(self.sources)
        if name == "recent":
            asked = [(one, events) for one in self.config.recent_sources or () for events in self.config.recent_events]
            return RecentSimilarity(tuple(asked))
        if name == "session":
            return Session(self.config.session_gap)
        return OwnHistory() if name == "own" else learnt[name]
