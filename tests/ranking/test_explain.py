"""What a ranker looks at, against slow twins and hand-worked values."""

from math import log2, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.ranking.contributions import contributions_of, told_contributions
from encorec.ranking.explain import mean_contributions, ndcg, permutation_losses, swarm

ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(-3, 3)), min_size=1, max_size=30).map(sorted)


class Sum:
    """Adds the first two features."""

    def score(self, features: Any) -> Any:
        return features[:, 0] + features[:, 1]

    def save(self, folder: Path) -> None: ...


@given(ROWS, st.integers(1, 6), st.integers(0, 3))
def test_ndcg_is_that_of_every_query_worked_out_alone(rows: Any, k: int, missed: int) -> None:
    query, taken, scores = (np.array(column) for column in zip(*rows, strict=True))
    many = int(query.max()) + 1
    wanted = np.bincount(query, taken, minlength=many).astype(int) + missed
    told = ndcg(scores.astype(float), taken.astype(float), query, wanted, k)
    for one in range(many):
        own = sorted((place for place in range(len(rows)) if query[place] == one), key=lambda place: -scores[place])
        gain = sum(1 / log2(2 + rank) for rank, place in enumerate(own[:k]) if taken[place])
        ideal = sum(1 / log2(2 + rank) for rank in range(min(k, int(wanted[one]))))
        assert told[one] == pytest.approx(gain / ideal if ideal else 0)


@given(ROWS)
def test_contributions_are_averaged_within_queries(rows: Any) -> None:
    query = np.array([row[0] for row in rows])
    parts = np.array([[row[2], -2.0 * row[2], 9] for row in rows])
    told = mean_contributions(parts, query)
    for place, one in enumerate(np.unique(query)):
        own = [abs(row[2]) for row in rows if row[0] == one]
        assert told[place].tolist() == pytest.approx([np.mean(own), 2 * np.mean(own)])


def test_a_feature_that_decides_is_missed_and_one_that_does_not_is_not() -> None:
    rng = np.random.default_rng(0)
    features = np.stack([rng.random(400), np.zeros(400), rng.random(400)], axis=1).astype(np.float32)
    query = np.repeat(np.arange(40), 10)
    taken = (features[:, 0] > 0.8).astype(float)
    wanted = np.bincount(query, taken).astype(int)
    losses = permutation_losses(
        Sum(), features, lambda scores: ndcg(scores, taken, query, wanted, 5), np.array([0, 1, 2]), rng
    )
    assert losses.shape == (40, 3)
    assert losses[:, 0].mean() > 0.3
    assert (losses[:, 1:] == 0).all()


def test_levels_run_from_the_5th_to_the_95th_percentile_and_outliers_are_clipped() -> None:
    values = np.append(np.arange(101.0), [1e9, nan, -1e9])
    level = swarm(np.zeros(104), values).level
    low, high = np.percentile(values[np.isfinite(values)], [5, 95])
    np.testing.assert_allclose(level[:101], np.clip((np.arange(101) - low) / (high - low), 0, 1))
    assert level[101:].tolist()[::2] == [1, 0]
    assert np.isnan(level[102])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([3.0, 3.0], [0.5, 0.5]), ([nan, nan], [nan, nan]), ([0.0] * 30 + [1.0], [0.0] * 30 + [1.0]), ([], [])],
)
def test_levels_of_few_different_values(values: list[float], wanted: list[float]) -> None:
    np.testing.assert_array_equal(swarm(np.zeros(len(values)), np.array(values, float)).level, wanted)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=12), st.integers(1, 6))
def test_what_is_told_of_a_score_is_complete(parts: list[float], most: int) -> None:
    names = tuple(f"feature {place}" for place in range(len(parts) - 1))
    told = told_contributions(names, np.array(parts), most)
    named = told["contributions"]
    assert told["base"] + sum(named.values()) + told["others"] == pytest.approx(told["raw_score"], abs=1e-12)
    assert told["raw_score"] == pytest.approx(sum(parts))
    assert len(named) == min(most, len(names))
    sizes = [abs(one) for one in named.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert max((abs(one) for name, one in zip(names, parts, strict=False) if name not in named), default=0) <= sizes[-1]


def test_a_ranker_that_cannot_be_taken_apart_is_not() -> None:
    assert contributions_of(Sum(), np.ones((2, 2), np.float32)) is None
