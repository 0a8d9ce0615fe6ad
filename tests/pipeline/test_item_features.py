"""Item features in the artifact: as they were, whatever their names, and refused where they do not fit."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.data.features import Categories, FeatureTable, Tags
from encorec.errors import ArtifactError
from encorec.pipeline.item_features import item_feature_arrays, item_schema, restore_item_features
from encorec.protocols import Arrays

TABLE = FeatureTable(
    3,
    {"../year": np.array([1984, np.nan, 2001], np.float32)},
    {"": Categories.of(["фильм", None, "a"]), "nothing": Categories.of([None] * 3)},
    {"genres": Tags.of([["war", "drama"], [], ["war"]]), "none": Tags.of([[], [], []])},
)


def kept() -> Arrays:
    return item_feature_arrays(TABLE)


def test_features_come_back_as_they_were() -> None:
    found = restore_item_features("folder", item_schema(TABLE), kept(), items=3)
    assert found is not None
    assert np.array_equal(found.dense(), TABLE.dense(), equal_nan=True)
    assert found.dense_names == TABLE.dense_names
    assert {name: one.values for name, one in found.categorical.items()} == {"": ("a", "фильм"), "nothing": ()}
    assert [found.tags["genres"].lists.row(item).tolist() for item in range(3)] == [[0, 1], [], [1]]
    assert found.tags["none"].values == ()


def test_a_trained_artifact_holds_them(trained: Trained) -> None:
    found, wanted = trained.engine.artifact.item_features, trained.data.item_features
    assert found is not None
    assert np.array_equal(found.dense(), wanted.dense(), equal_nan=True)
    assert found.tags["genres"].values == wanted.tags["genres"].values
    assert np.array_equal(found.tags["genres"].lists.item, wanted.tags["genres"].lists.item)


def test_an_artifact_from_before_has_none() -> None:
    assert restore_item_features("folder", {}, {}, items=3) is None


DAMAGE: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], str]] = {
    "too few numbers": ("numeric0.value", lambda one: one[:2], "'../year' has 2 values for 3 items"),
    "too many codes": ("categorical0.code", lambda one: np.append(one, 0), "'' has 4 values for 3 items"),
    "a code without a name": ("categorical0.code", lambda one: one + 1, "'' runs from 0 to 2 over 2 names"),
    "a code below -1": ("categorical0.code", lambda one: one - 2, "runs from -3 to -1"),
    "no names": ("categorical0.names", lambda one: one[:0], "over 0 names"),
    "a tag without a name": ("tags0.code", lambda one: one + 1, "'genres' runs from 1 to 2 over 2 names"),
    "a negative tag": ("tags0.code", lambda one: one - 1, "'genres' runs from -1 to 0"),
    "offsets of fewer items": ("tags0.offsets", lambda one: one[:2], "tags 'genres' do not fit the 3 items"),
    "offsets that run back": ("tags0.offsets", lambda one: one[[0, 3, 1, 3]], "do not fit"),
    "offsets over the end": ("tags0.offsets", lambda one: one + np.array([0, 0, 0, 1]), "do not fit"),
    "offsets that start late": ("tags0.offsets", lambda one: one + np.array([1, 0, 0, 0]), "do not fit"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_does_not_fit_is_refused(damage: str) -> None:
    path, change, told = DAMAGE[damage]
    arrays = kept() | {path: change(kept()[path])}
    with pytest.raises(ArtifactError) as fault:
        restore_item_features("folder", item_schema(TABLE), arrays, items=3)
    assert told in str(fault.value)
