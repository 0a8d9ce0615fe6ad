"""Driver: the metrics of RePlay on Polars frames, its fastest kind of frame."""

import polars as pl
from dialogue import serve, timed
from replay.metrics import MAP, MRR, NDCG, Coverage, HitRate, OfflineMetrics, Precision, Recall, Surprisal

NAMES = {
    "MAP": "map",
    "NDCG": "ndcg",
    "MRR": "mrr",
    "Recall": "recall",
    "Precision": "precision",
    "HitRate": "hit_rate",
}
TABLES = {}


def load(folder):
    """Read the tables once, with the names that RePlay wants; its ``rating`` puts rank 1 first."""
    ids = {"user_id": "query_id"}
    for name in ("recommended", "truth", "train"):
        TABLES[name] = pl.read_parquet(f"{folder}/{name}.parquet").rename(ids)
    rank = pl.col("rank").cast(pl.Float64)
    TABLES["recommended"] = TABLES["recommended"].with_columns(rating=-rank).drop("rank")


def accuracy_and_novelty(k):
    """Values and seconds of one call: the accuracy metrics, surprisal (of the kind of MIUF) and coverage."""
    metrics = [one(k) for one in (MAP, NDCG, MRR, Recall, Precision, HitRate, Surprisal, Coverage)]
    judge = OfflineMetrics(metrics)
    values, seconds = timed(lambda: judge(TABLES["recommended"], TABLES["truth"], TABLES["train"]))
    found = {name.partition("@")[0]: float(value) for name, value in values.items()}
    return {"values": {NAMES[name]: value for name, value in found.items() if name in NAMES}, "seconds": seconds}


if __name__ == "__main__":
    serve({"load": load, "accuracy_and_novelty": accuracy_and_novelty})
