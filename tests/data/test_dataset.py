"""Parts that fit each other, and a fingerprint that tells data sets apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError


def dataset(users: Any, items: Any, table: Interactions | None = None) -> Dataset:
    table = table or Interactions.of([0], [0], [7], users=len(users), items=len(items))
    return Dataset(
        "toy",
        Vocabulary(np.array(users)),
        Vocabulary(np.array(items)),
        table,
        FeatureTable(len(users)),
        FeatureTable(len(items)),
    )


def test_equal_data_have_equal_fingerprints_whatever_their_name_and_integer_width() -> None:
    one = dataset([1, 2], [3])
    other = replace(one, name="other", users=Vocabulary(np.array([1, 2], np.int32)))
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        dataset([12], [3]),
        dataset([1], [24]),
        dataset(["1"], [23]),
        dataset([1], [23], Interactions.of([0], [0], [8])),
        dataset([1], [23], Interactions.of([0], [0], [7], [2.0])),
        dataset([1], [23], Interactions.of([0, 0], [0, 0], [7, 7])),
    ],
)
def test_other_data_have_another_fingerprint(other: Dataset) -> None:
    assert dataset([1], [23]).fingerprint != other.fingerprint


def test_ids_that_run_into_each_other_are_told_apart() -> None:
    assert dataset(["a\nb"], ["c"]).fingerprint != dataset(["a"], ["b\nc"]).fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"users": Vocabulary(np.array([1, 2]))},
        {"item_features": FeatureTable(2)},
        {"interactions": Interactions.of([], [], [], users=1, items=4)},
        {"titles": np.array(["a", "b"])},
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="must agree"):
        replace(dataset([1], [2]), **change)


def test_restrict_keeps_vocabularies_and_source_rows() -> None:
    data = dataset([1, 2], [3], Interactions.of([1, 0, 0], [0, 0, 0], [5, 9, 4], users=2, items=1))
    kept = data.restrict(data.interactions.time < 9)
    assert kept.interactions.row.tolist() == [2, 0]
    assert kept.users is data.users


def test_title_is_the_id_where_there_are_no_titles() -> None:
    data = dataset([1], [42])
    assert data.title(0) == "42"
    assert replace(data, titles=np.array(["Alien"])).title(0) == "Alien"


def test_joined_knows_old_and_new_users() -> None:
    old = dataset([7], [3], Interactions.of([0], [0], [5]))
    like = dataset([7, 8], [3, 4], Interactions.of([1, 0], [1, 0], [6, 5]))
    data = old.joined(like.interactions, like)
    assert data.users is like.users
    assert data.interactions.item.tolist() == [0, 0, 1]


def test_joined_keeps_everything_where_nobody_is_new() -> None:
    old = dataset([7], [3], Interactions.of([0], [0], [5]))
    data = old.joined(Interactions.of([0], [0], [4]))
    assert data.items is old.items
    assert data.interactions.time.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("users", "items", "what"), [([8, 7], [3], "users"), ([7], [4, 3], "items"), ([7], [9], "items")]
)
def test_joined_refuses_other_numbers_of_the_old_ones(users: list[int], items: list[int], what: str) -> None:
    old = dataset([7], [3], Interactions.of([0], [0], [5]))
    like = dataset(users, items, Interactions.of([], [], [], users=len(users), items=len(items)))
    with pytest.raises(DataError, match=f"{what}: the 1 old ids must stand first"):
        old.joined(like.interactions, like)
