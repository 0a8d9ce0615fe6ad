"""Hybrid factorisation: cold items and users by what they consist of, directions freed from popularity."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.retrieval.asking import everybody

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, MissingExtra
from encorec.retrieval.hybrid import Hybrid, HybridConfig
from encorec.types import Eligibility, Histories, Queries

USERS, ITEMS, COLD = 300, 60, 6


def clans(popular: float = 0.0) -> Dataset:
    """Men take items of genre 0, women those of genre 1; the last items of either genre are new, nobody had them."""
    rng = np.random.default_rng(5)
    user = np.repeat(np.arange(USERS), 8)
    place = rng.integers(0, ITEMS // 2 - COLD, len(user))
    place[rng.random(len(user)) < popular] = 0
    item = 2 * place + user % 2
    table = Interactions.of(user, item, np.arange(len(user)), users=USERS, items=ITEMS)
    users = FeatureTable(USERS, {}, {"sex": Categories.of(["MW"[one % 2] for one in range(USERS)])})
    items = FeatureTable(ITEMS, {}, {}, {"genre": Tags.of([["ab"[one % 2]] for one in range(ITEMS)])})
    return replace(Dataset.of(table), user_features=users, item_features=items)


def fitted(data: Dataset, **settings: object) -> Hybrid:
    return Hybrid(HybridConfig(embedding_size=8, epochs=15, **settings)).fit(data, rng=np.random.default_rng(0))  # type: ignore[arg-type]


def test_new_items_of_the_users_genre_stand_above_those_of_the_other() -> None:
    scores = fitted(clans()).scores(everybody(clans()))
    fresh = scores[:, -2 * COLD :]
    own = np.where(np.arange(USERS)[:, None] % 2 == np.arange(2 * COLD) % 2, fresh, np.nan)
    other = np.where(np.isnan(own), fresh, np.nan)
    assert (np.nanmean(own, axis=1) > np.nanmean(other, axis=1)).mean() > 0.95


def test_without_features_new_items_follow_by_popularity() -> None:
    model = fitted(clans(), user_features=(), item_features=())
    assert model.unknown.tolist() == list(range(ITEMS - 2 * COLD, ITEMS))


def test_a_user_without_a_past_is_what_the_profile_says() -> None:
    model = fitted(clans())
    sex = np.array([[0.0], [1.0], [np.nan]], np.float32)
    queries = Queries(Histories.empty(3), np.full(3, 10**6), Eligibility(np.ones(ITEMS, bool)), sex)
    lists = model.retrieve(queries, 10)
    genre = (lists.item % 2).reshape(3, 10)
    assert (genre[0] == 0).mean() > 0.8
    assert (genre[1] == 1).mean() > 0.8
    popular = np.argsort(-model.arrays()["prior"], kind="stable")[:10]
    assert lists.item.reshape(3, 10)[2].tolist() == popular.tolist()


def test_comparing_directions_frees_lists_from_the_popular_items() -> None:
    data = clans(popular=0.6)
    counts = data.interactions.item_users
    plain, cosine = (fitted(data, cosine=one, loss="bpr").retrieve(everybody(data), 5).item for one in (False, True))
    assert counts[cosine].mean() < counts[plain].mean()
    assert len(np.unique(cosine)) >= len(np.unique(plain))


def test_cosine_scores_are_cosines() -> None:
    scores = fitted(clans(), cosine=True).scores(everybody(clans()))
    assert np.abs(scores).max() <= 1 + 1e-5


def test_an_unknown_feature_is_named_with_its_neighbours() -> None:
    with pytest.raises(ConfigError, match=r"hybrid: item_features: unknown feature 'genres': did you mean 'genre'\?"):
        fitted(clans(), item_features=("genres",))


def test_without_the_package_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightfm", None)
    monkeypatch.delitem(sys.modules, "encorec.retrieval.hybrid_training", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'encorec\[hybrid\]'"):
        fitted(clans())
