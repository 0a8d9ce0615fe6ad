"""Neighbours of a history against whole matrices, against implicit, and by hand."""

from typing import Any

import numpy as np
import pytest
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks, dense_matrix, filled, merged
from tests.retrieval.growing import grown, same_arrays

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError
from encorec.retrieval.user_knn import UserKNN, UserKNNConfig
from encorec.types import FloatMatrix, FloatVector

pytestmark = pytest.mark.filterwarnings("ignore::implicit.utils.ParameterWarning")

WORLD = world()
ITEMS = WORLD.interactions.items
WEIGHTINGS: Any = ["cosine", "tfidf", "bm25", "jaccard"]
DAY = 86_400


def fitted(config: UserKNNConfig, data: Dataset = WORLD) -> UserKNN:
    return UserKNN(config).fit(data, rng=np.random.default_rng(0))


def weigh(row: FloatVector, counts: FloatMatrix, weighting: str) -> FloatVector:
    """(items,) weights of one row of counts, by the formulas as they stand in textbooks."""
    idf = np.log(len(counts)) - np.log1p((counts > 0).sum(axis=0))
    if weighting == "bm25":
        ratio = row.sum() / counts.sum(axis=1).mean()
        return row * 2.2 / (1.2 * (0.25 + 0.75 * ratio) + row) * idf
    if weighting == "tfidf":
        row = np.sqrt(row) * idf
    return row / max(np.linalg.norm(row), 1e-12)


def likeness(asked: FloatVector, counts: FloatMatrix, weighting: str) -> FloatVector:
    """(users,) how much each user is like weighted items."""
    if weighting == "jaccard":
        sets = (counts > 0).astype(float)
        return sets @ asked / (asked @ asked + sets.sum(axis=1) - sets @ asked)
    return np.array([weigh(row, counts, weighting) for row in counts]) @ weigh(asked, counts, weighting)


def active(data: Dataset = WORLD) -> FloatMatrix:
    """(users, items) counts of those who did anything."""
    dense = dense_matrix(data)
    return dense[dense.any(axis=1)]


def asked_items(events: Any, weighting: str, decay: float, last: int | None) -> FloatVector:
    if weighting != "jaccard":
        return merged(events, decay, ITEMS, last)
    dense = np.zeros(ITEMS)
    for steps, (item, _, _) in reversed(list(enumerate(events[::-1][:last]))):
        dense[item] = decay**steps
    return dense


@pytest.mark.parametrize(("decay", "last"), [(1.0, None), (0.7, None), (0.5, 2)])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_scores_are_votes_of_all_users_who_took_something_else(weighting: Any, decay: float, last: int | None) -> None:
    counts = active()
    scores = fitted(UserKNNConfig(weighting=weighting, neighbours=999, decay=decay, last=last)).scores(
        asks(WORLD, HISTORIES)
    )
    for row, events in enumerate(HISTORIES):
        like = (
            likeness(asked_items(events, weighting, decay, last), counts, weighting)
            if events
            else np.zeros(len(counts))
        )
        new = (np.delete(counts, [item for item, _, _ in events], axis=1) > 0).any(axis=1)
        votes = (like * new) @ (counts > 0)
        assert scores[row] == pytest.approx(filled(votes, WORLD), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("neighbours", [1, 4, 20])
def test_only_the_nearest_vote(weighting: Any, neighbours: int) -> None:
    """With ties it does not matter here who of them votes: the sum of the strongest similarities is the same."""
    counts, item = active(), 3
    model = fitted(UserKNNConfig(weighting=weighting, neighbours=neighbours))
    found = model.scored(asks(WORLD, HISTORIES))
    for row, events in enumerate(HISTORIES[:3]):
        like = likeness(asked_items(events, weighting, 1.0, None), counts, weighting)
        new = (np.delete(counts, [one for one, _, _ in events], axis=1) > 0).any(axis=1)
        nearest = np.sort(like[new & (like > 0)])[::-1][:neighbours]
        weight = found.weight[found.indptr[row] : found.indptr[row + 1]]  # pyright: ignore[reportAttributeAccessIssue]
        assert weight == pytest.approx(nearest, rel=1e-5)
    assert item < ITEMS


TWINS: dict[str, Any] = {
    "cosine": CosineRecommender(K=99),
    "tfidf": TFIDFRecommender(K=99),
    "bm25": BM25Recommender(K=99, K1=1.2, B=0.75),
}


@pytest.mark.parametrize("weighting", TWINS)
def test_likeness_of_users_is_that_of_implicit(weighting: Any) -> None:
    """Its item neighbours of the transposed log are user neighbours; each user asks with the own history."""
    counts = active()
    twin = TWINS[weighting]
    twin.fit(sparse.csr_matrix(counts.T), show_progress=False)
    expected = twin.similarity.toarray()
    own = WORLD.interactions.histories
    users = np.flatnonzero(WORLD.interactions.user_counts)
    rows = [
        [(int(own.item[at]), int(own.time[at]), float(own.weight[at])) for at in range(own.starts[one], own.stops[one])]
        for one in users
    ]
    found = fitted(UserKNNConfig(weighting=weighting, neighbours=99)).scored(asks(WORLD, rows))
    for row in range(len(users)):
        others = np.sort(np.delete(expected[row], row))[::-1]
        weight = found.weight[found.indptr[row] : found.indptr[row + 1]]  # pyright: ignore[reportAttributeAccessIssue]
        assert weight == pytest.approx(others[others > 0], rel=1e-4, abs=1e-5)


def test_jaccard_worked_by_hand() -> None:
    """History {0, 1}: user 0 {0, 1, 2} has 2 of 3 in common, user 1 {0, 3} 1 of 3, user 2 {0, 1} proposes nothing."""
    data = Dataset.of(Interactions.of([0, 0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 3, 0, 1], [1, 2, 3, 1, 2, 1, 2]))
    model = fitted(UserKNNConfig(weighting="jaccard"), data)
    queries = asks(data, [[(0, 1, 1.0), (1, 2, 1.0)]])
    assert model.scores(queries)[0].tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3])
    reasons = model.explain(queries, np.array([2]))
    assert reasons.item.tolist() == [0, 1]
    assert reasons.share.tolist() == pytest.approx([1 / 3, 1 / 3])


def test_nobody_takes_a_place_with_what_was_seen() -> None:
    """One neighbour is kept: the twin, the most alike, has nothing new; so the next one votes."""
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 1], [0, 1, 0, 1, 2], [1, 2, 1, 2, 3]))
    scores = fitted(UserKNNConfig(neighbours=1, weighting="cosine"), data).scores(
        asks(data, [[(0, 1, 1.0), (1, 2, 1.0)]])
    )
    assert scores[0, 2] == pytest.approx(2 / 6**0.5)


def test_what_was_seen_before_the_newest_events_is_seen() -> None:
    data = Dataset.of(Interactions.of([0, 0, 1, 1], [0, 1, 1, 2], [1, 2, 3, 4]))
    model = fitted(UserKNNConfig(neighbours=1, weighting="cosine", last=1), data)
    assert model.scores(asks(data, [[(0, 1, 1.0), (1, 2, 1.0)]]))[0, 2] == pytest.approx(1 / 2**0.5)


def test_of_equally_alike_users_the_newest_vote() -> None:
    data = Dataset.of(Interactions.of([0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 0, 3], [1, 5, 1, 9, 1, 7]))
    scores = fitted(UserKNNConfig(neighbours=1, weighting="cosine"), data).scores(asks(data, [[(0, 1, 1.0)]]))
    assert (scores[0] > 0).tolist() == [True, False, True, False]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_events_fade_by_their_age(weighting: Any) -> None:
    model = fitted(UserKNNConfig(weighting=weighting, neighbours=999, half_life_days=4))
    scores = model.scores(asks(WORLD, [[(3, 4 * DAY, 1.0), (1, 8 * DAY, 1.0)]], now=8 * DAY))
    asked, counts = np.zeros(ITEMS), active()
    asked[[3, 1]] = (0.5 if weighting == "jaccard" else np.log2(1.5)), 1.0
    new = (np.delete(counts, [1, 3], axis=1) > 0).any(axis=1)
    votes = (likeness(asked, counts, weighting) * new) @ (counts > 0)
    assert scores[0] == pytest.approx(filled(votes, WORLD), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_reasons_add_up_to_the_scores(weighting: Any) -> None:
    model = fitted(UserKNNConfig(weighting=weighting, neighbours=15, decay=0.8, half_life_days=30))
    queries = asks(WORLD, HISTORIES, now=9)
    scores = model.scores(queries)
    for item in range(ITEMS):
        reasons = model.explain(queries, np.full(len(HISTORIES), item))
        for row in range(len(HISTORIES)):
            share = reasons.share[reasons.indptr[row] : reasons.indptr[row + 1]]
            assert share.sum() == pytest.approx(max(scores[row, item], 0), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("new_names", [False, True])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_updates_learn_what_one_fit_learns(weighting: Any, new_names: bool) -> None:
    assert same_arrays(*grown(WORLD, lambda: UserKNN(UserKNNConfig(weighting=weighting)), 1, 4, new_names))


def test_a_log_without_events_answers_by_the_catalogue() -> None:
    data = Dataset.of(Interactions.of([], [], [], users=2, items=3))
    for weighting in WEIGHTINGS:
        model = fitted(UserKNNConfig(weighting=weighting), data)
        assert model.retrieve(asks(data, [[(1, 1, 1.0)], []], now=5), 3).item.tolist() == [0, 1, 2] * 2


@pytest.mark.parametrize(
    "setting",
    [{"neighbours": 0}, {"last": 0}, {"decay": 0}, {"length_penalty": 2}, {"saturation": 0}, {"half_life_days": 0}],
)
def test_settings_out_of_bounds_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"UserKNNConfig\.{next(iter(setting))} is"):
        UserKNNConfig(**setting)
