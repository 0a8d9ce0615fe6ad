"""Whom a retriever must answer, and how long and how lawful every list must be."""

from dataclasses import replace

import numpy as np

from encorec.testing.questions import ask, guests, known_users, mixed_rules, only, without
from encorec.testing.retriever_case import PLACES, RetrieverCase
from encorec.types import Eligibility, Histories, Queries


def fills_lists_of_known_users(case: RetrieverCase) -> None:
    """Users of the training data, busy and quiet, get full lists."""
    case.answer(known_users(case.data), PLACES)


def fills_lists_of_unknown_users(case: RetrieverCase) -> None:
    """A user never seen in training, with three events and no known feature, gets a full list."""
    case.answer(guests(case.data), PLACES)


def fills_lists_of_empty_histories(case: RetrieverCase) -> None:
    """A user who did nothing yet gets a full list."""
    case.answer(guests(case.data, events=0), PLACES)


def fills_lists_beyond_the_catalogue(case: RetrieverCase) -> None:
    """More items than there are: every item once."""
    case.answer(known_users(case.data), case.data.interactions.items + 7)


def fills_a_narrow_allow_list(case: RetrieverCase) -> None:
    """An allow-list of one percent of the catalogue is used up, not searched among the best."""
    case.answer(only(known_users(case.data), max(case.data.interactions.items // 100, 1)), PLACES)


def fills_where_three_items_are_left(case: RetrieverCase) -> None:
    """A user who has seen everything but three items gets these three."""
    case.answer(without(known_users(case.data), max(case.data.interactions.items - 3, 0)), PLACES)


def keeps_the_rules_of_every_query(case: RetrieverCase) -> None:
    """Hidden, excluded and allowed items, each query with lists of its own or none."""
    case.answer(mixed_rules(known_users(case.data)), PLACES)
    case.answer(mixed_rules(guests(case.data)), case.data.interactions.items)


def gives_nothing_where_nothing_is_eligible(case: RetrieverCase) -> None:
    """No eligible item, no candidate."""
    queries = known_users(case.data)
    case.answer(replace(queries, eligible=Eligibility(np.zeros(queries.items, bool))), PLACES)
    case.answer(only(queries, 0), PLACES)


def gives_nothing_to_nobody(case: RetrieverCase) -> None:
    """No query, no candidate."""
    case.answer(ask(case.data, Histories.empty(0), np.empty(0, np.int64)), PLACES)


def takes_repeated_items(case: RetrieverCase) -> None:
    """The same item many times in a history."""
    case.answer(_asks(case, [([0] * 5, [1, 2, 3, 4, 5]), ([0, 1, 0, 1], [1, 2, 3, 4])]), PLACES)


def takes_equal_times(case: RetrieverCase) -> None:
    """Events of one second, in either order."""
    items = list(range(min(4, case.data.interactions.items)))
    times = [7] * len(items)
    case.answer(_asks(case, [(items, times), (items[::-1], times)]), PLACES)


def takes_long_histories(case: RetrieverCase) -> None:
    """A history with every item of the catalogue in it."""
    items = list(range(case.data.interactions.items))
    case.answer(_asks(case, [(items, items)]), PLACES)


def _asks(case: RetrieverCase, rows: list[tuple[list[int], list[int]]]) -> Queries:
    return ask(case.data, Histories.of(rows), np.full(len(rows), -1))
