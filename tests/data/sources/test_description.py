"""What is said of a data set, counted by hand; and what there is to choose from."""

import json
import typing
from pathlib import Path

import numpy as np
import pytest

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.sources import Kion, Source, Table, catalogue, describe, fetch
from encorec.errors import DataError


def test_figures_counted_by_hand() -> None:
    table = Interactions.of([0, 0, 0, 2], [1, 1, 2, 1], [0, 3600, 7200, 86_400], [1, 1, 1, 3], users=4, items=5)
    found = describe(Dataset.of(table, "toy"))
    assert found["name"] == "toy"
    assert found["interactions"]["count"] == 4
    assert found["interactions"]["repeated"] == 1 / 4
    assert found["interactions"]["sparsity"] == 1 - 3 / 20
    assert found["interactions"]["weight"]["mean"] == 1.5
    assert found["time"] == {"first": "1970-01-01T00:00:00Z", "last": "1970-01-02T00:00:00Z", "days": 1.0}
    assert (found["users"]["count"], found["users"]["active"]) == (4, 2)
    each = found["users"]["interactions_each"]
    assert (each["min"], each["50%"], each["mean"], each["max"]) == (1, 2, 2, 3)
    assert each["95%"] == pytest.approx(np.quantile([1, 3], 0.95))
    assert (found["items"]["count"], found["items"]["active"]) == (5, 2)


@pytest.mark.filterwarnings("error")
def test_nothing_is_described_too_and_all_of_it_is_json() -> None:
    for table in (Interactions.of([], [], []), Interactions.of([0], [0], [5])):
        found = describe(Dataset.of(table))
        assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_every_source_of_a_configuration_is_in_the_catalogue() -> None:
    tags = [member.__struct_config__.tag for member in typing.get_args(Source)]
    assert [card.name for card in catalogue()] == tags
    assert all(card.summary and card.size and card.terms for card in catalogue())


def test_own_files_are_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "log.csv").touch()
    assert fetch(Table(path=str(tmp_path / "log.csv"))) == tmp_path / "log.csv"
    assert fetch(Kion(path=str(tmp_path))) == tmp_path
    with pytest.raises(DataError, match="is not there and cannot be downloaded; put it there or correct the path"):
        fetch(Kion(path=str(tmp_path / "kion.zip")))
