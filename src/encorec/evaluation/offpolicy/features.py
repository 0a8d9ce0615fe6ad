"""Context columns of a log as numbers for a reward model: categories one-hot, numbers in standard units."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import sparse

from encorec.data.sources.sheets import Column, Sheet
from encorec.data.sources.typed import known_text, numbers

__all__ = ["context_features"]

_MOST_CATEGORIES, _FEW_NUMBERS = 100, 20


def context_features(sheet: Sheet, names: Sequence[str]) -> sparse.csr_array:
    """(n, p) float64 features of the columns.

    A column is taken as numbers if all its values are numbers and there are more than 20 different ones; a missing one
    is the mean. Otherwise it is taken as categories, its 100 most frequent ones.

    Args:
        sheet: the log.
        names: of the columns.

    Example:
        >>> sheet = Sheet(pl.DataFrame({"city": ["Riga", "Oslo", "Riga"]}), "log.csv")
        >>> context_features(sheet, ["city"]).toarray().tolist()
        [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    parts = [_features(sheet.column(name)) for name in names]
    rows = len(sheet)
    return sparse.csr_array(sparse.hstack(parts, format="csr")) if parts else sparse.csr_array((rows, 0), dtype=float)


def _features(column: Column) -> sparse.csr_array:
    text = known_text(column)
    plain = text.cast(pl.Float64, strict=False)
    if plain.null_count() == text.null_count() and text.n_unique() > _FEW_NUMBERS:
        return _standardised(numbers(column))
    known = text.value_counts(sort=False).drop_nulls().sort("count", text.name, descending=[True, False])
    order = known[text.name].head(_MOST_CATEGORIES)
    codes = text.replace_strict(order, pl.arange(len(order), eager=True), default=None).to_numpy().astype(np.float64)
    there = np.flatnonzero(~np.isnan(codes))
    place = (there, codes[there].astype(np.int64))
    return sparse.csr_array((np.ones(len(there)), place), (len(text), len(order)))


def _standardised(values: pl.Series) -> sparse.csr_array:
    array = values.to_numpy().astype(np.float64)
    centred = np.nan_to_num(array - np.nanmean(array))
    spread = float(centred.std())
    return sparse.csr_array((centred / spread if spread else centred)[:, None])
