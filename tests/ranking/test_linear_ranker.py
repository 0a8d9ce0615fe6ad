"""Logistic regression of bins: its minimum against Newton's method, its parts against its sum, hostile values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.worlds import lessons

from encorec.errors import ArtifactError, ConfigError, NotFitted, QueryError
from encorec.ranking.binned_weights import BinnedWeights, bin_codes, quantile_edges
from encorec.ranking.linear_ranker import LinearConfig, LinearRanker
from encorec.ranking.logistic_regression import fit_logistic
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

ROWS = lessons(rows=600)
NAMES = ("signal", "b", "c", "d")


def fitted(rows: TrainingSet = ROWS, **settings: Any) -> LinearRanker:
    return LinearRanker(LinearConfig(**{"reg": 1.0, **settings})).fit(rows, NAMES, seed=0)


def newton(design: FloatMatrix, taken: FloatVector, weight: FloatVector, reg: float) -> FloatVector:
    """The minimum of the penalised log loss by iteratively reweighted least squares, intercept last."""
    columns = np.hstack([design, np.ones((len(design), 1))])
    penalty = np.diag([*[reg] * design.shape[1], 0.0])
    found = np.zeros(columns.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (weight * (chance - taken)) + penalty @ found
        curve = columns.T @ (columns * (weight * chance * (1 - chance))[:, None]) + penalty
        found -= np.linalg.solve(curve, slope)
    return found


@pytest.mark.parametrize("reg", [0.5, 30.0])
def test_the_minimum_is_that_of_newtons_method(reg: float) -> None:
    rng = np.random.default_rng(0)
    code = np.stack([rng.integers(0, 3, 200), rng.integers(3, 5, 200)], 1).astype(np.int32)
    taken, weight = (rng.random(200) < 0.2 + 0.2 * (code[:, 0] == 1)).astype(float), rng.random(200) + 0.5
    design = np.zeros((200, 5))
    np.put_along_axis(design, code.astype(np.int64), 1, axis=1)
    weights, intercept = fit_logistic(code, 5, taken, weight, reg=reg, max_steps=500)
    assert np.append(weights, intercept) == pytest.approx(newton(design, taken, weight, reg), abs=1e-5)


def test_a_table_of_two_bins_worked_by_hand() -> None:
    """One of four taken below, three of four above, hardly a penalty: log-odds of -ln 3 and ln 3."""
    value = np.repeat(np.array([[0.0], [1.0]], np.float32), 4, axis=0)
    taken = np.array([1, 0, 0, 0, 1, 1, 1, 0], np.float32)
    rows = TrainingSet(value, taken, np.arange(8), np.arange(8))
    ranker = LinearRanker(LinearConfig(bins=2, reg=1e-6)).fit(rows, ("a",), seed=0)
    assert ranker.score(np.array([[0], [1]], np.float32)) == pytest.approx([-np.log(3), np.log(3)], abs=1e-3)
    parts = ranker.contributions(np.array([[0], [1]], np.float32))
    assert parts == pytest.approx(np.array([[-np.log(3), 0], [np.log(3), 0]]), abs=1e-3)


VALUES = st.one_of(st.floats(width=32), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0]))


@given(st.lists(VALUES, min_size=1, max_size=30), st.integers(2, 9))
def test_bins_count_the_edges_below(values: list[float], bins: int) -> None:
    column = np.array(values, np.float32)[:, None]
    with np.errstate(invalid="ignore"):
        edges = quantile_edges(column, bins)
    assert len(edges[0]) < bins
    assert (np.diff(edges[0]) > 0).all()
    for value, code in zip(column[:, 0], bin_codes(column, edges)[:, 0], strict=True):
        below = sum(bool(edge < value) for edge in edges[0])
        assert code == (len(edges[0]) + 1 if np.isnan(value) else below)


def test_contributions_and_the_average_sum_to_the_score() -> None:
    ranker = fitted()
    found = ranker.contributions(ROWS.features)
    assert found.shape == (600, 5)
    assert found.sum(axis=1) == pytest.approx(ranker.score(ROWS.features), abs=1e-12)
    assert found[:, :-1].mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.ptp(found[:, -1]) == 0


def test_the_unknown_has_a_weight_of_its_own() -> None:
    """What is unknown is always taken, whatever the value is never."""
    value = np.where(np.arange(100) % 2 == 0, np.nan, np.arange(100)).astype(np.float32)[:, None]
    rows = TrainingSet(value, (np.arange(100) % 2 == 0).astype(np.float32), np.arange(100), np.arange(100))
    unknown, known = (
        LinearRanker(LinearConfig(reg=1)).fit(rows, ("a",), seed=0).score(np.array([[np.nan], [50]], np.float32))
    )
    assert unknown > 0 > known


def test_outliers_and_useless_columns_change_nothing() -> None:
    wild = ROWS.features.copy()
    wild[0, 1], wild[1, 1], wild[:, 3] = np.inf, -3e38, np.nan
    wild[:, 2] = 7
    ranker = fitted(TrainingSet(wild, ROWS.label, ROWS.group, ROWS.user))
    assert np.isfinite(ranker.score(wild)).all()
    assert ranker.contributions(wild)[:, 2:4] == pytest.approx(np.zeros((600, 2)), abs=1e-9)
    assert next(iter(ranker.importance())) == "signal"


@pytest.mark.parametrize("label", [0, 1])
def test_one_kind_of_label_is_enough(label: int) -> None:
    rows = TrainingSet(ROWS.features, np.full(600, label, np.float32), ROWS.group, ROWS.user)
    assert np.isfinite(fitted(rows).score(ROWS.features)).all()


def test_importance_sums_to_one_largest_first() -> None:
    shares = fitted().importance()
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert next(iter(shares)) == "signal"


def test_rows_that_weigh_twice_are_rows_that_stand_there_twice() -> None:
    twice = np.sort(np.r_[np.arange(600), np.flatnonzero(ROWS.user % 3 == 0)])
    edges, weight = quantile_edges(ROWS.features, 8), np.where(ROWS.user % 3 == 0, 2.0, 1.0)
    first = np.cumsum([0] + [len(one) + 2 for one in edges]).astype(np.int32)
    code, taken = bin_codes(ROWS.features, edges) + first[:-1], ROWS.label.astype(float)
    size = int(first[-1])
    one, start = fit_logistic(code, size, taken, weight, reg=1, max_steps=500)
    two, other = fit_logistic(code[twice], size, taken[twice], np.ones(len(twice)), reg=1, max_steps=500)
    assert [*one, start] == pytest.approx([*two, other], abs=1e-4)


def test_balanced_positives_weigh_as_much_as_all_others() -> None:
    chance = 1 / (1 + np.exp(-fitted(positive_weight="balanced").score(ROWS.features)))
    weight = np.where(ROWS.label > 0, (ROWS.label == 0).sum() / (ROWS.label > 0).sum(), 1)
    assert np.average(chance, weights=weight) == pytest.approx(0.5, abs=1e-4)


def test_progress_counts_the_steps() -> None:
    told: list[tuple[int, int]] = []
    LinearRanker(LinearConfig(max_steps=3)).fit(ROWS, NAMES, seed=0, progress=lambda *one: told.append(one))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_what_is_loaded_also_explains_itself(tmp_path: Path) -> None:
    ranker = fitted()
    ranker.save(tmp_path)
    loaded = LinearRanker.load(tmp_path, ranker.config)
    assert loaded.importance() == ranker.importance()
    assert loaded.contributions(ROWS.features).tolist() == ranker.contributions(ROWS.features).tolist()


GOOD = b'{"names": ["a"], "edges": [[0.5]], "weights": [[1, 2, 3]], "intercept": 0, "spread": [1]}'
DAMAGE = [
    *(b"", b"{}", b"null", b"\xff"),
    GOOD.replace(b"[0.5]", b""),
    GOOD.replace(b"[1, 2, 3]", b"[1, 2]"),
    GOOD.replace(b'["a"]', b'["a", "b"]'),
    GOOD.replace(b'"spread": [1]', b'"spread": []'),
    GOOD.replace(b"0.5", b'"x"'),
]


@pytest.mark.parametrize("content", DAMAGE)
def test_weights_that_are_none_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ranker.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="not the weights of a ranker; train again"):
        LinearRanker.load(tmp_path, LinearConfig())


def test_a_missing_file_is_refused_and_a_good_one_read(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="train again"):
        LinearRanker.load(tmp_path, LinearConfig())
    (tmp_path / "ranker.json").write_bytes(GOOD)
    assert LinearRanker.load(tmp_path, LinearConfig()).score(np.array([[0.6]], np.float32)).tolist() == [2]


@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (2,)])
def test_features_of_another_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(QueryError, match=r"the weights are of \(rows, 2\)"):
        BinnedWeights([[], []], [[0, 0], [0, 0]], 0).score(np.zeros(shape, np.float32))


def test_an_unfitted_ranker_says_so(tmp_path: Path) -> None:
    unfitted = LinearRanker()
    for ask in (unfitted.importance, lambda: unfitted.save(tmp_path), lambda: unfitted.score(ROWS.features)):
        with pytest.raises(NotFitted, match="LinearRanker has not been fitted"):
            ask()


@pytest.mark.parametrize("setting", [{"bins": 1}, {"reg": 0}, {"max_steps": 0}, {"positive_weight": 0}])
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"LinearConfig\.{next(iter(setting))} is"):
        LinearConfig(**setting)
