"""Small logs with everything in them that is looked for: repeats, gaps, bursts, strangers in time."""

import numpy as np
from hypothesis import strategies as st

from encorec.data.interactions import Interactions

DAY = 86_400
USERS, ITEMS = 6, 5


def drawn_logs() -> st.SearchStrategy[Interactions]:
    """Few users and items, so that everything repeats; times over a few days, many of them equal."""
    moment = st.tuples(st.integers(0, 9), st.sampled_from([0, 1, 3600, 50_000])).map(lambda at: at[0] * DAY + at[1])
    row = st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), moment, st.sampled_from([0.5, 1.0]))
    return st.lists(row, max_size=40).map(table_of)


def table_of(rows: list[tuple[int, int, int, float]]) -> Interactions:
    """Of (user, item, second, weight)."""
    user, item, time, weight = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Interactions.of(list(user), list(item), list(time), list(weight), users=USERS, items=ITEMS)


def rows_of(table: Interactions) -> list[tuple[int, int, int, float]]:
    columns = (table.user, table.item, table.time, table.weight)
    return list(zip(*(np.asarray(column).tolist() for column in columns), strict=True))
