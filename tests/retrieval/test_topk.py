"""The best eligible items of every query, and their form as candidates."""

import numpy as np
import pytest

from encorec.retrieval.topk import candidates_of, top_k

SCORES = np.array([[0.1, 0.3, 0.2, 0.3], [-1, -np.inf, -3, -2]], np.float32)


def test_best_first_equal_scores_in_catalogue_order() -> None:
    item, score = top_k(SCORES, np.ones((1, 4), bool), 3)
    assert item.tolist() == [[1, 3, 2], [0, 3, 2]]
    assert score.tolist() == [SCORES[0, [1, 3, 2]].tolist(), [-1, -2, -3]]


def test_an_item_of_the_lowest_score_is_still_shown_where_it_is_eligible() -> None:
    item, score = top_k(SCORES, np.array([[True] * 4, [False, True, False, False]]), 2)
    assert item[1].tolist() == [1, -1]
    assert score[1, 0] == -np.inf


@pytest.mark.parametrize("k", [0, 4, 5, 50])
def test_lists_have_k_places_whatever_the_catalogue(k: int) -> None:
    item, score = top_k(SCORES, np.ones((1, 4), bool), k)
    assert item.shape == score.shape == (2, k)
    assert (item >= 0).sum(axis=1).tolist() == [min(k, 4)] * 2
    assert np.array_equal(np.isnan(score), item < 0)


def test_a_catalogue_of_nothing_gives_empty_places() -> None:
    item, score = top_k(np.empty((2, 0), np.float32), np.empty((1, 0), bool), 2)
    assert item.tolist() == [[-1, -1], [-1, -1]]
    assert np.isnan(score).all()


def test_candidates_keep_query_order_and_count_ranks_from_one() -> None:
    item, score = top_k(SCORES, np.array([[False] * 4, [True, False, True, True]]), 4)
    found = candidates_of(item, score, "mine")
    assert found.query.tolist() == [1, 1, 1]
    assert found.item.tolist() == [0, 3, 2]
    assert found.rank.ravel().tolist() == [1, 2, 3]
    assert found.score.ravel().tolist() == [-1, -2, -3]
    assert found.sources == ("mine",)
