"""Slates in proportion, against the formula of the paper written out slowly, and by hand."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.features import FeatureTable, Tags
from encorec.ranking.caps import caps_of
from encorec.ranking.item_traits import ItemTraits
from encorec.ranking.taste import SMOOTHING, choose_in_taste

GENRES = ("action", "comedy", "romance")


def chosen_by(
    shelf: list[list[str]], value: list[float], history: list[int], k: int, strength: float, fading: float = 1.0
) -> list[int]:
    """The items chosen from a pool that holds the first ``len(value)`` of the catalogue, best first."""
    table = FeatureTable(len(shelf), tags={"genres": Tags.of(shelf)})
    traits, n = ItemTraits.of(table).as_shares(), len(value)
    order, item = np.arange(n, dtype=np.int64)[None, :], np.arange(n, dtype=np.int32)
    chosen, over = np.empty((1, k), np.int64), np.empty(1, np.int64)
    caps, events = caps_of(table, {}), np.array(history, np.int32)
    choose_in_taste(
        order, item, np.array([value]), np.array([n]), np.array([0]), np.array([len(history)]), events,
        fading, strength, traits.size, traits.arrays, 0, caps, chosen, over,
    )  # fmt: skip
    return chosen[0].tolist()


def shares(items: list[list[str]], weights: list[float]) -> dict[str, float]:
    """p(g) of a weighted list: every item spreads its weight evenly over its genres; steck2018, equations 2 and 3."""
    total = sum(weight for genres, weight in zip(items, weights, strict=True) if genres)
    found: dict[str, float] = {}
    for genres, weight in zip(items, weights, strict=True):
        for genre in genres:
            found[genre] = found.get(genre, 0.0) + weight / len(genres) / total
    return found


def divergence(taste: dict[str, float], slate: list[list[str]]) -> float:
    """steck2018, equations 5 and 6."""
    held = shares(slate, [1.0] * len(slate)) if any(slate) else {}
    return sum(
        p * log(p / ((1 - SMOOTHING) * held.get(genre, 0.0) + SMOOTHING * p)) for genre, p in taste.items() if p > 0
    )


shelves = st.lists(st.lists(st.sampled_from(GENRES), max_size=3, unique=True), min_size=1, max_size=9).filter(any)


@given(
    shelves,
    st.lists(st.floats(0, 1), min_size=9, max_size=9),
    st.lists(st.integers(0, 8), max_size=12),
    st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
    st.sampled_from([1.0, 0.8, 0.5]),
    st.integers(1, 10),
)
def test_every_step_takes_what_makes_the_slate_best(
    shelf: list[list[str]], value: list[float], history: list[int], strength: float, fading: float, k: int
) -> None:
    value = sorted(value[: len(shelf)], reverse=True)
    history = [one for one in history if one < len(shelf)]
    weights = [fading ** (len(history) - 1 - place) for place in range(len(history))]
    had = [shelf[one] for one in history]
    taste = shares(had, weights) if any(had) else {}
    slate = chosen_by(shelf, value, history, k, strength, fading)
    filled = [one for one in slate if one >= 0]
    assert len(filled) == len(set(filled)) == min(k, len(shelf))
    for step, one in enumerate(filled):
        before = filled[:step]

        def worth(other: int, before: list[int] = before) -> float:
            together = [*before, other]
            relevance = sum(value[each] for each in together)
            return (1 - strength) * relevance - strength * divergence(taste, [shelf[each] for each in together])

        best = max(worth(other) for other in range(len(shelf)) if other not in before)
        assert worth(one) == pytest.approx(best, abs=1e-9)


def test_seven_romances_and_three_action_films_ask_for_seven_and_three() -> None:
    """The example of the paper's introduction: 70 % romance, 30 % action, though romances score higher throughout."""
    shelf = [["romance"]] * 20 + [["action"]] * 20
    value = [*np.linspace(1.0, 0.6, 20).tolist(), *np.linspace(0.5, 0.1, 20).tolist()]
    history = [0] * 7 + [20] * 3
    slate = chosen_by(shelf, value, history, 10, 0.99)
    assert sum(one >= 20 for one in slate) == 3
    assert chosen_by(shelf, value, history, 10, 0.0) == list(range(10))


def test_the_divergence_by_hand() -> None:
    """p = (.7, .3) against a slate of romances only: .7 log(.7 / .997) + .3 log(.3 / .003)."""
    worked = 0.7 * log(0.7 / (0.99 + 0.007)) + 0.3 * log(100)
    assert divergence({"romance": 0.7, "action": 0.3}, [["romance"]]) == pytest.approx(worked)
    assert worked == pytest.approx(1.134, abs=1e-3)


def test_recent_events_count_more() -> None:
    """Long ago romance, lately action: with fading the first place goes to action."""
    shelf, value = [["romance"], ["action"]], [1.0, 0.9]
    history = [0] * 6 + [1] * 3
    assert chosen_by(shelf, value, history, 1, 0.9, fading=1.0) == [0]
    assert chosen_by(shelf, value, history, 1, 0.9, fading=0.5) == [1]


@pytest.mark.parametrize("history", [[], [2, 2]])
def test_of_whom_no_genre_is_known_the_order_stays(history: list[int]) -> None:
    shelf = [["romance"], ["action"], []]
    assert chosen_by(shelf, [0.9, 0.5, 0.1], history, 3, 1.0) == [0, 1, 2]
