"""Penalties and what is kept, against hand-worked values."""

import numpy as np
import pytest
from scipy import sparse

from encorec.retrieval.ease_penalty import Penalty, column_power


def test_power_is_the_diagonal_of_the_gram_matrix() -> None:
    matrix = sparse.random_array((30, 7), density=0.3, rng=np.random.default_rng(0)).tocsr()
    assert column_power(matrix) == pytest.approx(np.diag(matrix.toarray().T @ matrix.toarray()))


def test_columns_without_entries_have_no_power() -> None:
    assert column_power(sparse.csr_array((0, 3))).tolist() == [0, 0, 0]
    assert column_power(sparse.csr_array(np.array([[0.0, 2.0, 0.0]]))).tolist() == [0, 4, 0]


def test_dropout_adds_its_odds_of_the_power() -> None:
    """Three quarters thought away: 3 / 1 times the power."""
    assert Penalty(5, dropout=0.75).of_items(np.array([0.0, 2.0])).tolist() == [5, 11]


def test_without_options_everything_stays_as_it_is() -> None:
    plain = Penalty(0.3)
    assert plain.of_items(np.array([0.1, 1e12])).tolist() == [0.3, 0.3]
    assert plain.kept(np.array([1e-9, 0.5, 1 + 1e-15])).tolist() == [1, 1, 1]


def test_relaxation_bounds_what_is_kept_from_below() -> None:
    assert Penalty(1, relaxation=0.25).kept(np.array([0.1, 0.75, 0.8, 1.1])).tolist() == [0.75, 0.75, 0.8, 1]
