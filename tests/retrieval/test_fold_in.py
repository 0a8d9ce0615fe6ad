"""Vectors folded in from histories: a least-squares map, close to what training gave, explained item by item."""

import numpy as np
import pytest
from scipy import sparse
from tests.contracts.worlds import world
from tests.retrieval.asking import everybody

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.retrieval.bpr import BPR, BPRConfig
from encorec.retrieval.factorisation import bpr_factors
from encorec.retrieval.fold_in import learn_fold_in, times
from encorec.retrieval.scoring import user_item_matrix
from encorec.retrieval.user_order import order_by_deeds


def clans(users: int = 240, items: int = 60, seed: int = 0) -> Dataset:
    """Three clans, each with items of its own, which its members take at random."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 8)
    item = user % 3 * (items // 3) + rng.integers(0, items // 3, len(user))
    return Dataset.of(Interactions.of(user, item, np.arange(len(user)), users=users, items=items))


def test_the_map_is_that_of_ridge_regression() -> None:
    rng = np.random.default_rng(1)
    matrix = sparse.csr_array((rng.random((30, 9)) < 0.4) * rng.random((30, 9)))
    rows, users = rng.standard_normal((9, 4)).astype(np.float32), rng.standard_normal((30, 4))
    total = matrix.sum(axis=1)
    some = total > 0
    inputs = np.column_stack([matrix @ rows / np.sqrt(np.maximum(total, 1e-12))[:, None], np.ones(30), np.log1p(total)])
    inputs = inputs[some]
    ridge = np.sqrt(1e-5 * len(inputs)) * np.eye(6)
    expected = np.linalg.lstsq(np.vstack([inputs, ridge]), np.vstack([users[some], np.zeros((6, 4))]), rcond=None)[0]
    np.testing.assert_allclose(learn_fold_in(matrix, rows, users), expected, rtol=1e-3, atol=1e-4)


def test_times_is_the_matrix_product_whatever_stands_beside() -> None:
    rng = np.random.default_rng(2)
    left, right = (rng.standard_normal(shape).astype(np.float32) for shape in ((5, 7), (7, 3)))
    np.testing.assert_allclose(times(left, right), left @ right, rtol=1e-5, atol=1e-5)
    assert (times(left[2:3], right) == times(left, right)[2:3]).all()


def test_folded_in_users_rank_as_well_as_the_trained_vectors() -> None:
    data = clans()
    table, model = data.interactions, BPR(BPRConfig(embedding_size=8, epochs=60))
    matrix, order = user_item_matrix(table), order_by_deeds(table)
    users, items, bias = bpr_factors(matrix[order], 8, 0.05, 0.01, 60, np.random.default_rng(0))
    trained = np.argsort(-(users @ items.T + bias), axis=1)[:, :10]
    queries = everybody(data)
    folded = model.fit(data, rng=np.random.default_rng(0)).retrieve(queries, 10).item.reshape(-1, 10)
    clan = np.arange(table.users) % 3
    own = (folded // 20 == clan[:, None]).mean()
    theirs = (trained // 20 == clan[order][:, None]).mean()
    assert own > 0.95
    assert own >= 0.98 * theirs


def test_shares_and_the_constant_part_make_the_score() -> None:
    data = world()
    model = BPR(BPRConfig(embedding_size=6, epochs=20)).fit(data, rng=np.random.default_rng(0))
    queries, learnt = everybody(data), model.arrays()
    item = np.full(len(queries), 2)
    reasons = model.explain(queries, item)
    total = np.array([reasons.share[a:b].sum() for a, b in zip(reasons.indptr, reasons.indptr[1:], strict=False)])
    weight = np.diff(np.append(0, np.cumsum(user_item_matrix(data.interactions).sum(axis=1))))
    constant = learnt["fold_in"][6] + np.log1p(weight)[:, None] * learnt["fold_in"][7]
    expected = total + constant @ learnt["factors"][:, 2] + learnt["bias"][2]
    some = queries.history.lengths > 0
    np.testing.assert_allclose(model.scores(queries)[some, 2], expected[some], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("users", [0, 1])
def test_the_order_by_deeds_of_hardly_anybody(users: int) -> None:
    table = Interactions.of([0] * users, [0] * users, [0] * users, users=3, items=2)
    assert order_by_deeds(table).tolist() == list(range(users))


def test_users_are_ordered_by_what_they_did() -> None:
    table = world().interactions
    active = np.flatnonzero(table.user_counts)
    row = np.random.default_rng(3).permutation(table.users)
    renumbered = Interactions.of(row[table.user], table.item, table.time, users=table.users, items=table.items)
    assert sorted(order_by_deeds(table)) == active.tolist()
    assert row[order_by_deeds(table)].tolist() == order_by_deeds(renumbered).tolist()
