"""The three forms of what a source thinks of a catalogue: the same answers as scoring everything and sorting it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.protocols import Arrays, Scored
from encorec.retrieval.scored import DenseScores, RankedScores, SparseScores, prior_order
from encorec.types import BoolMatrix, FloatMatrix

ITEMS = 70


def sparse_world(rng: np.random.Generator, n: int, signed: bool) -> tuple[SparseScores, FloatMatrix]:
    """A sparse form and the matrix that it stands for, entries added one after the other."""
    lengths = rng.integers(0, 20, ITEMS)
    item = np.concatenate([rng.permutation(ITEMS)[:length] for length in lengths]).astype(np.int32)
    value = rng.integers(-2 if signed else 1, 4, len(item)).astype(np.float32) / 2
    prior = (-rng.integers(0, 4, ITEMS) / 4).astype(np.float32)
    learnt: Arrays = {"indptr": np.concatenate([[0], np.cumsum(lengths)]), "item": item, "value": value, "prior": prior}
    asked = rng.integers(0, 6, n)
    indptr, row = np.concatenate([[0], np.cumsum(asked)]), rng.integers(0, ITEMS, asked.sum()).astype(np.int32)
    weight = rng.choice(np.array([0.25, 0.5, 1.0], np.float32), len(row))
    full = np.zeros((n, ITEMS), np.float32)
    for query in range(n):
        for entry in range(indptr[query], indptr[query + 1]):
            for place in range(learnt["indptr"][row[entry]], learnt["indptr"][row[entry] + 1]):
                full[query, item[place]] += weight[entry] * value[place]
    full = np.where(full == 0, prior, full)
    return SparseScores(indptr, row, weight, learnt, prior_order(prior)), full


def ranked_world(rng: np.random.Generator, n: int) -> tuple[RankedScores, FloatMatrix]:
    value = (rng.integers(0, 5, (3, ITEMS)) / 4).astype(np.float32)
    group = rng.integers(0, 3, n)
    return RankedScores(group, value, prior_order(value)), value[group]


def dense_world(rng: np.random.Generator, n: int) -> tuple[DenseScores, FloatMatrix]:
    full = (rng.integers(-3, 5, (n, ITEMS)) / 4).astype(np.float32)
    return DenseScores(full), full


WORLDS: dict[str, Callable[[np.random.Generator, int], tuple[Scored, FloatMatrix]]] = {
    "sparse": lambda rng, n: sparse_world(rng, n, signed=False),
    "sparse with negative sums": lambda rng, n: sparse_world(rng, n, signed=True),
    "ranked": ranked_world,
    "dense": dense_world,
}


def sorted_slowly(full: FloatMatrix, eligible: BoolMatrix, k: int) -> list[list[int]]:
    """Best first, equal scores in catalogue order."""
    allowed = np.broadcast_to(eligible, full.shape)
    return [
        sorted(np.flatnonzero(allowed[row]).tolist(), key=lambda one, row=row: (-full[row, one], one))[:k]
        for row in range(len(full))
    ]


@pytest.mark.parametrize("form", WORLDS)
@given(seed=st.integers(0, 10_000), k=st.sampled_from([0, 1, 3, 69, 70, 90]), shared=st.booleans())
def test_the_best_are_those_of_a_full_sort(form: str, seed: int, k: int, shared: bool) -> None:
    rng = np.random.default_rng(seed)
    scored, full = WORLDS[form](rng, 5)
    eligible = rng.random((1 if shared else 5, ITEMS)) < rng.choice([0.05, 0.5, 1.0])
    item, score = scored.best(eligible, k)
    expected = sorted_slowly(full, eligible, k)
    assert [row[row >= 0].tolist() for row in item] == expected
    for row, items in enumerate(expected):
        assert score[row, : len(items)].tolist() == full[row, items].tolist()
        assert np.isnan(score[row, len(items) :]).all()
        assert (item[row, len(items) :] == -1).all()


@pytest.mark.parametrize("form", WORLDS)
@given(seed=st.integers(0, 10_000))
def test_any_score_can_be_asked_for(form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scored, full = WORLDS[form](rng, 5)
    query, item = np.sort(rng.integers(0, 5, 40)).astype(np.int32), rng.integers(0, ITEMS, 40).astype(np.int32)
    assert scored.at(query, item).tolist() == full[query, item].tolist()
    assert scored.at(query[:0], item[:0]).tolist() == []


@pytest.mark.parametrize("form", WORLDS)
def test_asking_leaves_no_trace(form: str) -> None:
    scored, _ = WORLDS[form](np.random.default_rng(3), 5)
    everything = np.ones((1, ITEMS), bool)
    first = scored.best(everything, 9)
    scored.at(np.zeros(3, np.int32), np.arange(3, dtype=np.int32))
    assert [part.tolist() for part in scored.best(everything, 9)] == [part.tolist() for part in first]
