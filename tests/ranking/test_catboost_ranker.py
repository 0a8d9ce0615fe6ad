"""The ranker: when it stops growing, what it says of its features, how it is saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import lessons

from encorec.errors import ArtifactError, ConfigError, NotFitted
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.training_set import TrainingSet

ROWS = lessons(rows=600)
NOTHING = ROWS.take(np.empty(0, np.int64))
NAMES = ("signal", "b", "c", "d")
SHORT = (
    b'{"features_info": {"float_features": [{"flat_feature_index": 0}]}, "scale_and_bias": [1, [0]], '
    b'"oblivious_trees": [{"splits": [{"float_feature_index": 0, "border": 0}], "leaf_values": [1]}]}'
)
LOSSES = ("Logloss", "YetiRank", "QuerySoftMax")


def fitted(watched: TrainingSet | None = NOTHING, **settings: Any) -> CatBoostRanker:
    """Of twenty trees, unless it is told whom to watch."""
    config = CatBoostConfig(**{"max_trees": 20, "learning_rate": 0.2, **settings})
    return CatBoostRanker(config).fit(ROWS, NAMES, seed=0, watched=watched)


def recurring(copies: int) -> TrainingSet:
    """Every row of a user stands there so many times, with a label of chance: who knows a copy knows the label."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(60), 10)
    values, labels = rng.random((600, 2)).astype(np.float32), (rng.random(600) < 0.5).astype(np.float32)
    rows = np.repeat(np.arange(600), copies)
    return TrainingSet(values[rows], labels[rows], user[rows].astype(np.int64), user[rows].astype(np.int32))


def test_growing_stops_by_users_that_no_tree_saw() -> None:
    """Chance cannot be foretold for other users, so growing stops at once; rows split at random would grow on."""
    config = CatBoostConfig(max_trees=200, patience=10, depth=10, learning_rate=0.3)
    rows, at_random = recurring(copies=8), np.random.default_rng(0).random(4800) < 0.2
    apart = CatBoostRanker(config).fit(rows, ("a", "b"), seed=0)
    mixed = CatBoostRanker(config).fit(rows.take(~at_random), ("a", "b"), seed=0, watched=rows.take(at_random))
    assert apart.trees < 20
    assert mixed.trees > 100


def test_growing_goes_on_while_it_helps_the_watched() -> None:
    """A later fold in which the signal still holds, and one in which it means the opposite."""
    later = lessons(rows=300, seed=1)
    reverse = TrainingSet(later.features, 1 - later.label, later.group, later.user)
    assert fitted(later, learning_rate=0.03).trees == 20
    assert fitted(reverse).trees == 1


def test_all_trees_are_grown_where_nobody_is_watched() -> None:
    assert fitted(max_trees=7).trees == 7


@pytest.mark.parametrize("users", [1, 2, 3])
def test_few_users_are_enough(users: int) -> None:
    few = np.sort(np.arange(len(ROWS)) % users)
    rows = TrainingSet(ROWS.features, ROWS.label, few.astype(np.int64), few.astype(np.int32))
    for seed in range(6):
        ranker = CatBoostRanker(CatBoostConfig(max_trees=3, holdout=0.9)).fit(rows, NAMES, seed=seed)
        assert ranker.trees >= 1


@pytest.mark.parametrize("loss", LOSSES)
def test_importance_sums_to_one_largest_first(loss: str) -> None:
    shares = fitted(loss=loss).importance()
    assert set(shares) == set(NAMES)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert next(iter(shares)) == "signal"


@pytest.mark.parametrize("loss", LOSSES)
def test_contributions_and_the_average_sum_to_the_score(loss: str) -> None:
    ranker, features = fitted(loss=loss), ROWS.features[:50]
    found = ranker.contributions(features)
    assert found.shape == (50, len(NAMES) + 1)
    assert found.sum(axis=1) == pytest.approx(ranker.score(features), abs=1e-6)
    assert np.ptp(found[:, -1]) < 1e-9


def test_a_better_signal_scores_higher() -> None:
    features = np.array([[value, 0.5, 0.5, 0.5] for value in (0.1, 0.9)], np.float32)
    low, high = fitted().score(features)
    assert high > low + 1


def test_progress_counts_the_trees() -> None:
    told: list[tuple[int, int]] = []
    ranker = CatBoostRanker(CatBoostConfig(max_trees=5))
    ranker.fit(ROWS, NAMES, seed=0, watched=NOTHING, progress=lambda *one: told.append(one))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_what_is_loaded_also_explains_itself(tmp_path: Path) -> None:
    ranker = fitted()
    ranker.save(tmp_path)
    loaded = CatBoostRanker.load(tmp_path, ranker.config)
    assert loaded.importance() == ranker.importance()
    assert loaded.trees == ranker.trees
    assert loaded.contributions(ROWS.features[:3]).tolist() == ranker.contributions(ROWS.features[:3]).tolist()


@pytest.mark.parametrize("name", ["ranker.cbm", "ranker.json"])
def test_a_missing_file_is_refused(name: str, tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match="train again"):
        CatBoostRanker.load(tmp_path, CatBoostConfig())


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[1]", b'{"oblivious_trees": [1]', b"\xff\xfe", SHORT])
def test_trees_that_are_none_are_refused(content: bytes, tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / "ranker.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="not the trees of a ranker; train again"):
        CatBoostRanker.load(tmp_path, CatBoostConfig())


def test_a_model_that_is_none_is_refused_when_it_is_looked_into(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / "ranker.cbm").write_bytes(b"tea")
    loaded = CatBoostRanker.load(tmp_path, CatBoostConfig())
    with pytest.raises(ArtifactError, match="not a CatBoost model; train again"):
        loaded.importance()


def test_an_unfitted_ranker_says_so(tmp_path: Path) -> None:
    unfitted = CatBoostRanker()
    for ask in (unfitted.importance, lambda: unfitted.save(tmp_path), lambda: unfitted.score(ROWS.features)):
        with pytest.raises(NotFitted, match="CatBoostRanker has not been fitted"):
            ask()
    assert unfitted.trees == 0


def test_several_seeds_score_their_average() -> None:
    alone = [
        CatBoostRanker(CatBoostConfig(max_trees=20, learning_rate=0.2)).fit(ROWS, NAMES, seed=seed, watched=NOTHING)
        for seed in (0, 1, 2)
    ]
    together, features = fitted(seeds=3), ROWS.features
    expected = np.mean([one.score(features) for one in alone], axis=0)
    assert np.ptp([one.score(features)[0] for one in alone]) > 1e-3
    assert together.score(features) == pytest.approx(expected, abs=1e-9)
    assert together.trees == 60
    assert together.contributions(features[:9]).sum(axis=1) == pytest.approx(expected[:9], abs=1e-6)


def test_progress_counts_the_trees_of_all_seeds() -> None:
    told: list[tuple[int, int]] = []
    ranker = CatBoostRanker(CatBoostConfig(max_trees=2, seeds=2))
    ranker.fit(ROWS, NAMES, seed=0, watched=NOTHING, progress=lambda *one: told.append(one))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_count_by_their_weight(loss: str) -> None:
    """Rows of the opposite meaning that weigh next to nothing change nothing; those that weigh more turn the tide."""
    reverse = TrainingSet(ROWS.features, 1 - ROWS.label, ROWS.group, ROWS.user)
    both = TrainingSet.join([ROWS, reverse])
    for weight, sign in ((1e-4, 1), (100, -1)):
        weights = np.repeat(np.array([1, weight], np.float32), len(ROWS))
        rows = TrainingSet(both.features, both.label, both.group, both.user, weights)
        config = CatBoostConfig(loss=loss, max_trees=20, learning_rate=0.2)  # pyright: ignore[reportArgumentType]
        ranker = CatBoostRanker(config).fit(rows, NAMES, seed=0, watched=NOTHING)
        low, high = ranker.score(np.array([[0.1, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]], np.float32))
        assert np.sign(high - low) == sign


def test_balanced_positives_weigh_as_much_as_all_others() -> None:
    chance = 1 / (1 + np.exp(-fitted(positive_weight="balanced", max_trees=100).score(ROWS.features)))
    weight = np.where(ROWS.label > 0, (ROWS.label == 0).sum() / (ROWS.label > 0).sum(), 1)
    assert np.average(chance, weights=weight) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("loss", LOSSES)
def test_grades_are_learnt(loss: str) -> None:
    """Losses of rows see what was taken, losses of orders the grades as well."""
    graded = TrainingSet(ROWS.features, ROWS.label * 3, ROWS.group, ROWS.user)
    config = CatBoostConfig(loss=loss, max_trees=20, learning_rate=0.2)  # pyright: ignore[reportArgumentType]
    low, high = (
        CatBoostRanker(config)
        .fit(graded, NAMES, seed=0, watched=NOTHING)
        .score(np.array([[0.1, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]], np.float32))
    )
    assert high > low


@pytest.mark.parametrize(
    "setting",
    [
        {"max_trees": 0},
        {"depth": 17},
        {"learning_rate": 0},
        {"reg": -1},
        {"patience": 0},
        {"holdout": 0},
        {"holdout": 1},
        {"borders": 1},
        {"seeds": 0},
        {"positive_weight": -1},
        {"positive_weight": "balanced", "loss": "YetiRank"},
    ],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"CatBoostConfig\.{next(iter(setting))} is"):
        CatBoostConfig(**setting)
