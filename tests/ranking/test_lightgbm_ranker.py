"""The LightGBM ranker: when it stops growing, what it says of its features, what a row weighs, how it is saved."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contracts.worlds import lessons
from tests.ranking.test_catboost_ranker import recurring

from encorec.errors import ArtifactError, ConfigError, DataError, MissingExtra, NotFitted
from encorec.ranking.lightgbm_ranker import LightGBMConfig, LightGBMRanker
from encorec.ranking.training_set import TrainingSet

ROWS = lessons(rows=600)
NOTHING = ROWS.take(np.empty(0, np.int64))
NAMES = ("signal", "b: [odd]", "c,d", "e")
OBJECTIVES = ("binary", "lambdarank", "rank_xendcg")


def fitted(rows: TrainingSet = ROWS, watched: TrainingSet | None = NOTHING, **settings: Any) -> LightGBMRanker:
    """Of twenty trees, unless it is told whom to watch."""
    config = LightGBMConfig(**{"max_trees": 20, "learning_rate": 0.2, "min_rows": 10, **settings})
    return LightGBMRanker(config).fit(rows, NAMES, seed=0, watched=watched)


def test_growing_stops_by_users_that_no_tree_saw() -> None:
    """Chance cannot be foretold for other users, so growing stops at once; rows split at random would grow on."""
    config = LightGBMConfig(max_trees=200, patience=10, leaves=400, min_rows=1, learning_rate=0.3, reg=0)
    rows, at_random = recurring(copies=8), np.random.default_rng(0).random(4800) < 0.2
    apart = LightGBMRanker(config).fit(rows, ("a", "b"), seed=0)
    mixed = LightGBMRanker(config).fit(rows.take(~at_random), ("a", "b"), seed=0, watched=rows.take(at_random))
    assert apart.trees < 20
    assert mixed.trees > 50


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_growing_goes_on_while_it_helps_the_watched(objective: str) -> None:
    """A later fold in which the signal still holds, and one in which it means the opposite."""
    later = lessons(rows=300, seed=1)
    reverse = TrainingSet(later.features, 1 - later.label, later.group, later.user)
    assert fitted(watched=later, objective=objective, learning_rate=0.03).trees > 3
    assert fitted(watched=reverse, objective=objective).trees <= 3


def test_all_trees_are_grown_where_nobody_is_watched() -> None:
    assert fitted(max_trees=7).trees == 7


@pytest.mark.parametrize("users", [1, 2, 3])
def test_few_users_are_enough(users: int) -> None:
    few = np.sort(np.arange(len(ROWS)) % users)
    rows = TrainingSet(ROWS.features, ROWS.label, few.astype(np.int64), few.astype(np.int32))
    for objective in OBJECTIVES:
        config = LightGBMConfig(objective=objective, max_trees=3, holdout=0.9)
        assert LightGBMRanker(config).fit(rows, NAMES, seed=1).trees >= 1


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_importance_sums_to_one_largest_first(objective: str) -> None:
    shares = fitted(objective=objective).importance()
    assert set(shares) == set(NAMES)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert next(iter(shares)) == "signal"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_contributions_and_the_average_sum_to_the_score(objective: str) -> None:
    ranker, features = fitted(objective=objective), ROWS.features[:50]
    found = ranker.contributions(features)
    assert found.shape == (50, len(NAMES) + 1)
    assert found.sum(axis=1) == pytest.approx(ranker.score(features), abs=1e-6)
    assert np.ptp(found[:, -1]) < 1e-9
    assert ranker.contributions(features[:0]).shape == (0, 5)


def test_progress_counts_the_trees() -> None:
    told: list[tuple[int, int]] = []
    ranker = LightGBMRanker(LightGBMConfig(max_trees=3))
    ranker.fit(ROWS, NAMES, seed=0, watched=NOTHING, progress=lambda *one: told.append(one))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_another_seed_draws_other_rows() -> None:
    config = LightGBMConfig(max_trees=5, row_share=0.5, feature_share=0.5, min_rows=5)
    one, two, again = (LightGBMRanker(config).fit(ROWS, NAMES, seed=seed, watched=NOTHING) for seed in (0, 1, 0))
    assert one.score(ROWS.features).tolist() == again.score(ROWS.features).tolist()
    assert one.score(ROWS.features).tolist() != two.score(ROWS.features).tolist()


def test_grades_are_learnt_in_their_order() -> None:
    """Grade 3 is wanted before grade 1; as two rows of ten they would be the same."""
    rng = np.random.default_rng(0)
    group = np.arange(2000) // 10
    grade = np.tile([3.0, 1.0, *[0.0] * 8], 200).astype(np.float32)
    features = np.stack([grade + rng.normal(0, 0.1, 2000), rng.random(2000)], 1).astype(np.float32)
    rows = TrainingSet(features, grade, group, group.astype(np.int32))
    for objective in ("lambdarank", "rank_xendcg"):
        ranker = LightGBMRanker(LightGBMConfig(objective=objective, max_trees=30, learning_rate=0.2))
        low, middle, high = ranker.fit(rows, ("a", "b"), seed=0).score(np.array([[0, 0], [1, 0], [3, 0]], np.float32))
        assert low < middle < high


def test_more_grades_than_lightgbm_has_are_joined() -> None:
    rng = np.random.default_rng(0)
    grade = np.where(rng.random(600) < 0.3, rng.random(600) * 100, 0).astype(np.float32)
    rows = TrainingSet(grade[:, None].repeat(4, 1), grade, ROWS.group, ROWS.user)
    scores = fitted(rows, objective="lambdarank").score(rows.features)
    assert np.corrcoef(scores, grade)[0, 1] > 0.5


def test_a_query_too_long_to_be_put_in_order_is_refused() -> None:
    group = np.zeros(10_001, np.int64)
    rows = TrainingSet(np.zeros((10_001, 4), np.float32), np.ones(10_001, np.float32), group, group)
    with pytest.raises(DataError, match="a query has 10,001 rows, LightGBM puts at most 10,000 in order"):
        fitted(rows, objective="lambdarank")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_rows_count_by_their_weight(objective: str) -> None:
    """Rows of the opposite meaning that weigh next to nothing change nothing; those that weigh more turn the tide."""
    reverse = TrainingSet(ROWS.features, 1 - ROWS.label, ROWS.group, ROWS.user)
    for weight, sign in ((1e-4, 1), (100, -1)):
        weights = np.repeat(np.array([1, weight], np.float32), len(ROWS))
        both = TrainingSet.join([ROWS, reverse])
        ranker = fitted(TrainingSet(both.features, both.label, both.group, both.user, weights), objective=objective)
        low, high = ranker.score(np.array([[0.1, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]], np.float32))
        assert np.sign(high - low) == sign


def test_balanced_positives_weigh_as_much_as_all_others() -> None:
    chance = 1 / (1 + np.exp(-fitted(positive_weight="balanced", reg=0).score(ROWS.features)))
    weight = np.where(ROWS.label > 0, (ROWS.label == 0).sum() / (ROWS.label > 0).sum(), 1.0)
    assert np.average(chance, weights=weight) == pytest.approx(0.5, abs=0.02)


def test_what_is_loaded_also_explains_itself(tmp_path: Path) -> None:
    ranker = fitted()
    ranker.save(tmp_path)
    loaded = LightGBMRanker.load(tmp_path, ranker.config)
    assert loaded.importance() == ranker.importance()
    assert loaded.trees == ranker.trees
    assert loaded.contributions(ROWS.features[:3]).tolist() == ranker.contributions(ROWS.features[:3]).tolist()


def test_equal_trainings_give_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        fitted().save(tmp_path / name)
    for file in ("ranker.txt", "ranker.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("name", ["ranker.txt", "ranker.json"])
def test_a_missing_file_is_refused(name: str, tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match="train again"):
        LightGBMRanker.load(tmp_path, LightGBMConfig())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"[1]", b'{"names": [], "width": 1, "trees": []}', b'{"names": ["a"], "width": 1}', b"\xff"],
)
def test_trees_that_are_none_are_refused(content: bytes, tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / "ranker.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="not the trees of a ranker; train again"):
        LightGBMRanker.load(tmp_path, LightGBMConfig())


def test_a_model_that_is_none_is_refused_when_it_is_looked_into(tmp_path: Path) -> None:
    fitted().save(tmp_path)
    (tmp_path / "ranker.txt").write_text("tea")
    loaded = LightGBMRanker.load(tmp_path, LightGBMConfig())
    with pytest.raises(ArtifactError, match="not a LightGBM model; train again"):
        loaded.importance()


def test_an_unfitted_ranker_says_so(tmp_path: Path) -> None:
    unfitted = LightGBMRanker()
    for ask in (unfitted.importance, lambda: unfitted.save(tmp_path), lambda: unfitted.score(ROWS.features)):
        with pytest.raises(NotFitted, match="LightGBMRanker has not been fitted"):
            ask()
    assert unfitted.trees == 0


def test_without_lightgbm_it_scores_and_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranker, features = fitted(), ROWS.features[:5]
    ranker.save(tmp_path)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    monkeypatch.delitem(sys.modules, "encorec.ranking.lightgbm_boosting")
    monkeypatch.delattr("encorec.ranking.lightgbm_boosting", raising=False)
    loaded = LightGBMRanker.load(tmp_path, ranker.config)
    assert loaded.score(features).tolist() == ranker.score(features).tolist()
    with pytest.raises(MissingExtra, match=r"'lightgbm': pip install 'encorec\[boosting\]'"):
        loaded.contributions(features)


@pytest.mark.parametrize(
    "setting",
    [
        {"max_trees": 0},
        {"leaves": 1},
        {"min_rows": 0},
        {"learning_rate": 0},
        {"reg": -1},
        {"row_share": 0},
        {"feature_share": 1.1},
        {"patience": 0},
        {"holdout": 1},
        {"borders": 1},
        {"positive_weight": 0},
        {"positive_weight": 2, "objective": "lambdarank"},
    ],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"LightGBMConfig\.{next(iter(setting))} is"):
        LightGBMConfig(**setting)
