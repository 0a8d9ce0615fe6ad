"""Arrays with a valid checksum that do not fit each other: refused before a compiled loop could follow them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from encorec.errors import ArtifactError
from encorec.pipeline.artifact_bounds import check_bounds

Arrays = dict[str, NDArray[Any]]


def sound() -> Arrays:
    return {
        "items/ids": np.arange(3),
        "items/catalogue": np.ones(3, bool),
        "histories/indptr": np.array([0, 2, 2]),
        "histories/item": np.array([0, 2], np.int32),
        "retrievers/e/prior": np.zeros(3),
        "retrievers/e/inverse": np.eye(2),
        "retrievers/e/user_indptr": np.array([0, 1, 2, 2]),
        "retrievers/e/user": np.array([1, 0], np.int32),
        "features/traits.indptr": np.array([0, 1, 1, 1]),
        "features/traits.trait": np.array([1], np.int32),
        "features/traits.column": np.zeros(2, np.int32),
    }


def test_sound_arrays_pass() -> None:
    check_bounds("artifact", sound())


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("items/catalogue", np.ones(2, bool), "items/catalogue has 2 values for 3 items"),
        ("retrievers/e/prior", np.zeros(4), "retrievers/e/prior has 4 values for 3 items"),
        ("histories/indptr", np.array([0, 3, 3]), "histories/indptr runs to 3 over 2 values"),
        ("histories/indptr", np.array([1, 2, 2]), "histories/indptr runs to 2 over 2 values"),
        ("histories/indptr", np.array([0, 3, 2]), "histories/indptr runs to 2 over 2 values"),
        ("histories/indptr", np.array([], np.int64), "histories/indptr runs to nothing"),
        ("histories/item", np.array([0, 3], np.int32), "histories/item runs from 0 to 3, allowed is 0 to 2"),
        ("histories/item", np.array([-1, 2], np.int32), "histories/item runs from -1 to 2, allowed is 0 to 2"),
        ("retrievers/e/user", np.array([1, 2], np.int32), "retrievers/e/user runs from 1 to 2, allowed is 0 to 1"),
        ("features/traits.trait", np.array([2], np.int32), "traits.trait runs from 2 to 2, allowed is 0 to 1"),
    ],
)
def test_what_does_not_fit_is_named(path: str, value: NDArray[Any], told: str) -> None:
    with pytest.raises(ArtifactError, match=told):
        check_bounds("artifact", sound() | {path: value})
