"""What is known of items, kept in the artifact for people: no answer depends on it, so that an artifact may lack it."""

from collections.abc import Mapping, Sequence

import numpy as np

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import ArtifactError
from encorec.protocols import Arrays
from encorec.types import IntVector, ItemLists

__all__ = ["item_feature_arrays", "item_schema", "restore_item_features"]


def item_schema(table: FeatureTable) -> dict[str, list[str]]:
    """Names of the columns, for the manifest.

    Example:
        >>> item_schema(FeatureTable(1, {"year": np.array([1984], np.float32)}))
        {'numeric': ['year'], 'categorical': [], 'tags': []}
    """
    return {"numeric": list(table.numeric), "categorical": list(table.categorical), "tags": list(table.tags)}


def item_feature_arrays(table: FeatureTable) -> Arrays:
    """The columns by the names of their files; columns are numbered, for their names may be anything.

    Example:
        >>> sorted(item_feature_arrays(FeatureTable(1, tags={"genres": Tags.of([["war"]])})))
        ['tags0.code', 'tags0.names', 'tags0.offsets']
    """
    arrays: Arrays = {f"numeric{at}.value": one for at, one in enumerate(table.numeric.values())}
    for at, category in enumerate(table.categorical.values()):
        arrays |= {f"categorical{at}.code": category.code, f"categorical{at}.names": _names(category.values)}
    for at, tags in enumerate(table.tags.values()):
        arrays |= {f"tags{at}.offsets": tags.lists.indptr, f"tags{at}.code": tags.lists.item}
        arrays[f"tags{at}.names"] = _names(tags.values)
    return arrays


def _names(values: Sequence[str]) -> np.ndarray:
    return np.array(values, str) if len(values) else np.empty(0, "U1")


def restore_item_features(
    where: str, schema: Mapping[str, Sequence[str]], arrays: Arrays, items: int
) -> FeatureTable | None:
    """The table that ``item_schema`` and ``item_feature_arrays`` were taken from; none where nothing was kept.

    Args:
        where: the artifact, for errors.
        schema: names of the columns.
        arrays: the columns.
        items: number of items.

    Raises:
        ArtifactError: a column that does not fit the items or its own names.

    Example:
        >>> kept = FeatureTable(1, tags={"genres": Tags.of([["war"]])})
        >>> found = restore_item_features("folder", item_schema(kept), item_feature_arrays(kept), items=1)
        >>> found.tags["genres"].values
        ('war',)
    """
    if not schema:
        return None
    numeric = {name: arrays[f"numeric{at}.value"] for at, name in enumerate(schema["numeric"])}
    table: dict[str, Categories] = {}
    for at, name in enumerate(schema["categorical"]):
        table[name] = Categories(arrays[f"categorical{at}.code"], tuple(arrays[f"categorical{at}.names"].tolist()))
        _refuse_strange(where, name, table[name].code, -1, len(table[name].values))
    tags: dict[str, Tags] = {}
    for at, name in enumerate(schema["tags"]):
        offsets, code = arrays[f"tags{at}.offsets"], arrays[f"tags{at}.code"]
        if len(offsets) != items + 1 or offsets[0] != 0 or offsets[-1] != len(code) or np.any(np.diff(offsets) < 0):
            raise ArtifactError(f"{where}: the tags {name!r} do not fit the {items} items; train again")
        tags[name] = Tags(ItemLists(offsets, code), tuple(arrays[f"tags{at}.names"].tolist()))
        _refuse_strange(where, name, code, 0, len(tags[name].values))
    lengths = {name: len(column) for name, column in numeric.items()}
    for name, length in (lengths | {name: len(one.code) for name, one in table.items()}).items():
        if length != items:
            raise ArtifactError(f"{where}: feature {name!r} has {length} values for {items} items; train again")
    return FeatureTable(items, numeric, table, tags)


def _refuse_strange(where: str, name: str, code: IntVector, least: int, names: int) -> None:
    if len(code) and not least <= code.min() <= code.max() < names:
        span = f"{code.min()} to {code.max()}"
        raise ArtifactError(f"{where}: feature {name!r} runs from {span} over {names} names; train again")
