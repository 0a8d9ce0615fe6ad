"""Everything learnt from: interactions, features and the vocabularies that number them."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.vocabulary import Vocabulary
from encorec.errors import DataError
from encorec.types import BoolVector, IntVector

__all__ = ["Dataset"]


@dataclass(frozen=True)
class Dataset:
    """Interactions of users with items, and what is known of both.

    Args:
        name: of the source.
        users: ids of users.
        items: ids of items.
        interactions: numbered by these vocabularies.
        user_features: one row per user.
        item_features: one row per item.
        titles: (items,) str for people to read; none = the ids.
        impressions: what was shown to whom and when, in the same numbers; none = there is no log of it.

    Raises:
        DataError: parts that do not fit each other.

    Example:
        >>> table = Interactions.of([0, 0, 1], [0, 1, 1], [5, 6, 7])
        >>> data = Dataset.of(table)
        >>> len(data.restrict(np.array([0, 2])).interactions), data.fingerprint[:8]
        (2, '82a1a96f')
    """

    name: str
    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    user_features: FeatureTable
    item_features: FeatureTable
    titles: NDArray[Any] | None = None
    impressions: Interactions | None = None

    def __post_init__(self) -> None:
        sizes = {
            "users": (len(self.users), self.interactions.users, self.user_features.size),
            "items": (len(self.items), self.interactions.items, self.item_features.size),
        }
        for what, (ids, table, features) in sizes.items():
            if not ids == table == features:
                raise DataError(f"{what}: {ids} ids, {table} in the interactions, {features} feature rows; must agree")
        if self.titles is not None and len(self.titles) != len(self.items):
            raise DataError(f"titles: {len(self.titles)} for {len(self.items)} items; must agree")
        shown = self.impressions
        if shown is not None and (shown.users, shown.items) != (len(self.users), len(self.items)):
            raise DataError(
                f"impressions: numbered for {shown.users} users and {shown.items} items, there are {len(self.users)} "
                f"and {len(self.items)}; must agree"
            )

    @classmethod
    def of(cls, interactions: Interactions, name: str = "unnamed") -> "Dataset":
        """Interactions alone; ids are the row numbers."""
        return cls(
            name,
            Vocabulary(np.arange(interactions.users)),
            Vocabulary(np.arange(interactions.items)),
            interactions,
            FeatureTable(interactions.users),
            FeatureTable(interactions.items),
        )

    def restrict(self, kept: IntVector | BoolVector) -> "Dataset":
        """The same vocabularies, features and impressions with fewer interactions.

        Args:
            kept: (m',) increasing positions, or (m,) booleans.
        """
        return replace(self, interactions=self.interactions.take(kept))

    def joined(self, events: Interactions, like: "Dataset | None" = None) -> "Dataset":
        """Everything until now and new interactions, for ``update``.

        Args:
            events: the new ones, in the numbers of ``like``.
            like: vocabularies, features and titles that know the new users and items behind the old ones; none = no
                user or item is new.

        Raises:
            DataError: the old users or items have other numbers in ``like``.

        Example:
            >>> old, new = Interactions.of([0, 1], [0, 1], [5, 6]), Interactions.of([1], [2], [7], users=2)
            >>> len(Dataset.of(old).joined(new, Dataset.of(new)).interactions)
            3
        """
        known = self if like is None else like
        pairs = {"users": (self.users.ids, known.users.ids), "items": (self.items.ids, known.items.ids)}
        for what, (old, new) in pairs.items():
            if old.tolist() != new[: len(old)].tolist():
                raise DataError(f"{what}: the {len(old)} old ids must stand first among the {len(new)} new ones")
        return replace(known, interactions=self.interactions.joined(events))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids and interactions: equal for equal data, whatever machine made it."""
        digest = hashlib.sha256()
        for ids in (self.users.ids, self.items.ids):
            digest.update(json.dumps(ids.tolist()).encode())
        table = self.interactions
        for column, kind in ((table.user, "<i4"), (table.item, "<i4"), (table.time, "<i8"), (table.weight, "<f4")):
            digest.update(np.ascontiguousarray(column, kind).tobytes())
        return digest.hexdigest()

    def title(self, item: int) -> str:
        """What a person calls the item at row ``item``."""
        return str(self.items.ids[item] if self.titles is None else self.titles[item])
