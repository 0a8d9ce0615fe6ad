"""What may be shown: what anybody took, and not again what this user had."""

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.splits import TimeCut
from encorec.pipeline.eligibility import SeenRule, catalogue_of, fold_queries, seen_items
from encorec.types import Histories

TABLE = Interactions.of([0, 0, 1, 1, 1], [0, 2, 0, 2, 3], [10, 90, 20, 30, 95], items=5)


def test_catalogue_is_what_anybody_took() -> None:
    assert catalogue_of(Dataset.of(TABLE)).tolist() == [True, False, True, True, False]


def test_seen_are_the_items_before_the_cut() -> None:
    histories = Histories.of([([4, 2, 4], [1, 2, 3]), ([1], [9])]).before(np.array([3, 9]))
    assert [seen_items(histories).row(query).tolist() for query in range(2)] == [[4, 2], []]


@pytest.mark.parametrize(
    ("rule", "eligible"),
    [("exclude", [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]), ("keep", [[1, 0, 1, 0, 0], [1, 0, 1, 0, 0]])],
)
def test_a_fold_is_asked_with_what_was_known_at_its_time(rule: SeenRule, eligible: list[list[int]]) -> None:
    """Item 3 was taken by nobody before the cut, so it could not have been shown."""
    [fold] = TimeCut(share=0.4).folds(Dataset.of(TABLE))
    queries = fold_queries(fold, rule)
    assert queries.user is not None
    assert queries.user.tolist() == [0, 1]
    assert [queries.history.items(query).tolist() for query in range(2)] == [[0], [0, 2]]
    assert queries.eligible.mask(2).astype(int).tolist() == eligible
    assert queries.user_features is None


def test_queries_carry_the_features_of_their_users(trained: Trained) -> None:
    fold = trained.exam.test
    features = fold_queries(fold).user_features
    np.testing.assert_array_equal(features, trained.data.user_features.dense()[fold.user])
