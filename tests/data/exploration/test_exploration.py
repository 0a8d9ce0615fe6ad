"""The figures together: ready for JSON, equal under any order of the rows, and right for the smallest of logs."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.data.exploration.worlds import DAY, table_of
from tests.worlds import small_world

from encorec.data.dataset import Dataset
from encorec.data.exploration import explore
from encorec.data.exploration.exploration import iso_day
from encorec.data.interactions import Interactions


def test_figures_counted_by_hand() -> None:
    rows = [(0, 1, 0, 1.0), (0, 1, 5, 1.0), (0, 2, 3 * DAY, 1.0), (4, 1, 3 * DAY, 0.5)]
    found = explore(replace(Dataset.of(table_of(rows), "toy"), titles=np.array(["a", "b", "c", "d", "e"])))
    figures = found.figures()
    assert figures["duplicates"] == {
        **{"pairs": 3, "again": 1, "repeated_pairs": 1, "same_second": 0, "exact": 0, "most": 2}
    }
    assert figures["gaps"] == {"days": 2, "longest": [{"first": "1970-01-02", "days": 2}]}
    assert figures["daily"]["day"] == ["1970-01-01", "1970-01-04"]
    assert figures["daily"]["new_items"] == [1, 1]
    assert figures["tails"]["items"]["half_is_had_by"] == 1
    assert [(one.title, one.rows, one.users) for one in found.favourites] == [("b", 3, 2), ("c", 1, 1)]


@pytest.mark.parametrize("rows", [[], [(0, 0, 5, 1.0)]])
def test_nothing_is_explored_too_and_all_of_it_is_json(rows: list[tuple[int, int, int, float]]) -> None:
    found = explore(Dataset.of(table_of(rows)))
    for figures in (found.figures(), found.summary()):
        assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_a_world_without_anybody() -> None:
    assert explore(Dataset.of(Interactions.of([], [], []))).suspicious == []


def test_the_order_of_rows_changes_no_figure() -> None:
    data = small_world()
    table = data.interactions
    mixed = np.random.default_rng(1).permutation(len(table))
    columns = (table.user[mixed], table.item[mixed], table.time[mixed], table.weight[mixed])
    other = replace(data, interactions=Interactions.of(*columns, users=table.users, items=table.items))
    assert explore(other).figures() == explore(data).figures()


def test_dates_beyond_the_calendar_are_numbered() -> None:
    assert iso_day(10**9) == "day 1000000000"
