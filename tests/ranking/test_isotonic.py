"""Pooled adjacent violators against scipy, by hand, and at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from encorec.errors import ArtifactError
from encorec.protocols import Arrays
from encorec.ranking import isotonic
from encorec.ranking.isotonic import IsotonicCalibration, pool_adjacent

numbers = st.floats(-50, 50).map(lambda one: round(one, 3))


@given(st.lists(st.tuples(numbers, st.floats(0.1, 9)), min_size=1, max_size=40))
def test_pooling_gives_what_scipy_gives(rows: list[tuple[float, float]]) -> None:
    mean, weight = (np.array(column) for column in zip(*rows, strict=True))
    fitted, block = np.empty(len(rows)), np.empty(len(rows), np.int64)
    pool_adjacent(mean, weight, fitted, block)
    wanted = isotonic_regression(mean, weights=weight).x
    np.testing.assert_allclose(fitted, wanted, atol=1e-9)
    assert (np.diff(block) >= 0).all()
    assert all(len({*fitted[block == one].tolist()}) == 1 for one in range(int(block[-1]) + 1))


rows = st.lists(
    st.tuples(st.integers(0, 20).map(float), st.sampled_from([0.0, 1.0]), st.sampled_from([1.0, 2.0, 20.0])),
    min_size=1,
    max_size=400,
)


def groups_of(score: list[float]) -> list[list[float]]:
    """Distinct scores, put together until they have enough rows; what is left over belongs to the last."""
    groups: list[list[float]] = []
    size = isotonic.LEAST_ROWS
    for one in sorted(set(score)):
        if size >= isotonic.LEAST_ROWS:
            groups.append([])
            size = 0
        groups[-1].append(one)
        size += score.count(one)
    if size < isotonic.LEAST_ROWS and len(groups) > 1:
        rest = groups.pop()
        groups[-1] += rest
    return groups


@given(rows)
def test_probabilities_are_those_of_the_groups_that_were_met(rows: list[tuple[float, float, float]]) -> None:
    score, label, weight = (np.array(column) for column in zip(*rows, strict=True))
    found, groups = IsotonicCalibration.fit(score, label, weight), groups_of(score.tolist())
    inside = [np.isin(score, group) for group in groups]
    extra, overall = weight.mean(), np.average(label, weights=weight)
    total = np.array([weight[one].sum() + extra for one in inside])
    mean = np.array([(weight * label)[one].sum() + extra * overall for one in inside]) / total
    least = 1 / (weight.sum() + 2)
    wanted = np.clip(isotonic_regression(mean, weights=total).x, least, 1 - least)
    for group, chance in zip(groups, wanted, strict=True):
        np.testing.assert_allclose(found.probability(np.array(group)), chance, atol=1e-9)
    assert (np.diff(found.probability(np.linspace(-9, 30, 200))) >= 0).all()


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    score, label = rng.normal(size=300), (rng.random(300) < 0.3).astype(float)
    weight = rng.integers(1, 4, 300).astype(float)
    turned = rng.permutation(300)
    whole = IsotonicCalibration.fit(score, label, weight)
    mixed = IsotonicCalibration.fit(score[turned], label[turned], weight[turned])
    at = np.linspace(-4, 4, 99)
    np.testing.assert_allclose(mixed.probability(at), whole.probability(at), atol=1e-12)


@pytest.mark.parametrize("taken", [0.0, 1.0])
def test_rows_of_one_kind_prove_nothing_for_sure(taken: float) -> None:
    found = IsotonicCalibration.fit(np.arange(8.0), np.full(8, taken), np.ones(8))
    assert found.probability(np.array([-1.0, 3.0, 99.0])) == pytest.approx(abs(taken - 0.1))


DAMAGE: dict[str, Arrays] = {
    "nothing": {"score": np.empty(0), "chance": np.empty(0)},
    "unequal": {"score": np.arange(3.0), "chance": np.arange(2.0) / 9},
    "falling scores": {"score": np.array([1.0, 0.0]), "chance": np.array([0.1, 0.2])},
    "falling chances": {"score": np.array([0.0, 1.0]), "chance": np.array([0.2, 0.1])},
    "beyond one": {"score": np.array([0.0, 1.0]), "chance": np.array([0.2, 1.1])},
    "not a number": {"score": np.array([0.0, np.nan]), "chance": np.array([0.2, 0.3])},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_arrays_are_refused(damage: str) -> None:
    with pytest.raises(ArtifactError, match="no rising map to probabilities"):
        IsotonicCalibration.from_arrays(DAMAGE[damage])
