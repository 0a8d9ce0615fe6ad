"""Everything that a metric may look at, checked when it is first asked for; what is missing is asked for by name."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.errors import ConfigError, DataError
from encorec.evaluation.metrics.calibration import Divergences, calibration, genres_of
from encorec.evaluation.metrics.diversity import ItemAttributes
from encorec.evaluation.metrics.lists import JudgedLists, checked_lists
from encorec.evaluation.options import MetricOptions
from encorec.types import BoolVector, IntMatrix, IntVector, ItemLists

__all__ = ["Evidence", "Known"]


@dataclass(frozen=True)
class Known:
    """What is known besides lists and truth; each part may be missing.

    Args:
        train: what the system learnt from.
        features: of the catalogue.
        user: (n,) row in train of the user of each list, -1 = not in train.
        reference: (n, width') other lists, or (1, width') for all users.
        catalogue: (items,) true for the items that could be recommended.

    Example:
        >>> Known(Interactions.of([0], [0], [0], items=7)).sizes
        {'train': 7}
    """

    train: Interactions | None = None
    features: FeatureTable | None = None
    user: IntVector | None = None
    reference: IntMatrix | None = None
    catalogue: BoolVector | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """How many items each part knows of."""
        sizes = {
            "train": None if self.train is None else self.train.items,
            "item_features": None if self.features is None else self.features.size,
            "catalogue": None if self.catalogue is None else len(self.catalogue),
        }
        return {name: size for name, size in sizes.items() if size is not None}

    def check(self, shown: IntMatrix) -> None:
        """Every item of ``shown`` (n, width) must have its row in whatever describes the items.

        Raises:
            DataError: no items at all, an item beyond them or outside the catalogue, or parts of another length.
        """
        largest = int(shown.max(initial=-1))
        for name, size in self.sizes.items():
            if size == 0:
                raise DataError(f"{name} has no items: pass those of the catalogue that was recommended from")
            if largest >= size:
                row = int((shown >= size).any(axis=1).argmax())
                raise DataError(
                    f"recommended: item {largest} is beyond the {size} items of {name} (first such list: row {row}); "
                    "number both by the same vocabulary"
                )
        self._check_catalogue(shown)
        if self.user is not None and (self.user.shape != (len(shown),) or self.user.dtype.kind not in "iu"):
            given = f"{self.user.dtype} of shape {self.user.shape}"
            raise DataError(f"user is {given}, there are {len(shown)} lists; one row of train per list")
        if self.reference is not None and (self.reference.ndim != 2 or len(self.reference) not in (1, len(shown))):
            shape = self.reference.shape
            raise DataError(f"reference has shape {shape}, there are {len(shown)} lists; one for each, or one for all")

    def _check_catalogue(self, shown: IntMatrix) -> None:
        if self.catalogue is None:
            return
        if self.catalogue.dtype != np.bool_ or self.catalogue.ndim != 1:
            raise DataError("catalogue: must be a vector with true or false for every item of the vocabulary")
        outside = (shown >= 0) & ~self.catalogue[shown]
        if outside.any():
            row, place = np.argwhere(outside)[0]
            raise DataError(
                f"recommended: {outside.sum()} places hold an item outside the catalogue "
                f"(first: row {row}, item {shown[row, place]}); pass all items that could be recommended"
            )

    def take(self, rows: IntVector) -> "Known":
        """Of the lists at ``rows`` (n',)."""
        user = None if self.user is None else self.user[rows]
        reference = self.reference
        if reference is not None and len(reference) > 1:
            reference = reference[rows]
        return Known(self.train, self.features, user, reference, self.catalogue)


@dataclass(frozen=True)
class Evidence:
    """Lists, options and what is known.

    Args:
        lists: of n users, judged.
        options: conventions.
        known: the rest.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> lists = judge(np.array([[0]]), ItemLists.of([[0]]))
        >>> Evidence(lists, MetricOptions(), Known(catalogue=np.ones(3, bool))).items
        3
    """

    lists: JudgedLists
    options: MetricOptions
    known: Known
    _divergences: dict[int, Divergences] = field(default_factory=dict)

    @property
    def train(self) -> Interactions:
        """What the system learnt from."""
        if self.known.train is None:
            raise ConfigError(
                "miuf, serendipity and all metrics of popularity read the training interactions: pass train="
            )
        if len(self.known.train) == 0:
            raise DataError("train has no interactions, so no item is popular or novel by it; pass those learnt from")
        return self.known.train

    @cached_property
    def attributes(self) -> ItemAttributes:
        """The features of the items, laid out for comparing."""
        return ItemAttributes.of(self._features("ild"))

    def _features(self, metric: str) -> FeatureTable:
        if self.known.features is None:
            raise ConfigError(f"{metric} reads the features of the items: pass item_features=")
        return self.known.features

    @property
    def items(self) -> int:
        """Size of the item vocabulary."""
        if not self.known.sizes:
            raise ConfigError(
                "coverage, gini and entropy need the size of the catalogue: pass train= or item_features= or catalogue="
            )
        return next(iter(self.known.sizes.values()))

    @cached_property
    def serendipity_items(self) -> int:
        """Size of the catalogue that serendipity turns ranks into probabilities by."""
        if self.options.serendipity_catalogue == "vocabulary":
            return self.train.items
        if self.options.serendipity_catalogue == "train":
            return int(np.count_nonzero(self.train.item_users))
        if self.known.catalogue is None:
            raise ConfigError(
                'serendipity_catalogue="given" needs the items that could be recommended: pass catalogue='
            )
        return int(np.count_nonzero(self.known.catalogue))

    def of_catalogue(self, exposed: IntVector) -> IntVector:
        """(items',) of ``exposed`` (items,): the part that could be recommended."""
        return exposed if self.known.catalogue is None else exposed[self.known.catalogue]

    @cached_property
    def history(self) -> ItemLists:
        """n lists of the distinct items that each user had in train."""
        train, user = self.train, self.known.user
        if user is None:
            raise ConfigError("calibration and popularity_lift read what each user had in train: pass user=")
        if len(user) and (user.min() < -1 or user.max() >= train.users):
            raise DataError(f"user rows run from {user.min()} to {user.max()}, allowed is -1 to {train.users - 1}")
        owner, item = np.divmod(train.pairs, train.items)
        offsets = np.searchsorted(owner, np.arange(train.users + 2))  # the last list is empty: user -1
        return ItemLists(offsets, item.astype(np.int32)).take(np.where(user < 0, train.users, user))

    @cached_property
    def reference(self) -> IntMatrix:
        """(n, width') or (1, width') the lists to hold these against."""
        if self.known.reference is None:
            raise ConfigError("intersection holds every list against another: pass reference=")
        return checked_lists(self.known.reference, "reference")

    def divergences(self, k: int) -> Divergences:
        """How far the genres of each list are from those of the user's history."""
        if k not in self._divergences:
            chosen = self.options
            genres = genres_of(self._features("calibration"), chosen.calibration_feature)
            if len(genres) < self.train.items:
                size = f"{len(genres)} items, train has {self.train.items}"
                raise DataError(f"calibration: item_features has {size}; number both by the same vocabulary")
            self._divergences[k] = calibration(
                self.lists,
                genres,
                self.history,
                k,
                divergence=chosen.calibration_divergence,
                alpha=chosen.calibration_alpha,
            )
        return self._divergences[k]

    def undefined(self, name: str, k: int) -> BoolVector | None:
        """(n,) true for the users of whom the metric cannot be told; none = it always can."""
        if name == "calibration":
            return ~self.divergences(k).told
        return self.history.lengths == 0 if name == "popularity_lift" else None
