"""What the ranker learns from: labels, sampled rows, joined parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encorec.ranking.training_set import TrainingSet, label, sample
from encorec.types import Candidates, ItemLists

ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=40).map(sorted)
PAIRS = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=20).map(sorted)


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """labels and queries."""
    return np.array([row[1] for row in rows], np.float32), np.array([row[0] for row in rows], np.int32)


@given(PAIRS, PAIRS)
def test_a_candidate_is_positive_where_its_user_took_it(
    proposed: list[tuple[int, int]], taken: list[tuple[int, int]]
) -> None:
    query = np.array([one for one, _ in proposed], np.int32)
    ones = np.ones((len(proposed), 1), np.float32)
    found = Candidates(query, np.array([item for _, item in proposed], np.int32), ones, ones, ("als",))
    truth = ItemLists.of([[item for one, item in taken if one == row] for row in range(4)])
    labels = label(found, truth)
    assert labels.dtype == np.float32
    assert labels.tolist() == [float(pair in taken) for pair in proposed]


@given(ROWS, st.integers(1, 5), st.integers(0, 9))
def test_sampling_keeps_positives_and_so_many_others_per_query(
    rows: list[tuple[int, bool]], negatives: int, seed: int
) -> None:
    labels, query = columns(rows)
    kept = sample(labels, query, negatives, np.random.default_rng(seed)).tolist()
    assert kept == sorted(set(kept))
    for one in range(5):
        own = [place for place, row in enumerate(rows) if row[0] == one]
        positive = [place for place in own if rows[place][1]]
        chosen = [place for place in kept if rows[place][0] == one]
        others = min(negatives, len(own) - len(positive)) if positive else 0
        assert [place for place in chosen if rows[place][1]] == positive
        assert len(chosen) == len(positive) + others


@given(ROWS, st.integers(0, 9))
def test_sampling_is_repeated_by_its_seed(rows: list[tuple[int, bool]], seed: int) -> None:
    first, again = (sample(*columns(rows), 2, np.random.default_rng(seed)) for _ in range(2))
    assert first.tolist() == again.tolist()


def test_others_are_drawn_evenly() -> None:
    """4,000 draws of 2 of 8: each is drawn 1,000 times, give or take five standard deviations of 27."""
    labels, query = columns([(0, False)] * 3 + [(0, True)] + [(0, False)] * 5)
    rng = np.random.default_rng(0)
    drawn = np.bincount(np.concatenate([sample(labels, query, 2, rng) for _ in range(4000)]), minlength=9)
    assert drawn[3] == 4000
    assert np.abs(np.delete(drawn, 3) - 1000).max() < 5 * 27.4


def part(group: list[int], start: float) -> TrainingSet:
    size = len(group)
    values = np.arange(start, start + size, dtype=np.float32)
    return TrainingSet(values[:, None], values, np.array(group, np.int64), np.array(group, np.int32) + 100)


def test_joined_parts_share_no_group() -> None:
    joined = TrainingSet.join([part([0, 0, 2], 0), part([], 3), part([1, 1, 1], 3), part([0], 6)])
    assert joined.group.tolist() == [0, 0, 2, 4, 4, 4, 5]
    assert joined.label.tolist() == joined.features.ravel().tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert joined.user.tolist() == [100, 100, 102, 101, 101, 101, 100]


def test_taking_rows_by_position_and_by_boolean_agree() -> None:
    rows = part([0, 1, 1, 2], 0)
    for kept in (np.array([1, 3]), np.array([False, True, False, True])):
        taken = rows.take(kept)
        assert taken.label.tolist() == [1, 3]
        assert taken.group.tolist() == [1, 2]
        assert len(taken) == 2
