"""How unlike each other were the items of a list? Distances between items by their features.

An item has one value per number and category and any number of tags. Numbers are compared as categories:
equal or not. Every tag of the vocabulary counts as one feature that an item has or has not.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from encorec.data.features import FeatureTable
from encorec.errors import DataError
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import IldDistance
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntMatrix, IntVector, ItemLists

__all__ = ["ItemAttributes", "intra_list_distance", "unknown_pairs"]

_USERS_AT_ONCE = 4096
_WORD = 64


@dataclass(frozen=True)
class ItemAttributes:
    """The features of all items, laid out so that many pairs of items are compared at once.

    Args:
        code: (columns, items) int32 the value of each number or category, -1 unknown.
        bits: (words, items) uint64 the tags, 64 to a word.
        flags: (words, items) uint64 the columns that are known of every item and have two values, 64 to a word.
        flagged: how many of these columns there are.
        features: all columns and tags together.

    Example:
        >>> from encorec.data.features import Tags
        >>> table = FeatureTable(2, tags={"genre": Tags.of([["drama", "war"], ["drama"]])})
        >>> attributes = ItemAttributes.of(table)
        >>> attributes.features, attributes.size.tolist()
        (2, [2, 1])
    """

    code: IntMatrix
    bits: NDArray[np.uint64]
    flags: NDArray[np.uint64]
    flagged: int
    features: int

    @classmethod
    def of(cls, table: FeatureTable) -> "ItemAttributes":
        """From the features of a data set.

        Raises:
            DataError: no features at all.
        """
        columns = [_number_codes(column) for column in table.numeric.values()]
        columns += [column.code for column in table.categorical.values()]
        words = [_tag_words(tags.lists, len(tags.values)) for tags in table.tags.values()]
        features = len(columns) + sum(len(tags.values) for tags in table.tags.values())
        if features == 0:
            raise DataError("ild: the items have no features to tell them apart by; give them columns or tags")
        two = [column.min(initial=0) == 0 and column.max(initial=0) == 1 for column in columns]
        flags = _set_columns([one for one, is_flag in zip(columns, two, strict=True) if is_flag], table.size)
        code = [one for one, is_flag in zip(columns, two, strict=True) if not is_flag]
        return cls(
            np.array(code, np.int32).reshape(len(code), table.size),
            np.concatenate([np.zeros((0, table.size), np.uint64), *words]),
            _tag_words(flags, sum(two)),
            sum(two),
            features,
        )

    @cached_property
    def size(self) -> IntVector:
        """(items,) how many values and tags each item has."""
        return (self.code >= 0).sum(axis=0) + self.flagged + _ones(self.bits)

    def known(self, distance: IldDistance) -> BoolVector:
        """(items,) true where no number or category is missing and, if sets are compared, there is something to."""
        known = self.code.min(axis=0, initial=0) >= 0
        return known if distance in ("hamming", "hamming_share") else known & (self.size > 0)

    def take(self, items: IntMatrix) -> "ItemAttributes":
        """Of ``items`` (any shape): every array gets that shape in place of its last axis."""
        arrays = self.code[:, items], self.bits[:, items], self.flags[:, items]
        return ItemAttributes(*arrays, self.flagged, self.features)


def _number_codes(column: FloatVector) -> IntVector:
    """(items,) number of each distinct value, -1 where it is NaN."""
    return np.where(np.isnan(column), -1, np.unique(column, return_inverse=True)[1])


def _tag_words(lists: ItemLists, size: int) -> NDArray[np.uint64]:
    """(words, items) the tags of each item, numbered below ``size``, one bit per tag."""
    words = np.zeros((-(-size // _WORD), len(lists)), np.uint64)
    word, bit = np.divmod(lists.item, _WORD)
    np.bitwise_or.at(words, (word, lists.owner), np.uint64(1) << bit.astype(np.uint64))
    return words


def _set_columns(columns: list[IntVector], items: int) -> ItemLists:
    """The numbers of the columns in which each item has the value 1."""
    item, column = np.nonzero(np.array(columns).reshape(len(columns), items).T)
    return ItemLists(np.searchsorted(item, np.arange(items + 1)), column.astype(np.int32))


def _ones(bits: NDArray[np.uint64]) -> IntMatrix:
    """Bits set, summed over the words of the first axis."""
    return np.bitwise_count(bits).sum(axis=0, dtype=np.int32)


def intra_list_distance(
    lists: JudgedLists, attributes: ItemAttributes, k: int, *, distance: IldDistance
) -> FloatVector:
    """(n,) mean distance over the unordered pairs of the list.

    Pairs with an item of unknown features are left out (``unknown_pairs`` counts them); a list without a pair
    to compare scores 0.

    Example:
        >>> from encorec.data.features import Tags
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> table = FeatureTable(3, tags={"genre": Tags.of([["drama", "war"], ["drama"], ["comedy"]])})
        >>> lists = judge(np.array([[0, 1, 2]]), ItemLists.of([[0]]))
        >>> intra_list_distance(lists, ItemAttributes.of(table), k=3, distance="hamming").tolist()
        [2.0]
    """
    total = np.zeros(len(lists))
    known = attributes.known(distance)
    for start in range(0, len(lists), _USERS_AT_ONCE):
        block = slice(start, start + _USERS_AT_ONCE)
        shown = np.ascontiguousarray(lists.item[block, :k].T)
        total[block] = _summed(attributes.take(shown), known[shown] & (shown >= 0), distance)
    compared = _pairs(_comparable(lists, known, k))
    return total / np.maximum(compared, 1)  # smyth2001


def unknown_pairs(lists: JudgedLists, attributes: ItemAttributes, k: int, *, distance: IldDistance) -> int:
    """How many pairs of items shown together could not be compared, over all lists.

    Example:
        >>> from encorec.evaluation.metrics.lists import judge
        >>> from encorec.types import ItemLists
        >>> attributes = ItemAttributes.of(FeatureTable(3, numeric={"year": np.array([1999, np.nan, 2001])}))
        >>> unknown_pairs(judge(np.array([[0, 1, 2]]), ItemLists.of([[0]])), attributes, k=3, distance="hamming")
        2
    """
    known = attributes.known(distance)
    shown, compared = _comparable(lists, np.ones_like(known), k), _comparable(lists, known, k)
    return int((_pairs(shown) - _pairs(compared)).sum())


def _comparable(lists: JudgedLists, known: BoolVector, k: int) -> IntVector:
    """(n,) items of the list that are known."""
    shown = lists.item[:, :k]
    return (known[shown] & (shown >= 0)).sum(axis=1)


def _pairs(count: IntVector) -> IntVector:
    return count * (count - 1) // 2


def _summed(shown: ItemAttributes, known: BoolMatrix, distance: IldDistance) -> FloatVector:
    """(users,) distances summed over pairs of known items; ``shown`` has axes (features, places, users)."""
    total = np.zeros(known.shape[1])
    for place in range(len(known) - 1):
        one, others = slice(place, place + 1), slice(place + 1, None)
        both = known[one] & known[others]
        total += np.where(both, _apart(shown, one, others, distance), 0.0).sum(axis=0)
    return total


def _apart(shown: ItemAttributes, one: slice, others: slice, distance: IldDistance) -> FloatMatrix:
    """(places', users) distance of the item at place ``one`` from those at ``others``."""
    same_values = (shown.code[:, one] == shown.code[:, others]).sum(axis=0, dtype=np.int32)
    same_values = same_values + shown.flagged - _ones(shown.flags[:, one] ^ shown.flags[:, others])
    common = same_values + _ones(shown.bits[:, one] & shown.bits[:, others])
    left, right = shown.size[one], shown.size[others]
    if distance == "jaccard":
        return 1 - common / np.maximum(left + right - common, 1)  # jaccard1901
    if distance == "cosine":
        return 1 - common / np.sqrt(np.maximum(left * right, 1))  # salton1983
    changed = len(shown.code) + shown.flagged - same_values  # in both sets, but one feature
    differing = left + right - 2 * common - changed  # hamming1950
    return differing / shown.features if distance == "hamming_share" else differing
