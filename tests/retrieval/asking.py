"""Questions in two forms: as a retriever reads them, and as plain lists for slow twins."""

import numpy as np

from encorec.data.dataset import Dataset
from encorec.types import Eligibility, FloatVector, Histories, Queries

Events = list[tuple[int, int, float]]

HISTORIES: list[Events] = [
    [(0, 1, 1.0), (3, 2, 1.0), (7, 3, 1.0)],
    [(3, 1, 1.0), (3, 5, 2.0), (1, 9, 1.0), (3, 9, 1.0)],
    [(20, 4, 3.0)],
    [],
]


def asks(data: Dataset, histories: list[Events], now: int | None = None) -> Queries:
    """One question per history of (item, time, weight), asked when the data end."""
    plain = Histories.of([([one[0] for one in events], [one[1] for one in events]) for events in histories])
    weight = np.array([one[2] for events in histories for one in events], np.float32)
    history = Histories(plain.indptr, plain.item, plain.time, weight)
    seconds = data.interactions.end if now is None else now
    return Queries(
        history, np.full(len(histories), seconds, np.int64), Eligibility(np.ones(data.interactions.items, bool))
    )


def merged(events: Events, decay: float, items: int, last: int | None = None) -> FloatVector:
    """(items,) weights of a history: each item once, ``log2(1 + sum)``, faded by the age of its newest event."""
    dense = np.zeros(items)
    newest_first = events[::-1][:last]
    for item in {one[0] for one in newest_first}:
        steps = [place for place, one in enumerate(newest_first) if one[0] == item]
        total = sum(newest_first[place][2] for place in steps)
        dense[item] = np.log2(1 + total) * decay ** steps[0]
    return dense


def filled(scores: FloatVector, data: Dataset) -> FloatVector:
    """(items,) scores, and where they are exactly 0 the share of the most popular item's users, less one."""
    users = np.array([len(set(data.interactions.user[data.interactions.item == one])) for one in range(len(scores))])
    return np.where(scores == 0, users / users.max() - 1, scores)


def dense_matrix(data: Dataset) -> FloatVector:
    """(users, items) ``log2(1 + summed weight)``."""
    table = data.interactions
    dense = np.zeros((table.users, table.items))
    np.add.at(dense, (table.user, table.item), table.weight)
    return np.log2(1 + dense)


def everybody(data: Dataset) -> Queries:
    """One question per user of the data, asked when the data end, with the user's features."""
    table = data.interactions
    rule = Eligibility(np.ones(table.items, bool))
    return Queries(table.histories, np.full(table.users, table.end), rule, data.user_features.dense())
