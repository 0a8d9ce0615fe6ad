"""Every kind by its name in a configuration, made and made again from its arrays."""

import numpy as np
import pytest
from tests.contracts.worlds import world
from tests.retrieval.asking import HISTORIES, asks

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.retrieval.registry import RETRIEVERS, RetrieverConfig, make_retriever, restore_retriever

WORLD = world()
KINDS = ["als", "covisitation", "ease", "item-knn", "popularity", "repeats"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_found_by_its_name_and_restored_from_its_arrays(kind: str) -> None:
    config = decode({"kind": kind}, RetrieverConfig)
    model = make_retriever(config).fit(WORLD, rng=np.random.default_rng(0))
    restored = restore_retriever(config, model.arrays())
    queries = asks(WORLD, HISTORIES)
    assert type(restored) is type(model) is RETRIEVERS[type(config)]
    assert restored.config == config
    assert model.retrieve(queries, 3).sources == (kind,)
    assert restored.retrieve(queries, 3).item.tolist() == model.retrieve(queries, 3).item.tolist()


def test_every_kind_has_a_name_of_its_own() -> None:
    assert sorted(config.__struct_config__.tag for config in RETRIEVERS) == KINDS  # pyright: ignore[reportArgumentType]


def test_a_misspelt_kind_is_named_with_its_nearest() -> None:
    with pytest.raises(ConfigError, match="'eas': did you mean 'ease'"):
        decode({"kind": "eas"}, RetrieverConfig)
