"""Questions for components under test: users known and unknown, and rules from no item to every item."""

from dataclasses import replace

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.types import Eligibility, FloatMatrix, Histories, IntVector, ItemLists, Queries

__all__ = ["ask", "everybody", "first_of", "guests", "known_users", "mixed_rules", "only", "renumbered", "without"]


def known_users(data: Dataset) -> Queries:
    """Questions of up to twelve users, from the busiest to the quietest, asked when the data end; no item is barred.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7], users=3))
        >>> known_users(data).history.lengths.tolist()
        [2, 1, 0]
    """
    user = _some_users(data)
    return ask(data, data.interactions.histories.take(user), user)


def guests(data: Dataset, n: int = 6, events: int = 3) -> Queries:
    """Questions of ``n`` users whom nobody knows, each with so many events of any items of the catalogue.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> guests(data, 2).user.tolist(), guests(data, 2).history.lengths.tolist()
        ([-1, -1], [3, 3])
    """
    rng = np.random.default_rng(n)
    end = data.interactions.end
    rows = [
        (rng.integers(0, data.interactions.items, events).tolist(), list(range(end - events, end))) for _ in range(n)
    ]
    return ask(data, Histories.of(rows), np.full(n, -1))


def everybody(data: Dataset) -> Queries:
    """Known users, then one whom nobody knows and one who did nothing yet; no item is barred.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> everybody(data).history.lengths.tolist()
        [2, 1, 1, 0]
    """
    user, known = _some_users(data), data.interactions.histories
    inside = [slice(known.starts[row], known.stops[row]) for row in user]
    rows = [(known.item[one].tolist(), known.time[one].tolist()) for one in inside]
    guest = ([0], [data.interactions.end - 1])
    return ask(data, Histories.of([*rows, guest, ([], [])]), np.append(user, [-1, -1]))


def ask(data: Dataset, history: Histories, user: IntVector) -> Queries:
    """What n users with these histories could be shown when the data end, of all items.

    Args:
        data: knows the users' features.
        history: n histories.
        user: (n,) rows of the users, -1 unknown.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> ask(data, Histories.empty(1), np.array([-1])).now.tolist()
        [8]
    """
    return Queries(
        history,
        np.full(len(history), data.interactions.end, np.int64),
        Eligibility(np.ones(data.interactions.items, bool)),
        _features(data, user),
        user.astype(np.int32),
    )


def only(queries: Queries, items: int) -> Queries:
    """The same questions, each with an allow-list of so many items, drawn evenly.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> only(guests(data, 2), 1).eligible.mask().sum(axis=1).tolist()
        [1, 1]
    """
    return replace(queries, eligible=replace(queries.eligible, allow=_drawn(queries, items)))


def without(queries: Queries, items: int) -> Queries:
    """The same questions, each without so many items, drawn evenly.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> without(guests(data, 2), 1).eligible.mask().sum(axis=1).tolist()
        [2, 2]
    """
    return replace(queries, eligible=replace(queries.eligible, exclude=_drawn(queries, items)))


def mixed_rules(queries: Queries) -> Queries:
    """The same questions with a third of the catalogue hidden, and every kind of per-query list side by side.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1, 1], [0, 1, 2, 3], [5, 6, 7, 8]))
        >>> mixed_rules(guests(data, 4)).eligible.restricted.tolist()
        [True, False, True, False]
    """
    items, n = queries.items, len(queries)
    catalogue = np.arange(items) % 3 != 1
    allow = [[], [], [*range(0, items, 2)], [0]]
    exclude = [[0], [*range(0, items, 4)], [], [items - 1]]
    rows = np.arange(n) % 4
    rule = Eligibility(catalogue, ItemLists.of(exclude).take(rows), ItemLists.of(allow).take(rows), rows % 2 == 0)
    return replace(queries, eligible=rule)


def renumbered(data: Dataset, row: IntVector) -> Dataset:
    """The same data in which user u is called ``row[u]``.

    Args:
        data: of n users.
        row: (n,) a permutation of the users.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1, 1], [0, 1, 2], [5, 6, 7]))
        >>> renumbered(data, np.array([1, 0])).interactions.item.tolist()
        [1, 2, 0]
    """
    table, old = data.interactions, np.argsort(row)
    moved = Interactions.of(row[table.user], table.item, table.time, table.weight, users=table.users, items=table.items)
    return replace(
        data,
        users=type(data.users)(data.users.ids[old]),
        interactions=moved,
        user_features=_taken(data.user_features, old),
    )


def first_of(data: Dataset, users: int, items: int) -> Dataset:
    """The same data when only the first so many users and items were known; all interactions must be between these.

    Example:
        >>> data = Dataset.of(Interactions.of([0, 1], [0, 1], [5, 6], users=4, items=9))
        >>> small = first_of(data, 2, 3)
        >>> len(small.users), len(small.items), small.interactions.items
        (2, 3, 3)
    """
    return Dataset(
        data.name,
        type(data.users)(data.users.ids[:users]),
        type(data.items)(data.items.ids[:items]),
        replace(data.interactions, users=users, items=items),
        _taken(data.user_features, np.arange(users)),
        _taken(data.item_features, np.arange(items)),
        None if data.titles is None else data.titles[:items],
    )


def _some_users(data: Dataset) -> IntVector:
    busiest = np.argsort(-data.interactions.user_counts, kind="stable")
    return busiest[np.linspace(0, len(busiest) - 1, min(12, len(busiest))).astype(np.int64)]


def _taken(features: FeatureTable, rows: IntVector) -> FeatureTable:
    """The features of the entities at ``rows``, in that order."""
    return FeatureTable(
        len(rows),
        {name: column[rows] for name, column in features.numeric.items()},
        {name: Categories(one.code[rows], one.values) for name, one in features.categorical.items()},
        {name: Tags(one.lists.take(rows), one.values) for name, one in features.tags.items()},
    )


def _features(data: Dataset, user: IntVector) -> FloatMatrix | None:
    """(n, F) float32 features of known users, NaN for others; none where the data have none."""
    dense = data.user_features.dense()
    if not dense.shape[1]:
        return None
    return np.where(user[:, None] < 0, np.float32(np.nan), dense[user])


def _drawn(queries: Queries, items: int) -> ItemLists:
    rng = np.random.default_rng(items)
    return ItemLists.of([rng.choice(queries.items, items, replace=False) for _ in range(len(queries))])
