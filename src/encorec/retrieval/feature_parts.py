"""What entities consist of, as ragged weighted values: never a dense row with a column for every value there is."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from encorec.data.features import FeatureTable
from encorec.errors import ConfigError, unknown_name
from encorec.retrieval.feature_columns import DenseColumns
from encorec.types import FloatVector, IntVector

__all__ = ["feature_parts"]

Entries = tuple[IntVector, IntVector, FloatVector, int]


def feature_parts(features: FeatureTable, names: Sequence[str], where: str) -> sparse.csr_array | None:
    """(n, values) float32 weight of each value in each entity, the values of all features side by side.

    A category weighs 1, each of m tags ``1 / sqrt(m)``, a number its distance from the mean in standard deviations.

    Args:
        features: of n entities.
        names: numeric, categorical or tags; none named = there are no parts.
        where: component and field, for errors.

    Raises:
        ConfigError: no such feature.

    Example:
        >>> from encorec.data.features import Categories, Tags
        >>> sex, liked = Categories.of(["F", None]), Tags.of([[], ["war"]])
        >>> table = FeatureTable(2, categorical={"sex": sex}, tags={"liked": liked})
        >>> feature_parts(table, ("liked", "sex"), "two-tower: item_features").toarray().tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if not names:
        return None
    known, blocks = (*features.dense_names, *features.tags), []
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: " + unknown_name("feature", name, known))
        entity, value, weight, size = _entries(features, name, where)
        blocks.append(sparse.coo_array((weight, (entity, value)), (features.size, size)).tocsr())
    return sparse.csr_array(sparse.hstack(blocks, format="csr"), dtype=np.float32)


def _entries(features: FeatureTable, name: str, where: str) -> Entries:
    """Entity, value and weight (m,) of every part of one feature, and how many values it has."""
    if name in features.tags:
        lists = features.tags[name].lists
        weight = 1 / np.sqrt(np.maximum(lists.lengths, 1))
        return lists.owner, lists.item, weight[lists.owner].astype(np.float32), len(features.tags[name].values)
    if name in features.categorical:
        code = features.categorical[name].code
        entity = np.flatnonzero(code >= 0)
        return entity, code[entity], np.ones(len(entity), np.float32), len(features.categorical[name].values)
    number = DenseColumns.of(features, (name,), where).encode(features.dense())[:, 0]
    entity = np.flatnonzero(number)
    return entity, np.zeros(len(entity), np.int64), number[entity], 1
