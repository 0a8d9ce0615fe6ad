"""Lists of a million users in Parquet files, to be judged in a process of its own."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.speed.size import SEED

from encorec.evaluation.frames.measure import metrics

__all__ = ["METRICS", "K", "judge_files"]

USERS, ITEMS, K, TRAIN_EACH = 1_000_000, 20_000, 10, 5
METRICS = (
    *("precision", "recall", "f1", "hit_rate", "mrr", "map", "ndcg"),
    *("miuf", "serendipity", "avg_popularity", "coverage", "gini"),
)


def judge_files(text: bool) -> Callable[[], float]:
    """Reads lists, truth and training interactions, and judges."""
    folder = Path(tempfile.mkdtemp(prefix="encorec-judging-"))
    for name, frame in drawn(np.random.default_rng(SEED)).items():
        ids = [pl.format("u{}", "user_id").alias("user_id"), pl.format("i{}", "item_id").alias("item_id")]
        (frame.with_columns(ids) if text else frame).write_parquet(folder / f"{name}.parquet")

    def run() -> float:
        lists, truth, train = (pl.read_parquet(folder / f"{name}.parquet") for name in ("lists", "truth", "train"))
        metrics(lists, truth, [f"{name}@{K}" for name in METRICS], train=train)
        return USERS

    return run


def drawn(rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Lists of which three in ten relevant items are hits, one to five relevant items per user, rows in any order."""
    user = rng.permutation(3 * USERS)[:USERS]
    item = rng.integers(0, ITEMS // K, (USERS, K)) * K + np.arange(K)
    owner = np.repeat(np.arange(USERS), rng.integers(1, 6, USERS))
    hit = rng.random(len(owner)) < 0.3
    wanted = np.where(hit, item[owner, rng.integers(0, K, len(owner))], rng.integers(0, ITEMS, len(owner)))
    order, rank = rng.permutation(USERS * K), np.tile(np.arange(1, K + 1), USERS)
    lists = {"user_id": np.repeat(user, K)[order], "item_id": item.ravel()[order], "rank": rank[order]}
    past = {"user_id": np.repeat(user, TRAIN_EACH), "item_id": rng.integers(0, ITEMS, USERS * TRAIN_EACH)}
    truth = pl.DataFrame({"user_id": user[owner], "item_id": wanted}).unique(maintain_order=True)
    return {
        "lists": pl.DataFrame(lists),
        "truth": truth.sample(fraction=1, shuffle=True, seed=SEED),
        "train": pl.DataFrame(past),
    }
