"""Quality of lists against slow twins and the examples of RecTools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.evaluation.metrics.list_quality import covered_users, sufficient, unrepeated
from encorec.evaluation.metrics.lists import judge
from encorec.types import ItemLists

LISTS = st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=6)


def padded(rows: list[list[int]]) -> np.ndarray:
    return np.array([[*row, *[-1] * (6 - len(row))] for row in rows])


@given(LISTS, st.integers(1, 8))
def test_quality_equals_its_slow_twins(rows: list[list[int]], k: int) -> None:
    lists = judge(padded(rows), ItemLists.of([[0]] * len(rows)), repeats=True)
    cut = [row[:k] for row in rows]
    assert covered_users(lists).tolist() == [float(bool(row)) for row in rows]
    assert sufficient(lists, k, unit="list").tolist() == [float(len(row) == k) for row in cut]
    assert sufficient(lists, k, unit="place") == pytest.approx([len(row) / k for row in cut])
    assert unrepeated(lists, k, unit="list").tolist() == [float(bool(row) and len({*row}) == len(row)) for row in cut]
    assert unrepeated(lists, k, unit="place") == pytest.approx([len({*row}) / len(row) if row else 0.0 for row in cut])


def test_values_as_published_by_rectools() -> None:
    filled = judge(padded([[1, 2], [1, 2, 3], [1, 2, 3, 4, 5]]), ItemLists.of([[1]] * 3))
    assert sufficient(filled, 1, unit="list").tolist() == [1, 1, 1]
    assert sufficient(filled, 4, unit="list").tolist() == [0, 0, 1]
    assert sufficient(filled, 4, unit="place").tolist() == [0.5, 0.75, 1.0]
    repeated = judge(padded([[1, 2], [1, 1, 3], [1, 2, 2, 1, 5]]), ItemLists.of([[1]] * 3), repeats=True)
    assert unrepeated(repeated, 1, unit="list").tolist() == [1, 1, 1]
    assert unrepeated(repeated, 4, unit="list").tolist() == [1, 0, 0]
    assert unrepeated(repeated, 4, unit="place") == pytest.approx([1.0, 0.66666667, 0.5])
