"""Titles: found as they stand, whatever their capitals, with and without a year; never guessed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.worlds import ITEMS, Trained

from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.personas.shelf import Shelf

TITLES = ["Fargo", "Heat (1995)", "Heat", "Sabrina", "Sabrina", "fargo", "1984", "Kolya (1996)", "12", "Die Hard  2"]


@pytest.fixture(scope="module")
def shelf(trained: Trained) -> Shelf:
    return titled(trained, TITLES)


def titled(trained: Trained, titles: list[str] | None, **changes: Any) -> Shelf:
    named = None if titles is None else np.array([*titles, *(f"other {one}" for one in range(len(titles), ITEMS))])
    return Shelf(replace(trained.engine.artifact, titles=named, **changes), "cinema")


@pytest.mark.parametrize(
    ("wanted", "row"),
    [
        ("Fargo", 0),  # exact before other capitals
        ("Heat", 2),
        ("HEAT (1995)", 1),
        ("1984", 6),  # a title before an id
        ("12", 8),
        (12, 12),  # a number is an id
        ("13", 13),
        ("kolya", 7),  # without its year
        ("Fargo (1996)", 0),  # with a year that the title has not
        ("die hard 2", 9),
        (" Other  149", 149),
    ],
)
def test_items_are_found(trained: Trained, shelf: Shelf, wanted: int | str, row: int) -> None:
    if wanted == "Fargo (1996)":
        shelf = titled(trained, ["Fargo", "Heat"])
    assert shelf.row(wanted) == row


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("Sabrina", "2 items are called 'Sabrina'; give one of the ids 3, 4"),
        ("SABRINA (1954)", "2 items are called 'SABRINA (1954)'; give one of the ids 3, 4"),
        ("FARGO", "2 items are called 'FARGO'; give one of the ids 0, 5"),
        ("Heet", "no item is called 'Heet'; nearest: 'Heat' (2)"),
        ("Hard", "'Die Hard  2' (9)"),
        ("", "no item is called ''"),
        ("zzz", "give a title or an id of the training data"),
        (9999, "no item has the id 9999"),
        (-1, "no item has the id -1"),
    ],
)
def test_what_cannot_be_told_is_refused(shelf: Shelf, wanted: int | str, told: str) -> None:
    with pytest.raises(DataError) as fault:
        shelf.row(wanted)
    assert str(fault.value).startswith("cinema: ")
    assert told in str(fault.value)


def test_ids_may_be_text_and_titles_missing(trained: Trained) -> None:
    ids = Vocabulary(np.array([f"i{one}" for one in range(ITEMS)]))
    shelf = titled(trained, None, items=ids)
    assert (shelf.row("i7"), shelf.title(7)) == (7, "i7")
    with pytest.raises(DataError, match="no item is called 'i999'; give a title or an id"):
        shelf.row("i999")


def test_popularity_ranks_start_at_one_and_ties_share_theirs(trained: Trained) -> None:
    found = Shelf(replace(trained.engine.artifact, popularity=np.array([5, 9, 5, 0])), "cinema").popularity_rank
    assert found.tolist() == [2, 1, 2, 4]


def test_what_was_trained_on_is_read_as_it_was(trained: Trained) -> None:
    train, data = Shelf(trained.engine.artifact, "cinema").train, trained.data.interactions
    assert train.item_users.tolist() == data.item_users.tolist() == trained.engine.artifact.popularity.tolist()
    assert train.user_counts.tolist() == data.user_counts.tolist()


def test_traits_are_genres_or_what_there_is(trained: Trained) -> None:
    artifact = trained.engine.artifact
    table = artifact.item_features
    assert table is not None
    assert Shelf(artifact, "").traits(0) == "comedy, crime"
    assert Shelf(artifact, "").traits(ITEMS - 1) == ""
    plain = Shelf(replace(artifact, item_features=replace(table, tags={})), "")
    assert (plain.traits_name, plain.traits(0), plain.traits(ITEMS - 1)) == ("kind", "series", "film")
    for nothing in (None, replace(table, tags={}, categorical={}, numeric={})):
        bare = Shelf(replace(artifact, item_features=nothing), "")
        assert (bare.traits_name, bare.traits(0), bare.attributes) == ("", "", None)
