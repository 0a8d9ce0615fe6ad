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
        """The same vocabularies and features with fewer interactions.

        Args:
            kept: (m',) increasing positions, or (m,) booleans.
        """
        return replace(self, interactions=self.interactions.take(kept))

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
