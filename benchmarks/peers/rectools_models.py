"""Driver: lists of the models of RecTools for the folds of a data set."""

from datetime import timedelta

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRanker
from dialogue import serve, timed
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.model_selection import LastNSplitter, TimeRangeSplitter
from rectools.models import (
    EASEModel,
    ImplicitALSWrapperModel,
    ImplicitItemKNNWrapperModel,
    PopularModel,
    PureSVDModel,
)
from rectools.models.ranking import (
    CandidateFeatureCollector,
    CandidateGenerator,
    CandidateRankingModel,
    CatBoostReranker,
    PerUserNegativeSampler,
)
from threadpoolctl import threadpool_limits

KNN = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}
FOLDS, FEATURES = {}, {}


def load(folder, folds):
    """Read the past and the users of every fold, and what is known of users and items."""
    FOLDS.clear()
    for fold in folds:
        table = pd.read_parquet(f"{folder}/past-{fold}.parquet").rename(columns={"timestamp": Columns.Datetime})
        table[Columns.Datetime] = pd.to_datetime(table[Columns.Datetime], unit="s")
        table[Columns.Weight] = 1.0
        FOLDS[fold] = (table, np.load(f"{folder}/users-{fold}.npy"))
    for side in ("users", "items"):
        FEATURES[side] = pd.read_parquet(f"{folder}/{side}.parquet")


def popular(days=None):
    """The most popular, of all times or of the last days."""
    return PopularModel(period=None if days is None else timedelta(days=days))


def item_knn(weighting, neighbours):
    """Nearest neighbours of implicit."""
    return ImplicitItemKNNWrapperModel(KNN[weighting](K=neighbours))


def ials(factors, alpha, reg):
    """Alternating least squares of implicit."""
    model = AlternatingLeastSquares(factors=factors, alpha=alpha, regularization=reg, iterations=15, random_state=7)
    return ImplicitALSWrapperModel(model)


def ease(reg):
    """The linear autoencoder."""
    return EASEModel(regularization=reg)


def pure_svd(factors):
    """The truncated singular value decomposition."""
    return PureSVDModel(factors=factors, random_state=7)


MODELS = {"popular": popular, "item_knn": item_knn, "ials": ials, "ease": ease, "pure_svd": pure_svd}


class DataFeatures(CandidateFeatureCollector):
    """What is known of users and items, the length of the history and the popularity of the item."""

    def _get_user_features(self, users, dataset, fold_info):
        return self._known("users", Columns.User, users, dataset)

    def _get_item_features(self, items, dataset, fold_info):
        return self._known("items", Columns.Item, items, dataset)

    def _known(self, side, key, ids, dataset):
        counts = dataset.get_raw_interactions()[key].value_counts()
        known = FEATURES[side]
        known = known[known[key].isin(ids)]
        return known.assign(**{f"{side}_count": known[key].map(counts).fillna(0)})


def two_stage(generators, candidates, negatives, booster, trees, exam, keep_seen):
    """CandidateRankingModel over the given generators.

    Args:
        generators: (name, settings) of the first stage.
        candidates: of each of them.
        negatives: per user.
        booster: ``classifier`` or ``ranker``.
        trees: grown.
        exam: ``{"last": n}`` or ``{"days": n}``: how the label fold is cut.
        keep_seen: whether items of the history may be recommended.
    """
    kinds = {"classifier": CatBoostClassifier, "ranker": CatBoostRanker}
    model = kinds[booster](iterations=trees, random_seed=7, verbose=False)
    named = [name for side in FEATURES.values() for name in side.columns if side[name].dtype == object]
    rules = {"filter_already_seen": not keep_seen}
    if "last" in exam:
        splitter = LastNSplitter(n=exam["last"], n_splits=1, **rules)
    else:
        splitter = TimeRangeSplitter(test_size=f"{exam['days']}D", n_splits=1, **rules)
    return CandidateRankingModel(
        [CandidateGenerator(MODELS[name](**settings), candidates, True, True) for name, settings in generators],
        splitter,
        CatBoostReranker(model, pool_kwargs={"cat_features": named}),
        PerUserNegativeSampler(n_negatives=negatives, random_state=7),
        DataFeatures(),
    )


def recommend(fold, system, settings, k, keep_seen, out, most_items=None, once=False):
    """Fit, recommend to the users of the fold and write (users, k) items; returns the seconds of both.

    Args:
        fold: name.
        system: name of the model.
        settings: of the model.
        k: places.
        keep_seen: whether items of the history may be recommended.
        out: .npy file; places that the model leaves empty are filled by popularity.
        most_items: only so many of the most popular items take part; none = all.
        once: a pair of user and item counts once, however often it happened.
    """
    table, users = FOLDS[fold]
    model = two_stage(**settings, keep_seen=keep_seen) if system == "two_stage" else MODELS[system](**settings)
    if once:
        table = table.drop_duplicates(Columns.UserItem, keep="last")
    if most_items is not None:
        top = table.groupby(Columns.Item)[Columns.User].nunique().nlargest(most_items).index
        table = table[table[Columns.Item].isin(top)]
    dataset = Dataset.construct(table)
    found, seconds = timed(lambda: fitted_lists(model, dataset, users, k, keep_seen, system))
    lists = np.full((len(users), k), -1, np.int32)
    place = pd.Series(np.arange(len(users)), index=users)
    lists[found[Columns.User].map(place), found[Columns.Rank] - 1] = found[Columns.Item]
    fill(lists, users, FOLDS[fold][0], keep_seen)
    np.save(out, lists)
    return {"seconds": seconds}


def fitted_lists(model, dataset, users, k, keep_seen, system):
    """The table of recommendations. Of BLAS, least squares want one thread, as implicit itself warns."""
    with threadpool_limits(limits=1 if system == "ials" else None, user_api="blas"):
        model.fit(dataset)
    return model.recommend(users, dataset, k, filter_viewed=not keep_seen, on_unsupported_targets="ignore")


def fill(lists, users, table, keep_seen):
    """Put popular items, unseen if that is the rule, into the empty places."""
    short = np.flatnonzero((lists < 0).any(axis=1))
    order = table.groupby(Columns.Item)[Columns.User].nunique().sort_values(ascending=False).index.to_numpy()
    seen = table[table[Columns.User].isin(users[short])].groupby(Columns.User)[Columns.Item].agg(set)
    for row in short:
        given = lists[row][lists[row] >= 0]
        barred = set(given) if keep_seen else set(given) | seen.get(users[row], set())
        more = [item for item in order[: len(lists[row]) + len(barred)] if item not in barred]
        filled = np.concatenate([given, more])[: lists.shape[1]]
        lists[row, : len(filled)] = filled


if __name__ == "__main__":
    serve({"load": load, "recommend": recommend})
