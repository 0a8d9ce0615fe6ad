"""The two-stage against RecTools' CandidateRankingModel at the size of KION: one user, and 50,000 users in one call.

Both have a popular and a cosine kNN generator (100 neighbours), 30 candidates of each, and 300 trees of depth 6 by
CatBoost. Encorec is measured twice: with its own features and ranker, which is more work than RecTools does (that
ranks by the scores and ranks of the generators only), and with RecTools' own booster, taken from its file and fed the
same columns; the scores of the two must then agree.

RecTools is called in its own process and timed there, around ``recommend`` alone. Encorec is asked for one user as the
service asks it (``Engine.recommend``: ids in, ids out), and for many as ``encorec recommend`` does, file included.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import versions
from benchmarks.record import Measurement, in_turns, ratio, write

from encorec.data.dataset import Dataset
from encorec.data.sources import SyntheticKion, load
from encorec.data.splits import TimeCut
from encorec.pipeline.artifact import load_artifact, save_artifact
from encorec.pipeline.batch import recommend_to_file
from encorec.pipeline.candidate_features import CandidateFeatures, FeatureConfig
from encorec.pipeline.engine import Engine
from encorec.pipeline.fit import (
    CandidatesConfig,
    PipelineConfig,
    TrainingConfig,
    fit_first_stage,
    fit_ranker,
)
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.requests import Request
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.protocols import Retriever
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.types import Candidates, FloatMatrix, FloatVector, IntVector, Queries

USERS = 962_179
CANDIDATES, NEIGHBOURS, TREES, TAUGHT, DAYS, K = 30, 100, 300, 20_000, 7, 10
ONE, OUR_ONE, MANY = 5, 200, 50_000
SEED, ROUNDS = 7, 5
BOOSTER = {"iterations": TREES, "depth": 6, "learning_rate": 0.05, "l2_leaf_reg": 5.0}
CONFIG = PipelineConfig(
    retrievers={
        "popular": PopularityConfig(),
        "knn": ItemKNNConfig(weighting="cosine", neighbours=NEIGHBOURS),
    },
    candidates=CandidatesConfig(per_source=CANDIDATES),
    ranker=CatBoostConfig(max_trees=TREES, patience=TREES),
    training=TrainingConfig(folds=1, max_queries=TAUGHT),
)


class RecToolsColumns(CandidateFeatures):
    """The four columns that RecTools' booster is grown on, made from the group ``scores``.

    Args:
        sources: names of the retrievers.
        most: users of the most popular item: RecTools scores by the count, Encorec by the share of the largest.
    """

    def __init__(self, sources: tuple[str, ...], most: int) -> None:
        super().__init__(FeatureConfig(groups=("scores",)), sources, {})
        self._most = most

    def compute(self, queries: Queries, candidates: Candidates, retrievers: Mapping[str, Retriever]) -> FloatMatrix:
        """(m, 4) float32; a generator says nothing of what it did not propose."""
        scores = super().compute(queries, candidates, retrievers)
        named = ("popular_score", "popular_rank", "knn_score", "knn_rank")
        columns = scores[:, [self.names.index(name) for name in named]]
        # Below 0 stand items like none of the history, with which Encorec fills up; RecTools' kNN ends before them.
        popular, knn = ~np.isnan(columns[:, 1]), ~np.isnan(columns[:, 3]) & (columns[:, 2] > 0)
        columns[:, 0] = np.round(columns[:, 0] * self._most)
        columns[~popular, :2], columns[~knn, 2:] = np.nan, np.nan
        return columns


def drawn() -> Dataset:
    """The generated online cinema of KION's size: synthetic, calibrated on KION's marginals."""
    return load(SyntheticKion(users=USERS, seed=SEED))


def trained(data: Dataset, folder: Path) -> Engine:
    """Fitted on the past of the last days for the ranker and on everything for the rest, saved and loaded."""
    fold = TimeCut(days=DAYS).folds(data)[-1]
    part = fold_rows(CONFIG, fold, fit_first_stage(CONFIG, fold.past, SEED), SEED)
    first = fit_first_stage(CONFIG, data, SEED)
    ranker = fit_ranker(CONFIG, [part], first.features.names, SEED).served
    return Engine(load_artifact(save_artifact(folder, TwoStage(first, ranker), CONFIG, data, name="peers", seed=SEED)))


def with_booster(engine: Engine, file: Path, columns: list[str]) -> Engine:
    """The same retrievers with RecTools' booster."""
    models = ("PopularModel_1", "ImplicitItemKNNWrapperModel_1")
    expected = [f"{model}_{kind}" for model in models for kind in ("score", "rank")]
    if columns != expected:
        raise SystemExit(f"RecTools' booster was grown on {columns}, expected were {expected}")
    first = engine.artifact.pipeline.first
    features = RecToolsColumns(tuple(first.retrievers), int(engine.artifact.popularity.max()))
    ranker = CatBoostRanker(trees=msgspec.json.decode(file.read_bytes()))
    pipeline = TwoStage(FirstStage(first.retrievers, first.quotas, features), ranker)
    return Engine(replace(engine.artifact, pipeline=pipeline))


def rectools(data: Dataset, folder: Path, peer: Peer) -> list[str]:
    """Hand the interactions over and have the model fitted; returns the columns of its booster."""
    table, log = data.interactions, folder / "log.parquet"
    ids = {"user_id": data.users.ids[table.user], "item_id": data.items.ids[table.item], "timestamp": table.time}
    pl.DataFrame(ids).write_parquet(log)
    answer = peer.ask(
        "fit",
        log=log,
        model_file=folder / "booster.json",
        candidates=CANDIDATES,
        neighbours=NEIGHBOURS,
        booster=BOOSTER,
        days=DAYS,
        users=TAUGHT,
        seed=SEED,
    )
    print(f"RecTools: fitted in {answer['seconds']:.0f} s", flush=True)
    return answer["columns"]


def seconds_of_one(engine: Engine, users: list[Any]) -> float:
    """Median seconds of one request."""
    times = []
    for user in users:
        began = time.perf_counter()
        engine.recommend([Request(user_id=user, k=K)])
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def seconds_of_many(engine: Engine, users: list[Any], out: Path) -> float:
    """Seconds of the batch job, file included."""
    began = time.perf_counter()
    recommend_to_file(engine, users, K, out, now=engine.artifact.data_end)
    return time.perf_counter() - began


def peer_seconds_of_one(peer: Peer, users: list[Any]) -> float:
    """The same of RecTools."""
    return float(np.median([peer.ask("recommend", users=[user], k=K)["seconds"] for user in users]))


def measured(
    case: str, sides: Mapping[str, Callable[[], float]], unit: str, factor: float, rounds: int
) -> list[Measurement]:
    """All sides in turns, and how many times the first takes what each of the others takes."""
    seconds = in_turns(sides, rounds)
    rows = [
        Measurement(f"{case}: {name}", unit, [factor * one for one in values], SEED) for name, values in seconds.items()
    ]
    theirs, *ours = seconds
    return rows + [ratio(f"{case}: {theirs} / {name}", seconds[theirs], seconds[name], SEED) for name in ours]


def agreement(peer: Peer, engine: Engine, users: list[Any], folder: Path) -> Measurement:
    """Share of users whose ten scores are the same in both systems with the same booster."""
    np.save(folder / "some.npy", users)
    peer.ask("recommend", users=str(folder / "some.npy"), k=K, out=folder / "theirs.parquet")
    theirs = pl.read_parquet(folder / "theirs.parquet").sort("user_id", "rank")
    scores = {one[0]: frame["score"].to_numpy() for one, frame in theirs.group_by("user_id", maintain_order=True)}
    answers = engine.recommend([Request(user_id=user, k=K) for user in users])
    same = [_same(scores[one.user_id], np.array([item.score for item in one.items])) for one in answers]
    return Measurement("same booster: users with the same ten scores", "share", [float(np.mean(same))], SEED)


def _same(probability: FloatVector, raw: FloatVector) -> bool:
    """RecTools gives the probability of the raw score."""
    return len(probability) == len(raw) and np.allclose(probability, 1 / (1 + np.exp(-raw)), atol=1e-5)


def some(data: Dataset, n: int, rng: np.random.Generator) -> list[Any]:
    """Ids of ``n`` users with a history."""
    active: IntVector = np.flatnonzero(data.interactions.user_counts)
    return data.users.externals(rng.choice(active, n, replace=False))


def main() -> None:
    data, rng = drawn(), np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as name, Peer("rectools_two_stage") as peer:
        folder = Path(name)
        columns = rectools(data, folder, peer)
        own = trained(data, folder / "artifact")
        same = with_booster(own, folder / "booster.json", columns)
        few, our_few, many = some(data, ONE, rng), some(data, OUR_ONE, rng), some(data, MANY, rng)
        np.save(folder / "many.npy", many)
        rows = [agreement(peer, same, some(data, 2000, rng), folder)]
        rows += measured(
            "one user",
            {
                "RecTools": partial(peer_seconds_of_one, peer, few),
                "encorec": partial(seconds_of_one, own, our_few),
                "encorec, same booster": partial(seconds_of_one, same, our_few),
            },
            "ms",
            1000,
            ROUNDS,
        )
        rows += measured(
            f"{MANY} users",
            {
                "RecTools": lambda: peer.ask("recommend", users=str(folder / "many.npy"), k=K)["seconds"],
                "encorec": partial(seconds_of_many, own, many, folder / "own.parquet"),
                "encorec, same booster": partial(seconds_of_many, same, many, folder / "same.parquet"),
            },
            "s",
            1,
            ROUNDS,
        )
    write("peer_two_stage", rows, peers=versions())


if __name__ == "__main__":
    main()
