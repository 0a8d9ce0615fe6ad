"""Items as points in the space of their features: categories, tags and numbers in bins."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from scipy import sparse

from encorec.data.features import FeatureTable
from encorec.data.interactions import distinct
from encorec.errors import ConfigError, unknown_name
from encorec.types import FloatVector, IntVector

__all__ = ["FeatureWeighting", "chosen_features", "feature_space"]

FeatureWeighting = Literal["tfidf", "one-hot"]
Entries = tuple[IntVector, IntVector, int]


def chosen_features(table: FeatureTable, names: tuple[str, ...]) -> tuple[str, ...]:
    """The features to compare: those named, or all that are categories or tags.

    Raises:
        ConfigError: a name that the data do not know, or no name and neither categories nor tags.

    Example:
        >>> from encorec.data.features import Categories
        >>> year = {"year": np.array([1999], np.float32)}
        >>> chosen_features(FeatureTable(1, numeric=year, categorical={"genre": Categories.of(["war"])}), ())
        ('genre',)
    """
    known = [*table.categorical, *table.tags, *table.numeric]
    if not known:
        raise ConfigError("content-knn: the data have no item features; read them with some, or leave content-knn out")
    for name in names:
        if name not in known:
            raise ConfigError("content-knn: features: " + unknown_name("item feature", name, known))
    chosen = names or (*table.categorical, *table.tags)
    if not chosen:
        raise ConfigError(
            f"content-knn: the data have no item features that are categories or tags, only numbers: "
            f"{', '.join(table.numeric)}; name those to compare in features"
        )
    return chosen


def feature_space(
    table: FeatureTable, names: tuple[str, ...], weights: Mapping[str, float], weighting: FeatureWeighting, bins: int
) -> sparse.csr_array:
    """(n, values) float64 rows of norm 1, or of zeros where nothing is known or all of it is true of every entity.

    A value weighs ``sqrt(weight / values of its feature that the entity has)``, so that many tags count as one
    category, times its inverse document frequency in ``tfidf``; the rows are then normed (salton1983).

    Args:
        table: of n entities.
        names: features to compare.
        weights: of features, 1 where none is given.
        weighting: whether rare values count more.
        bins: of equally many entities, that numbers fall into.

    Example:
        >>> from encorec.data.features import Tags
        >>> table = FeatureTable(3, tags={"genre": Tags.of([["drama", "war"], ["war"], []])})
        >>> feature_space(table, ("genre",), {}, "one-hot", 10).toarray().round(2).tolist()
        [[0.71, 0.71], [0.0, 1.0], [0.0, 0.0]]
    """
    blocks = []
    for name in names:
        row, value, size = _entries(table, name, bins)
        strength = np.sqrt(weights.get(name, 1.0) / np.maximum(np.bincount(row, minlength=table.size), 1))[row]
        if weighting == "tfidf":
            strength = strength * (np.log(table.size) - np.log(np.bincount(value, minlength=size)[value]))
        kept = strength > 0
        shape = table.size, size
        blocks.append(sparse.coo_array((strength[kept], (row[kept], value[kept])), shape).tocsr())
    space = sparse.csr_array(sparse.hstack(blocks, format="csr"))
    norm = np.sqrt(np.asarray(space.multiply(space).sum(axis=1)).ravel())
    space.data /= np.repeat(np.where(norm > 0, norm, 1), np.diff(space.indptr))
    return space


def _entries(table: FeatureTable, name: str, bins: int) -> Entries:
    """The (m,) entities and (m,) values of one feature, each pair once, and how many values there are."""
    if name in table.tags:
        tags = table.tags[name]
        size = max(len(tags.values), 1)
        pair = distinct(tags.lists.owner * size + tags.lists.item)
        return pair // size, pair % size, size
    if name in table.categorical:
        code, size = table.categorical[name].code, len(table.categorical[name].values)
    else:
        code, size = _bins(table.numeric[name], bins), bins
    known = np.flatnonzero(code >= 0)
    return known, code[known].astype(np.int64), size


def _bins(number: FloatVector, bins: int) -> IntVector:
    """(n,) the bin of each number, between quantiles that are numbers of the column; -1 unknown."""
    known = ~np.isnan(number)
    if not known.any():
        return np.full(len(number), -1)
    edges = np.quantile(number[known], np.arange(1, bins) / bins, method="inverted_cdf")
    return np.where(known, np.searchsorted(edges, number), -1)
