"""AUC against counting pairs, log loss against its definition, both against the examples of scikit-learn."""

from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError, DataError
from encorec.evaluation.metrics.ranking_quality import auc, auc_per_user, logloss, logloss_per_user

ROWS = st.lists(
    st.tuples(st.integers(-2, 3), st.sampled_from([-inf, -1.0, 0.0, 0.25, 0.5, 1.0, inf]), st.booleans()), max_size=40
)


def slow_auc(scores: list[float], labels: list[bool]) -> float | None:
    good = [score for score, label in zip(scores, labels, strict=True) if label]
    bad = [score for score, label in zip(scores, labels, strict=True) if not label]
    if not good or not bad:
        return None
    wins = sum((one > other) + (one == other) / 2 for one in good for other in bad)
    return wins / len(good) / len(bad)


def columns(rows: list[tuple[int, float, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    user, score, label = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(user, int), np.array(score, float), np.array(label, bool)


@given(ROWS)
def test_auc_equals_its_slow_twin(rows: list[tuple[int, float, bool]]) -> None:
    user, score, label = columns(rows)
    by_user = {
        one: slow_auc([s for u, s, _ in rows if u == one], [x for u, _, x in rows if u == one])
        for one in sorted({u for u, _, _ in rows})
    }
    told = {one: value for one, value in by_user.items() if value is not None}
    found = auc_per_user(user, score, label)
    assert found.user.tolist() == list(told)
    assert found.value == pytest.approx([*told.values()])
    assert found.rows.tolist() == [sum(u == one for u, _, _ in rows) for one in told]
    assert found.skipped == len(by_user) - len(told)
    pooled = slow_auc(score.tolist(), label.tolist())
    if pooled is not None:
        assert auc(score, label) == pytest.approx(pooled)


@given(ROWS.filter(bool))
def test_logloss_equals_its_slow_twin(rows: list[tuple[int, float, bool]]) -> None:
    user, score, label = columns(rows)
    probability = np.clip(score, 0, 1)
    tiny = np.finfo(float).eps
    costs = [-log(min(max(p if x else 1 - p, tiny), 1 - tiny)) for p, x in zip(probability, label, strict=True)]
    assert logloss(probability, label) == pytest.approx(sum(costs) / len(costs))
    found = logloss_per_user(user, probability, label)
    for one, value in zip(found.user, found.value, strict=True):
        mine = [cost for cost, whose in zip(costs, user, strict=True) if whose == one]
        assert value == pytest.approx(sum(mine) / len(mine))
    assert found.mean(weight="rows") == pytest.approx(sum(costs) / len(costs))


def test_values_as_published_by_scikit_learn() -> None:
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == 0.75
    spam = np.array([0.9, 0.1, 0.2, 0.65])
    assert logloss(spam, np.array([1, 0, 0, 1])) == pytest.approx(0.21616, abs=1e-5)


def test_equal_scores_are_no_better_than_chance_and_order_of_rows_does_not_matter() -> None:
    label = np.array([1, 0, 0, 1, 0])
    assert auc(np.zeros(5), label) == 0.5
    assert auc(np.zeros(5), label[::-1]) == 0.5


def test_gauc_counts_users_alike_or_by_their_rows() -> None:
    """Users with AUC 1 (2 rows), 1/2 (4 rows) and none."""
    user = np.array([1, 1, 2, 2, 2, 2, 3])
    score, label = np.array([0.9, 0.1, 1, 2, 2, 1, 5]), np.array([1, 0, 1, 1, 0, 0, 1])
    found = auc_per_user(user, score, label)
    assert (found.value.tolist(), found.skipped) == ([1.0, 0.5], 1)
    assert (found.mean(), found.mean(weight="rows")) == (0.75, pytest.approx(4 / 6))


@pytest.mark.parametrize(
    ("score", "label", "message"),
    [
        ([0.1, 0.2], [1], "columns differ in length: 2 users, 2, 1 labels"),
        ([0.1, nan], [1, 0], r"1 scores are NaN \(first: row 1\)"),
        ([0.1, 0.2], [1, 2], r"1 labels are neither 0 nor 1 \(first: row 1, 2\)"),
        ([0.1, 0.2], [nan, 0], "1 labels are neither 0 nor 1"),
        ([0.1, 0.2], [1, 1], "there must be a positive and a negative"),
        ([], [], "there must be a positive and a negative"),
    ],
)
def test_scores_without_an_auc_are_refused(score: list[float], label: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        auc(np.array(score), np.array(label))


def test_what_has_no_logloss_is_refused() -> None:
    with pytest.raises(DataError, match=r"2 probabilities are outside 0..1 \(first: row 1, -0.1\)"):
        logloss(np.array([0.5, -0.1, 1.5]), np.array([1, 0, 1]))
    with pytest.raises(DataError, match="no rows"):
        logloss(np.array([]), np.array([]))


def test_a_mean_over_nobody_or_by_an_unknown_weight_is_refused() -> None:
    found = auc_per_user(np.array([1]), np.array([0.5]), np.array([1]))
    with pytest.raises(DataError, match="none of 1 users has both a positive and a negative"):
        found.mean()
    with pytest.raises(ConfigError, match="unknown weight 'row': did you mean 'rows'"):
        found.mean(weight="row")  # pyright: ignore[reportArgumentType]
