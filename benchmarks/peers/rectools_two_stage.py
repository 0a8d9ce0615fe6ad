"""Driver: RecTools' CandidateRankingModel with a popular and a cosine kNN generator and a CatBoost classifier."""

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from dialogue import serve, timed
from implicit.nearest_neighbours import CosineRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.model_selection import TimeRangeSplitter
from rectools.models import ImplicitItemKNNWrapperModel, PopularModel
from rectools.models.ranking import (
    CandidateGenerator,
    CandidateRankingModel,
    CatBoostReranker,
    PerUserNegativeSampler,
)

FITTED = {}


class SampledUsers(TimeRangeSplitter):
    """The last days as RecTools cuts them, of some of the users only, so that the booster is trained in a minute."""

    def __init__(self, days, users, seed):
        super().__init__(test_size=f"{days}D", n_splits=1)
        self.users, self.seed = users, seed

    def split(self, interactions, collect_fold_stats=False):
        """The one fold, its test rows thinned."""
        for train, test, info in super().split(interactions, collect_fold_stats):
            owner = interactions.df[Columns.User].to_numpy()[test]
            users = np.unique(owner)
            chosen = np.random.default_rng(self.seed).choice(users, min(self.users, len(users)), replace=False)
            yield train, test[np.isin(owner, chosen)], info


def fit(log, model_file, candidates, neighbours, booster, days, users, seed):
    """Fit the model as its users do and write the booster as JSON; returns the seconds."""
    table = pd.read_parquet(log).rename(columns={"timestamp": Columns.Datetime})
    table[Columns.Datetime] = pd.to_datetime(table[Columns.Datetime], unit="s")
    table[Columns.Weight] = 1.0
    FITTED["dataset"] = Dataset.construct(table)
    reranker = CatBoostReranker(CatBoostClassifier(verbose=False, random_seed=seed, **booster))
    knn = ImplicitItemKNNWrapperModel(CosineRecommender(K=neighbours))
    FITTED["model"] = CandidateRankingModel(
        [CandidateGenerator(one, candidates, keep_ranks=True, keep_scores=True) for one in (PopularModel(), knn)],
        SampledUsers(days, users, seed),
        reranker,
        PerUserNegativeSampler(n_negatives=3, random_state=seed),
    )
    _, seconds = timed(lambda: FITTED["model"].fit(FITTED["dataset"]))
    reranker.model.save_model(model_file, format="json")
    return {"seconds": seconds, "columns": reranker.model.feature_names_}


def recommend(users, k, out=None):
    """Recommend to ``users`` in one call; returns the seconds, and writes the table where that is wanted."""
    if isinstance(users, str):
        users = np.load(users)
    table, seconds = timed(
        lambda: FITTED["model"].recommend(users=users, dataset=FITTED["dataset"], k=k, filter_viewed=True)
    )
    if out is not None:
        table.to_parquet(out)
    return {"seconds": seconds, "rows": len(table)}


if __name__ == "__main__":
    serve({"fit": fit, "recommend": recommend})
