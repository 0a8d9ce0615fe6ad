"""Driver: the metrics of RecTools. Its own names stand on the left, its options are those that match Encorec's."""

import pandas as pd
from dialogue import serve, timed
from rectools import Columns
from rectools.metrics import (
    MAP,
    MRR,
    NDCG,
    AvgRecPopularity,
    CatalogCoverage,
    HitRate,
    IntraListDiversity,
    MeanInvUserFreq,
    PairwiseHammingDistanceCalculator,
    Precision,
    Recall,
    Serendipity,
    calc_metrics,
)

ACCURACY = {"precision": Precision, "recall": Recall, "hit_rate": HitRate, "map": MAP, "mrr": MRR}
NOVELTY = {"miuf": MeanInvUserFreq, "serendipity": Serendipity, "avg_popularity": AvgRecPopularity}
TABLES = {}


def load(folder, items):
    """Read the tables once; ``items`` is the size of the catalogue."""
    for name in ("recommended", "truth", "train"):
        TABLES[name] = pd.read_parquet(f"{folder}/{name}.parquet")
    TABLES["features"] = pd.read_parquet(f"{folder}/features.parquet").set_index(Columns.Item)
    TABLES["catalog"] = range(items)


def metric_set(k):
    """The accuracy and novelty metrics."""
    plain = {name: kind(k=k) for name, kind in {**ACCURACY, **NOVELTY}.items()}
    return {**plain, "ndcg": NDCG(k=k, divide_by_achievable=True), "coverage": CatalogCoverage(k=k, normalize=True)}


def accuracy_and_novelty(k):
    """Values and seconds of one call for all of them."""
    values, seconds = timed(
        lambda: calc_metrics(
            metric_set(k),
            reco=TABLES["recommended"],
            interactions=TABLES["truth"],
            prev_interactions=TABLES["train"],
            catalog=TABLES["catalog"],
        )
    )
    return {"values": values, "seconds": seconds}


def diversity(k, users):
    """Values and seconds of intra-list diversity for the first ``users``."""
    table = TABLES["recommended"]
    table = table[table[Columns.User] < users]
    distance = PairwiseHammingDistanceCalculator(TABLES["features"])
    values, seconds = timed(lambda: calc_metrics({"ild": IntraListDiversity(k, distance)}, reco=table))
    return {"values": values, "seconds": seconds}


if __name__ == "__main__":
    serve({"load": load, "accuracy_and_novelty": accuracy_and_novelty, "diversity": diversity})
