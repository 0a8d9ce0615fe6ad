"""Driver: lists of the single models of RecTools and implicit, with settings that are given."""

from datetime import timedelta

import numpy as np
import pandas as pd
from dialogue import serve, timed
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import (
    EASEModel,
    ImplicitALSWrapperModel,
    ImplicitBPRWrapperModel,
    ImplicitItemKNNWrapperModel,
    LightFMWrapperModel,
    PopularModel,
    PureSVDModel,
    RandomModel,
)
from rectools_models import fill
from threadpoolctl import threadpool_limits

KNN = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}
DATA = {}


def load(folder):
    """Read the past, the users who are asked for, and what is known of users and items."""
    table = pd.read_parquet(f"{folder}/past.parquet").rename(columns={"timestamp": Columns.Datetime})
    table[Columns.Datetime] = pd.to_datetime(table[Columns.Datetime], unit="s")
    DATA.update(table=table.assign(**{Columns.Weight: 1.0}), users=np.load(f"{folder}/users.npy"))
    for side in ("user", "item"):
        DATA[side] = pd.read_parquet(f"{folder}/{side}_features.parquet").rename(columns={f"{side}_id": "id"})


def random(seed):
    """Any items."""
    return RandomModel(random_state=seed)


def popular(days=None):
    """The most popular, of all times or of the last days."""
    return PopularModel(period=None if days is None else timedelta(days=days))


def item_knn(weighting, neighbours, **settings):
    """Nearest neighbours of implicit."""
    return ImplicitItemKNNWrapperModel(KNN[weighting](K=neighbours, **settings))


class TurnedEASE(EASEModel):
    """EASE with its weights the way round that Steck (2019) published: RecTools ranks by their transpose."""

    def _fit(self, dataset):
        super()._fit(dataset)
        self.weight = np.ascontiguousarray(self.weight.T)


def ease(reg, turned=False):
    """The linear autoencoder, as it is or turned to the published weights."""
    return (TurnedEASE if turned else EASEModel)(regularization=reg)


def pure_svd(seed, factors):
    """The truncated singular value decomposition."""
    return PureSVDModel(factors=factors, random_state=seed)


def ials(seed, factors, alpha, reg, epochs, together=False):
    """Alternating least squares of implicit; with features, learnt together with the vectors or after them."""
    model = AlternatingLeastSquares(
        factors=factors, alpha=alpha, regularization=reg, iterations=epochs, random_state=seed
    )
    return ImplicitALSWrapperModel(model, fit_features_together=together)


def bpr(seed, factors, learning_rate, reg, epochs):
    """Bayesian personalised ranking of implicit, on one thread, which alone makes it repeatable."""
    model = BayesianPersonalizedRanking(
        factors=factors,
        learning_rate=learning_rate,
        regularization=reg,
        iterations=epochs,
        random_state=seed,
        num_threads=1,
    )
    return ImplicitBPRWrapperModel(model)


def lightfm(seed, factors, epochs, loss="warp", **settings):
    """Hybrid factorisation of LightFM, on one thread."""
    from lightfm import LightFM

    model = LightFM(no_components=factors, loss=loss, random_state=seed, **settings)
    return LightFMWrapperModel(model, epochs=epochs, num_threads=1, recommend_use_gpu_ranking=False)


MODELS = {
    "random": random,
    "popular": popular,
    "item_knn": item_knn,
    "ease": ease,
    "pure_svd": pure_svd,
    "ials": ials,
    "bpr": bpr,
    "lightfm": lightfm,
}
BY_CHANCE = ("random", "pure_svd", "ials", "bpr", "lightfm")
ONE_BLAS_THREAD = ("ials", "bpr")  # as implicit itself warns


def dataset(table, features):
    """The interactions, and the features of the users and items in them: 0 and 1 for every value, numbers as they are.

    Args:
        table: interactions.
        features: ``user``, ``item``, both or neither.
    """
    known = {}
    for side in features:
        rows = DATA[side]
        rows = rows[rows["id"].isin(table[f"{side}_id"])]
        known[f"{side}_features_df"] = rows[["id", "feature", "value"]]
        known[f"cat_{side}_features"] = sorted(set(rows["feature"]))
    return Dataset.construct(table, **known)


def recommend(system, settings, seed, k, keep_seen, out, features=(), once=False):
    """Fit, recommend to the users and write (users, k) items; returns the seconds of both.

    Args:
        system: name of the model.
        settings: of the model.
        seed: of the model.
        k: places.
        keep_seen: whether items of the history may be recommended.
        out: .npy file; places that the model leaves empty are filled by popularity.
        features: sides whose features the model is given.
        once: a pair of user and item counts once, however often it happened.
    """
    table, users = DATA["table"], DATA["users"]
    if once:
        table = table.drop_duplicates(Columns.UserItem, keep="last")
    seeded = {"seed": seed} if system in BY_CHANCE else {}
    model, data = MODELS[system](**settings, **seeded), dataset(table, features)

    def found():
        with threadpool_limits(limits=1 if system in ONE_BLAS_THREAD else None, user_api="blas"):
            model.fit(data)
        return model.recommend(users, data, k, filter_viewed=not keep_seen, on_unsupported_targets="ignore")

    table, seconds = timed(found)
    lists = np.full((len(users), k), -1, np.int32)
    place = pd.Series(np.arange(len(users)), index=users)
    lists[table[Columns.User].map(place), table[Columns.Rank] - 1] = table[Columns.Item]
    fill(lists, users, DATA["table"], keep_seen)
    np.save(out, lists)
    return {"seconds": seconds}


if __name__ == "__main__":
    serve({"load": load, "recommend": recommend})
