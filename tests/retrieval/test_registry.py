"""Every kind by its name in a configuration, made and made again from its arrays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.contracts.worlds import ITEMS, world
from tests.retrieval.asking import HISTORIES, asks

from encorec.config import decode
from encorec.data.features import Categories, FeatureTable
from encorec.errors import ConfigError
from encorec.retrieval.registry import RETRIEVERS, RetrieverConfig, make_retriever, restore_retriever

GENRES = FeatureTable(ITEMS, categorical={"genre": Categories.of(["drama", "war", None, "love", "war"] * (ITEMS // 5))})
WORLD = replace(world(), item_features=GENRES)
KINDS = [
    *("als", "bpr", "content-knn", "continue-watching", "covisitation", "ease", "hybrid", "item-knn", "neumf"),
    *("popularity", "random", "repeats", "sasrec", "svd", "two-tower", "user-knn"),
]


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


def test_the_table_of_the_docs_says_what_every_kind_can() -> None:
    lines = [line.split("|") for line in (Path(__file__).parents[2] / "docs/retrieval.md").read_text().splitlines()]
    table = {
        cells[1].strip(" `"): [cell.strip() == "yes" for cell in cells[5:8]] for cells in lines if len(cells) == 10
    }
    for config, model in RETRIEVERS.items():
        able = [hasattr(model, name) for name in ("explain", "update", "similar")]
        assert table[str(config.__struct_config__.tag)] == able, config
