"""Training a two-stage recommender honestly.

Every label fold is an exam cut exactly as the test is: retrievers and features are fitted on what came before it, asked
at its time, and the ranker learns from what the users did next. A retriever that has seen the labels would turn the
gain into a loss, so ``fold_rows`` is given nothing but the fold, whose past holds no row of its truth.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.splits import Fold
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.two_stage import FirstStage, query_blocks
from encorec.protocols import Retriever
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.training_set import TrainingSet, label, sample
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.registry import RetrieverConfig, make_retriever
from encorec.types import Candidates, FloatVector, IntVector, Queries

__all__ = [
    "CandidatesConfig",
    "FoldRows",
    "PipelineConfig",
    "Progress",
    "RetrievalCeiling",
    "TrainingConfig",
    "fit_first_stage",
    "fit_ranker",
    "fold_rows",
]

Progress = Callable[[str, int, int], None]


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


class TrainingConfig(Config):
    """What the ranker learns from.

    Args:
        folds: label folds before the test; the newest says when to stop, the others teach.
        negatives: candidates not taken that are kept per query.
        max_queries: users per fold; more are drawn at random.
        guard: where the ranker does not win the exam, the artifact serves the order of the best retriever instead.
    """

    folds: int = 5
    negatives: int = 60
    max_queries: int = 50_000
    guard: bool = True

    def __post_init__(self) -> None:
        bounded(self, folds=(1, 1000), negatives=(1, 100_000), max_queries=(1, 10**9))


class PipelineConfig(Config):
    """The two stages and how they are trained.

    Args:
        retrievers: by source name; names are free.
        candidates: how many items they propose.
        features: what the ranker sees.
        ranker: how it orders.
        training: what it learns from.
        seen: whether items of a user's history may be shown again.
    """

    retrievers: dict[str, RetrieverConfig]
    candidates: CandidatesConfig = CandidatesConfig()
    features: FeatureConfig = FeatureConfig()
    ranker: CatBoostConfig = CatBoostConfig()
    training: TrainingConfig = TrainingConfig()
    seen: SeenRule = "exclude"

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


class RetrievalCeiling(msgspec.Struct, frozen=True, kw_only=True):
    """Share of what users took that retrieval proposed at all: no ranker can do better.

    Args:
        fold: name.
        queries: users asked.
        truth: items that they took.
        union: share proposed by any source.
        sources: share proposed by each source.
        candidates_per_query: mean size of the union.
    """

    fold: str
    queries: int
    truth: int
    union: float
    sources: dict[str, float]
    candidates_per_query: float


@dataclass(frozen=True)
class FoldRows:
    """What one label fold teaches the ranker, and what it could not teach."""

    rows: TrainingSet
    ceiling: RetrievalCeiling


def fit_first_stage(config: PipelineConfig, data: Dataset, seed: int, progress: Progress | None = None) -> FirstStage:
    """Fit every retriever and every feature table on ``data``.

    Args:
        config: the pipeline.
        data: everything that may be learnt from.
        seed: each retriever gets its own stream of it.
        progress: told what is being fitted, how many are done, and of how many.
    """
    retrievers: dict[str, Retriever] = {}
    for place, (name, one) in enumerate(config.retrievers.items()):
        if progress:
            progress(f"fit {name}", place, len(config.retrievers))
        retrievers[name] = make_retriever(one).fit(data, rng=np.random.default_rng([seed, place]))
    features = CandidateFeatures.fit(config.resolved_features(), tuple(retrievers), data)
    return FirstStage(retrievers, config.quotas(), features)


def fold_rows(
    config: PipelineConfig, fold: Fold, first: FirstStage, seed: int, progress: Progress | None = None
) -> FoldRows:
    """Candidates of the fold's users, their features, and what they took: rows for the ranker.

    Args:
        config: the pipeline.
        fold: an exam.
        first: the first stage, fitted on ``fold.past``.
        seed: of the draw of negatives.
        progress: told how many queries are done.
    """
    rng = np.random.default_rng([seed, len(fold.past.interactions)])
    asked = _asked(len(fold), config.training.max_queries, rng)
    queries, truth, user = fold_queries(fold, config.seen).take(asked), fold.truth.take(asked), fold.user[asked]
    parts: list[TrainingSet] = []
    hits, proposals = np.zeros(len(first.retrievers) + 1), 0
    for block in query_blocks(queries):
        if progress:
            progress(f"candidates of fold {fold.name}", block.start, len(queries))
        part = queries.take(block)
        candidates = first.candidates(part)
        taken = label(candidates, truth.take(block))
        hits += _proposed_hits(candidates, taken)
        proposals += len(candidates)
        parts.append(_block_rows(config, first, part, candidates, taken, user[block], rng))
    rows = TrainingSet.join(parts)
    shares = (hits / max(len(truth.item), 1)).tolist()
    ceiling = RetrievalCeiling(
        fold=fold.name,
        queries=len(queries),
        truth=len(truth.item),
        union=shares[-1],
        sources=dict(zip(first.retrievers, shares, strict=False)),
        candidates_per_query=proposals / max(len(queries), 1),
    )
    return FoldRows(rows, ceiling)


def _asked(n: int, limit: int, rng: np.random.Generator) -> IntVector:
    return np.arange(n) if n <= limit else np.sort(rng.choice(n, limit, replace=False))


def _proposed_hits(candidates: Candidates, taken: FloatVector) -> FloatVector:
    """(sources + 1,) items taken that each source proposed, and any of them."""
    return np.append(candidates.proposed[taken > 0].sum(axis=0), taken.sum())


def _block_rows(
    config: PipelineConfig,
    first: FirstStage,
    queries: Queries,
    candidates: Candidates,
    taken: FloatVector,
    user: IntVector,
    rng: np.random.Generator,
) -> TrainingSet:
    kept = sample(taken, candidates.query, config.training.negatives, rng)
    features = first.features.compute(queries, candidates, first.retrievers)[kept]
    query = candidates.query[kept]
    return TrainingSet(features, taken[kept], query.astype(np.int64), user[query])


def fit_ranker(
    config: PipelineConfig,
    parts: list[FoldRows],
    names: tuple[str, ...],
    seed: int,
    progress: Progress | None = None,
) -> CatBoostRanker:
    """The ranker over the label folds: the older ones teach it, the newest says when to stop.

    Users held out of the same fold would not do: what sold well in those days is in all their rows, so trees could go
    on learning a season that is over by the time of asking. A single fold has no choice and holds out users.

    Args:
        config: the pipeline.
        parts: label folds, newest first.
        names: of the features.
        seed: of the trees.
        progress: told how many trees are grown.

    Raises:
        DataError: no fold has anything to teach.
    """
    taught = [part.rows for part in parts if part.rows.label.any()]
    if not taught:
        raise DataError(f"none of {len(parts)} label folds holds an item that a retriever proposed and a user took")
    newest, *older = taught
    rows, watched = (TrainingSet.join(older), newest) if older else (newest, None)
    told = None if progress is None else partial(progress, "grow trees")
    return CatBoostRanker(config.ranker).fit(rows, names, seed=seed, watched=watched, progress=told)
