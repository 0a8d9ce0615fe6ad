"""Likeness by features against plain cosines, by hand, and of items that nobody took."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, filled
from tests.retrieval.growing import grown, same_arrays

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.content_knn import ContentKNN, ContentKNNConfig
from encorec.types import FloatMatrix

ITEMS = world().interactions.items
RNG = np.random.default_rng(5)
KINDS = RNG.choice(np.array(["film", "series", None], object), ITEMS).tolist()
GENRES = [[name for name in ("drama", "war", "love", "news") if RNG.random() < 0.4] for _ in range(ITEMS)]
YEARS = RNG.integers(1950, 2020, ITEMS).astype(np.float32)
YEARS[::9] = np.nan
FEATURES = FeatureTable(ITEMS, {"year": YEARS}, {"kind": Categories.of(KINDS)}, {"genres": Tags.of(GENRES)})
WORLD = replace(world(), item_features=FEATURES)


def fitted(config: ContentKNNConfig, data: Dataset = WORLD) -> ContentKNN:
    return ContentKNN(config).fit(data, rng=np.random.default_rng(0))


def shelf(features: FeatureTable, taken: list[int]) -> Dataset:
    """Items of these features, those in ``taken`` once each."""
    table = Interactions.of([0] * len(taken), taken, list(range(len(taken))), users=1, items=features.size)
    return replace(Dataset.of(table), item_features=features)


def cosines(weights: dict[str, float], tfidf: bool) -> FloatMatrix:
    """(items, items) cosine of dictionaries of values."""
    rows = [
        {("kind", kind): 1.0} if kind else {} for kind in KINDS
    ]  # fmt: skip
    for row, names in zip(rows, GENRES, strict=True):
        row.update({("genres", name): len(names) ** -0.5 for name in names})
    values = sorted({value for row in rows for value in row})
    dense = np.array([[row.get(value, 0) * weights.get(value[0], 1) ** 0.5 for value in values] for row in rows])
    if tfidf:
        dense = dense * np.log(len(dense) / (dense > 0).sum(axis=0))
    unit = dense / np.maximum(np.linalg.norm(dense, axis=1), 1e-12)[:, None]
    return unit @ unit.T


@pytest.mark.parametrize("weights", [{}, {"genres": 4.0, "kind": 0.5}])
@pytest.mark.parametrize("weighting", ["tfidf", "one-hot"])
def test_similarities_are_cosines_of_weighted_values(weighting: Any, weights: dict[str, float]) -> None:
    model = fitted(ContentKNNConfig(weighting=weighting, weights=weights, neighbours=ITEMS))
    expected = cosines(weights, weighting == "tfidf")
    assert np.abs(model.similar(np.arange(ITEMS)) - expected).max() < 1e-6
    assert expected[0].max() > 0.99


def test_worked_by_hand() -> None:
    """One category and two tags: (1, 1/sqrt 2, 1/sqrt 2) and (1, 0, 1) have the cosine (1 + 1/sqrt 2) / 2."""
    table = FeatureTable(
        2, categorical={"kind": Categories.of(["film", "film"])}, tags={"genres": Tags.of([["a", "b"], ["b"]])}
    )
    found = fitted(ContentKNNConfig(weighting="one-hot"), shelf(table, [0])).similar(np.array([0]))
    assert found[0].tolist() == pytest.approx([1, (1 + 0.5**0.5) / 2])


def test_a_value_that_every_item_has_says_nothing() -> None:
    table = FeatureTable(3, categorical={"kind": Categories.of(["film"] * 3), "by": Categories.of(["x", "y", "x"])})
    assert fitted(ContentKNNConfig(), shelf(table, [0])).similar(np.array([0]))[0].tolist() == [1, 0, 1]
    assert fitted(ContentKNNConfig(features=("kind",)), shelf(table, [1])).arrays()["value"].size == 0


def test_numbers_are_alike_in_the_same_bin() -> None:
    numbers = np.array([1, 2, 3, 400, 1e30, np.nan, -np.inf, np.inf], np.float32)
    model = fitted(ContentKNNConfig(features=("price",), bins=2), shelf(FeatureTable(8, {"price": numbers}), [0]))
    found = model.similar(np.arange(8))
    assert (found > 0).astype(int).tolist() == [
        [1, 1, 1, 0, 0, 0, 1, 0],
        [1, 1, 1, 0, 0, 0, 1, 0],
        [1, 1, 1, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 1, 0, 0, 1],
        [0, 0, 0, 1, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 1, 0, 0, 1],
    ]


@pytest.mark.parametrize("numbers", [[np.nan] * 3, [7, 7, 7]])
def test_a_number_that_is_unknown_or_the_same_for_all_says_nothing(numbers: list[float]) -> None:
    data = shelf(FeatureTable(3, {"price": np.array(numbers, np.float32)}), [2])
    model = fitted(ContentKNNConfig(features=("price",)), data)
    assert model.retrieve(asks(data, [[(1, 1, 1.0)]]), 3).item.tolist() == [2, 0, 1]


def test_bins_hold_about_equally_many_items() -> None:
    numbers = np.random.default_rng(0).lognormal(size=1000).astype(np.float32)
    data = shelf(FeatureTable(1000, {"price": numbers}), [0])
    model = fitted(ContentKNNConfig(features=("price",), bins=10, neighbours=1000), data)
    assert set(np.diff(model.arrays()["indptr"]).tolist()) == {100}


def test_items_that_nobody_took_are_found_by_what_they_are() -> None:
    table = FeatureTable(4, tags={"genres": Tags.of([["war"], ["love"], ["war"], ["love", "war"]])})
    data = shelf(table, [0, 1])
    found = fitted(ContentKNNConfig(weighting="one-hot"), data).retrieve(asks(data, [[(0, 1, 1.0)]]), 4)
    assert found.item.tolist() == [0, 2, 3, 1]
    assert found.score[:, 0].tolist() == pytest.approx([1, 1, 0.5**0.5, 0])


def test_of_equally_alike_items_the_popular_are_kept() -> None:
    table = FeatureTable(5, categorical={"kind": Categories.of(["a", "a", "a", "a", "b"])})
    log = Interactions.of([0, 1, 2, 0, 1, 0], [3, 3, 3, 2, 2, 0], [1, 2, 3, 4, 5, 6], items=5)
    model = fitted(ContentKNNConfig(neighbours=2), replace(Dataset.of(log), item_features=table))
    assert model.arrays()["item"].tolist() == [3, 2] * 4 + [4]


@pytest.mark.parametrize(("last", "decay"), [(None, 1.0), (2, 0.5)])
def test_scores_are_summed_similarities_and_reasons_their_parts(last: int | None, decay: float) -> None:
    model = fitted(ContentKNNConfig(neighbours=ITEMS, last=last, decay=decay))
    matrix, queries = cosines({}, True), asks(WORLD, HISTORIES)
    scores = model.scores(queries)
    for row, events in enumerate(HISTORIES):
        total = np.zeros(ITEMS)
        for steps, (item, _, weight) in enumerate(events[::-1][:last]):
            total += weight * decay**steps * matrix[item]
        assert scores[row] == pytest.approx(filled(total, WORLD), abs=1e-5)
    reasons = model.explain(queries, np.full(len(HISTORIES), 5))
    for row in range(len(HISTORIES)):
        share = reasons.share[reasons.indptr[row] : reasons.indptr[row + 1]]
        assert share.sum() == pytest.approx(max(scores[row, 5], 0), abs=1e-5)


def test_events_fade_by_their_age() -> None:
    day = 86_400
    scores = fitted(ContentKNNConfig(neighbours=ITEMS, half_life_days=4)).scores(
        asks(WORLD, [[(3, 4 * day, 1.0), (1, 8 * day, 1.0)]], now=8 * day)
    )
    matrix = cosines({}, True)
    assert scores[0] == pytest.approx(filled(0.5 * matrix[3] + matrix[1], WORLD), abs=1e-5)


def test_updates_learn_what_one_fit_learns() -> None:
    config = ContentKNNConfig(features=("year", "genres"), neighbours=9)
    assert same_arrays(*grown(WORLD, lambda: ContentKNN(config), 1, 4, True))


@pytest.mark.parametrize(
    ("config", "data", "told"),
    [
        (ContentKNNConfig(), world(), "the data have no item features"),
        (ContentKNNConfig(features=("genre",)), WORLD, "unknown item feature 'genre': did you mean 'genres'"),
        (ContentKNNConfig(weights={"year": 2}), WORLD, "unknown compared feature 'year'.* allowed: genres, kind"),
        (
            ContentKNNConfig(),
            replace(world(), item_features=FeatureTable(ITEMS, {"year": YEARS})),
            "only numbers: year; name those to compare in features",
        ),
    ],
)
def test_what_the_data_lack_is_named(config: ContentKNNConfig, data: Dataset, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        fitted(config, data)


@pytest.mark.parametrize(
    "setting",
    [{"neighbours": 0}, {"last": 0}, {"decay": 0}, {"bins": 1}, {"half_life_days": 0}, {"weights": {"a": -1}}],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"ContentKNNConfig\.{next(iter(setting))}(\.a)? is"):
        ContentKNNConfig(**setting)
