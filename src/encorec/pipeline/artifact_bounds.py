"""Whether the arrays of an artifact fit each other: compiled loops trust offsets, so they are checked on load."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encorec.errors import ArtifactError

__all__ = ["check_bounds"]

Arrays = Mapping[str, NDArray[Any]]

PER_ITEM = ("prior", "catalogue", "popularity", "titles", "first", "newest")
RAGGED = (("indptr", "item"), ("indptr", "trait"), ("user_indptr", "user"))


def check_bounds(where: str, arrays: Arrays) -> None:
    """Refuse arrays of the wrong length, offsets that run backwards or over the end, and numbers that nothing has.

    Args:
        where: the artifact, for errors.
        arrays: everything of it, by path.

    Raises:
        ArtifactError: names the array.

    Example:
        >>> ragged = {"a/indptr": np.array([0, 2]), "a/item": np.array([0], np.int32)}
        >>> check_bounds("folder", {"items/ids": np.array([7]), **ragged})
        Traceback (most recent call last):
        ...
        encorec.errors.ArtifactError: folder: a/indptr runs to 2 over 1 values; train again
    """
    items = len(arrays["items/ids"])
    for path, array in arrays.items():
        if path.split("/")[-1].split(".")[-1] in PER_ITEM and array.shape[-1] != items:
            raise ArtifactError(f"{where}: {path} has {array.shape[-1]} values for {items} items; train again")
    for offsets, values, limit in _ragged(arrays, items):
        indptr, value = arrays[offsets], arrays[values]
        if len(indptr) == 0 or indptr[0] != 0 or indptr[-1] != len(value) or np.any(np.diff(indptr) < 0):
            last = indptr[-1] if len(indptr) else "nothing"
            raise ArtifactError(f"{where}: {offsets} runs to {last} over {len(value)} values; train again")
        if len(value) and not 0 <= value.min() <= value.max() < limit:
            span = f"{value.min()} to {value.max()}"
            raise ArtifactError(f"{where}: {values} runs from {span}, allowed is 0 to {limit - 1}; train again")


def _ragged(arrays: Arrays, items: int) -> Iterator[tuple[str, str, int]]:
    """Offsets, values, and the number of things that the values number."""
    for path in arrays:
        for offsets, values in RAGGED:
            start = path.removesuffix(offsets)
            if start + offsets == path and start[-1:] in ("/", ".") and start + values in arrays:
                yield path, start + values, _limit(arrays, start, values, items)


def _limit(arrays: Arrays, start: str, values: str, items: int) -> int:
    if values == "item":
        return items
    return len(arrays[start + ("column" if values == "trait" else "inverse")])
