"""What rows are worth: grades, strengths, ages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.pipeline.training_config import TrainingConfig
from encorec.ranking.labels import aged, grades, strength_weights
from encorec.ranking.training_set import TrainingSet

SHARES = st.lists(st.floats(0.0078125, 1, width=32), min_size=1, max_size=9)


@given(SHARES, st.lists(st.floats(0.0625, 0.9375, width=32), max_size=4, unique=True).map(sorted))
def test_a_grade_counts_the_limits_that_are_reached(shares: list[float], limits: list[float]) -> None:
    told = grades(np.array(shares, np.float32), limits)
    assert told.tolist() == [1 + sum(share >= limit for limit in limits) for share in shares]
    assert told.dtype == np.float32


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), max_size=9))
def test_rows_that_were_taken_count_by_their_strength_and_one_on_average(strength: list[float]) -> None:
    told = strength_weights(np.array(strength, np.float32))
    taken = [place for place, one in enumerate(strength) if one > 0]
    assert all(told[place] == 1 for place in range(len(strength)) if place not in taken)
    if taken:
        assert told[taken].mean() == pytest.approx(1, rel=1e-5)
        assert told[taken] / told[taken[0]] == pytest.approx([strength[one] / strength[taken[0]] for one in taken])


def part(rows: int, weight: list[float] | None = None) -> TrainingSet:
    own = None if weight is None else np.array(weight, np.float32)
    return TrainingSet(np.zeros((rows, 1)), np.ones(rows), np.arange(rows), np.arange(rows), own)


def test_rows_half_as_young_count_half_and_one_on_average() -> None:
    young, old, oldest = aged([part(2), part(1, [3.0]), part(1)], [10, 40, 100], 30)
    assert young.weight is not None
    assert old.weight is not None
    assert oldest.weight is not None
    assert old.weight[0] / young.weight[0] == pytest.approx(3 / 2)
    assert oldest.weight[0] / young.weight[0] == pytest.approx(1 / 8)
    assert np.concatenate([young.weight, old.weight, oldest.weight]).mean() == pytest.approx(1)


def test_without_a_half_life_the_parts_are_the_same() -> None:
    parts = [part(2), part(3)]
    assert all(one is other for one, other in zip(aged(parts, [0, 9], None), parts, strict=True))
    assert aged([], [], 30) == []


def test_weights_far_too_small_for_a_number_stay_weights() -> None:
    young, old = aged([part(1), part(1)], [0, 1e6], 1e-3)
    assert young.weight is not None
    assert old.weight is not None
    assert old.weight[0] > 0
    assert np.isfinite(young.weight).all()


def test_weights_are_joined_and_taken_with_their_rows() -> None:
    joined = TrainingSet.join([part(2), part(1, [3.0])])
    assert joined.weight is not None
    assert joined.weight.tolist() == [1, 1, 3]
    taken = joined.take(np.array([1, 2]))
    assert taken.weight is not None
    assert taken.weight.tolist() == [1, 3]
    assert TrainingSet.join([part(2), part(1)]).weight is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"labels": "grades"}, r"training\.grades is \[\] and training\.labels is 'grades'"),
        ({"grades": (0.5,)}, r"training\.grades is \[0\.5\] and training\.labels is 'taken'"),
        ({"labels": "grades", "grades": (0.5, 0.5)}, "allowed are rising limits above 0"),
        ({"labels": "grades", "grades": (0.0,)}, "allowed are rising limits above 0"),
        ({"labels": "grades", "grades": (float("nan"),)}, "allowed are rising limits above 0"),
        ({"labels": "grades", "grades": tuple(range(1, 40))}, "has 39 limits, allowed are at most 29"),
        ({"half_life": 0.0}, "half_life is 0.0, allowed is 0.001 to 1e"),
        ({"hard_share": 1.5}, "hard_share is 1.5, allowed is 0 to 1"),
        ({"popularity_power": -1.0}, "popularity_power is -1.0, allowed is 0 to 10"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        TrainingConfig(**settings)  # pyright: ignore[reportArgumentType]
