"""Training a two-stage recommender honestly.

Every label fold is an exam cut exactly as the test is: retrievers and features are fitted on what came before it, asked
at its time, and the ranker learns from what the users did next. A retriever that has seen the labels would turn the
gain into a loss, so what each was fitted on is written down and compared with the fold (``leakage``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig
from encorec.pipeline.eligibility import SeenRule
from encorec.pipeline.fold_rows import FoldRows, RetrievalCeiling
from encorec.pipeline.leakage import Origin
from encorec.pipeline.retriever_fit import fit_retriever
from encorec.pipeline.score_calibration import divided
from encorec.pipeline.training_config import TrainingConfig
from encorec.pipeline.two_stage import FirstStage
from encorec.pipeline.varied_selector import SelectionConfig
from encorec.protocols import Retriever
from encorec.ranking.calibration import CalibrationKind
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.labels import aged
from encorec.ranking.registry import LearntRanker, RankerConfig, grow_again, make_ranker
from encorec.ranking.training_set import TrainingSet
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.registry import RetrieverConfig

__all__ = [
    "CandidatesConfig",
    "FoldRows",
    "PipelineConfig",
    "Progress",
    "RetrievalCeiling",
    "TaughtRanker",
    "TrainingConfig",
    "fit_first_stage",
    "fit_ranker",
]

Progress = Callable[[str, int, int], None]
_DAY = 86_400


class CandidatesConfig(Config):
    """How many items the retrievers propose.

    Args:
        per_source: items asked of each retriever.
        quotas: other numbers for some of them, by source name; 0 = only score what others propose.
    """

    per_source: int = 100
    quotas: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        bounded(self, per_source=(1, 100_000))
        for name, quota in self.quotas.items():
            if not 0 <= quota <= 100_000:
                raise ConfigError(f"candidates: quotas.{name} is {quota}, allowed is 0 to 100000")


class PipelineConfig(Config):
    """The two stages and how they are trained.

    Args:
        retrievers: by source name; names are free.
        candidates: how many items they propose.
        features: what the ranker sees.
        ranker: how it orders.
        training: what it learns from.
        seen: whether items of a user's history may be shown again.
        selection: how the slate is chosen from what it ordered.
        calibration: map from its scores to probabilities that items are taken; the order stays.
    """

    retrievers: dict[str, RetrieverConfig]
    candidates: CandidatesConfig = CandidatesConfig()
    features: FeatureConfig = FeatureConfig()
    ranker: RankerConfig = CatBoostConfig()
    training: TrainingConfig = TrainingConfig()
    seen: SeenRule = "exclude"
    selection: SelectionConfig = SelectionConfig()
    calibration: CalibrationKind = "none"

    def __post_init__(self) -> None:
        if not self.retrievers:
            raise ConfigError(
                "retrievers: at least one is needed, for example [retrievers.popular] kind = 'popularity'"
            )
        for name in self.retrievers:
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise ConfigError(
                    f"retrievers: {name!r} must name a folder too; allowed are letters, digits, - _ and ."
                )
        for field, names in (
            ("candidates.quotas", self.candidates.quotas),
            ("features.recent_sources", self.features.recent_sources or ()),
        ):
            for name in names:
                if name not in self.retrievers:
                    raise ConfigError(f"{field}: {unknown_name('retriever', name, self.retrievers)}")
        if not any(self.quotas().values()):
            raise ConfigError("candidates.quotas: all are 0, so nothing is ever proposed; give one retriever a quota")

    def quotas(self) -> dict[str, int]:
        """Items asked of each retriever."""
        return {name: self.candidates.quotas.get(name, self.candidates.per_source) for name in self.retrievers}

    def resolved_features(self) -> FeatureConfig:
        """The features with ``recent_sources`` named, and without groups that can tell nothing here."""
        recent = self.features.recent_sources
        if recent is None:
            kinds = CovisitationConfig | ItemKNNConfig
            recent = tuple(name for name, one in self.retrievers.items() if isinstance(one, kinds))
        unused = {"own"} if self.seen == "exclude" else set[str]()
        groups = tuple(name for name in self.features.groups if name not in unused)
        return msgspec.structs.replace(self.features, groups=groups, recent_sources=recent)


def fit_first_stage(config: PipelineConfig, data: Dataset, seed: int, progress: Progress | None = None) -> FirstStage:
    """Fit every retriever and every feature table on ``data``.

    Args:
        config: the pipeline.
        data: everything that may be learnt from.
        seed: each retriever gets its own stream of it.
        progress: told what is being fitted, how many are done, and of how many; of networks every epoch.
    """
    retrievers: dict[str, Retriever] = {}
    for place, (name, one) in enumerate(config.retrievers.items()):
        if progress:
            progress(f"fit {name}", place, len(config.retrievers))
        rng = np.random.default_rng([seed, place])
        retrievers[name] = fit_retriever(name, one, data, rng, progress)
    features = CandidateFeatures.fit(config.resolved_features(), tuple(retrievers), data)
    return FirstStage(retrievers, config.quotas(), features, Origin.of(data))


@dataclass(frozen=True)
class TaughtRanker:
    """What the label folds made of a ranker.

    Args:
        served: learnt from all of them (``training.newest_teaches``).
        apart: learnt without the newest one, or without some of its users where there is no other; calibration and
            routing are decided with it on the rows it has not seen.
    """

    served: LearntRanker
    apart: LearntRanker


def fit_ranker(
    config: PipelineConfig,
    parts: list[FoldRows],
    names: tuple[str, ...],
    seed: int,
    progress: Progress | None = None,
) -> TaughtRanker:
    """The ranker over the label folds: the older ones teach it, the newest says when to stop and then teaches too.

    Users held out of the same fold would not do to say when: what sold well in those days is in all their rows, so
    trees could go on learning a season that is over by the time of asking. A single fold has no choice and holds out
    users.

    Args:
        config: the pipeline.
        parts: label folds, newest first.
        names: of the features.
        seed: of the trees.
        progress: told how many trees are grown.

    Raises:
        DataError: no fold has anything to teach.
    """
    teaching = [part for part in parts if part.rows.label.any()]
    if not teaching:
        raise DataError(f"none of {len(parts)} label folds holds an item that a retriever proposed and a user took")
    training, told = config.training, None if progress is None else partial(progress, "grow trees")
    decided = config.calibration != "none" or teaching[0].routing is not None
    newest, older = teaching[0].rows, _joined(teaching[1:], training.half_life)
    rows, watched = divided(decided, newest, seed) if older is None else (older, newest)
    apart = make_ranker(config.ranker).fit(rows, names, seed=seed, watched=watched, progress=told)
    every = _joined(teaching, training.half_life) if training.newest_teaches else None
    if every is None:
        return TaughtRanker(apart, apart)
    told = None if progress is None else partial(progress, "grow trees from all folds")
    return TaughtRanker(grow_again(apart, every, names, seed=seed, progress=told), apart)


def _joined(parts: list[FoldRows], half_life: float | None) -> TrainingSet | None:
    """Rows of the folds, weighed by their age where that is wanted; none where there are no folds."""
    if not parts:
        return None
    days = [(parts[0].asked - part.asked) / _DAY for part in parts]
    return TrainingSet.join(aged([part.rows for part in parts], days, half_life))
