"""The path of a real user of KION: the files of a world, read by the ``kion`` source, are the world."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.sources import Kion, SyntheticKion, describe, fetch, load
from encorec.data.sources.synthetic_kion import dataset_of
from encorec.data.synthetic.world import World
from encorec.errors import DataError

SAME: dict[str, Any] = {"users": 4000, "items": 400}


@pytest.fixture(scope="module")
def archive(town: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town.write_kion_zip(tmp_path_factory.mktemp("kion") / "data_kion.zip")


@pytest.fixture(scope="module")
def direct() -> Dataset:
    return load(SyntheticKion(**SAME))


def assert_equal_features(one: FeatureTable, two: FeatureTable) -> None:
    assert (one.numeric.keys(), one.categorical.keys(), one.tags.keys()) == (
        two.numeric.keys(),
        two.categorical.keys(),
        two.tags.keys(),
    )
    for name, column in one.numeric.items():
        np.testing.assert_array_equal(column, two.numeric[name])
    for name, column in one.categorical.items():
        assert column.values == two.categorical[name].values
        np.testing.assert_array_equal(column.code, two.categorical[name].code)
    for name, column in one.tags.items():
        assert column.values == two.tags[name].values
        np.testing.assert_array_equal(column.lists.indptr, two.tags[name].lists.indptr)
        np.testing.assert_array_equal(column.lists.item, two.tags[name].lists.item)


@pytest.mark.parametrize("weight", ["one", "watched"])
def test_reading_the_files_is_generating_directly(archive: Path, weight: str) -> None:
    read = load(Kion(path=str(archive), weight=weight))  # pyright: ignore[reportArgumentType]
    made = load(SyntheticKion(**SAME, weight=weight))  # pyright: ignore[reportArgumentType]
    assert read.fingerprint == made.fingerprint
    np.testing.assert_array_equal(read.interactions.row, made.interactions.row)
    np.testing.assert_array_equal(read.titles, made.titles)  # pyright: ignore[reportArgumentType]
    assert_equal_features(read.user_features, made.user_features)
    assert_equal_features(read.item_features, made.item_features)


def rows(archive: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(archive) as members:
        return list(csv.DictReader(io.StringIO(members.read(f"data_kion/{name}.csv").decode())))


def test_the_layout_is_that_of_kion(archive: Path) -> None:
    with zipfile.ZipFile(archive) as members:
        heads = {name: members.read(name).split(b"\n", 1)[0].decode() for name in members.namelist()}
    assert heads == {
        "data_kion/interactions.csv": "user_id,item_id,last_watch_dt,total_dur,watched_pct",
        "data_kion/users.csv": "user_id,age,income,sex,kids_flg",
        "data_kion/items.csv": "item_id,content_type,title,title_orig,release_year,genres,countries,for_kids,"
        "age_rating,studios,directors,actors,description,keywords",
        "data_kion/sample_submission.csv": "user_id,item_id",
    }


def test_values_are_spelt_as_in_kion(archive: Path, town: World) -> None:
    users, items, views = rows(archive, "users"), rows(archive, "items"), rows(archive, "interactions")
    assert {row["sex"] for row in users} == {"М", "Ж", ""}  # noqa: RUF001
    assert {row["kids_flg"] for row in users} == {"0", "1"}
    assert {"age_18_24", "age_65_inf", ""} < {row["age"] for row in users}
    assert {row["content_type"] for row in items} == {"film", "series"}
    assert all(row["genres"] for row in items)
    assert any(", " in row["genres"] for row in items)
    assert sum(row["for_kids"] == "" for row in items) > 0.9 * len(items)
    assert {row["for_kids"] for row in items} == {"", "0.0", "1.0"}
    assert views[0]["last_watch_dt"].startswith("2021-0")
    assert 0 <= float(views[0]["watched_pct"]) <= 100
    assert len(views) == len(town.views.item)
    pairs = [(row["user_id"], row["item_id"]) for row in views]
    assert pairs != sorted(pairs)


def test_users_to_predict_are_warm_light_and_cold(archive: Path, town: World) -> None:
    asked = rows(archive, "sample_submission")
    amount = dict(zip(town.people.id.tolist(), town.people.amount.tolist(), strict=True))
    counts = np.array([amount[int(row["user_id"])] for row in asked])
    assert len(asked) == len({row["user_id"] for row in asked})
    assert (counts == 0).mean() == pytest.approx(64_943 / 193_113, abs=0.02)
    warm = counts[counts > 0]
    for n, share in ((1, 17_001), (2, 12_777), (5, 7_436), (10, 3_890)):
        assert (warm == n).mean() == pytest.approx(share / 128_170, abs=0.04)
    popular = json.loads(asked[0]["item_id"])
    assert len(set(popular)) == 10
    views = np.bincount(town.views.item, minlength=400)
    assert popular[0] == town.films.id[views.argmax()]


def test_equal_worlds_write_equal_files(archive: Path, town: World, tmp_path: Path) -> None:
    assert town.write_kion_zip(tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_titles_are_many_and_parts_are_numbered(archive: Path, town: World) -> None:
    titles = [row["title"] for row in rows(archive, "items")]
    assert 0.9 * len(titles) < len(set(titles)) < len(titles)
    for item in np.flatnonzero(town.films.part > 0).tolist():
        head = item
        while town.films.previous[head] >= 0:
            head = int(town.films.previous[head])
        assert titles[item] == f"{titles[head]} {town.films.part[item] + 1}"


def test_description_sets_figures_beside_the_target(direct: Dataset, archive: Path) -> None:
    found = describe(direct)
    assert found["target"]["users"]["interactions_mean"]["target"] == 5.69
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "target" not in describe(load(Kion(path=str(archive))))


def test_figures_of_a_region_are_near_their_targets(region: World) -> None:
    target = describe(dataset_of(region, "one"))["target"]
    for group in ("users", "items", "segments"):
        for name, pair in target[group].items():
            if name.endswith(("max", "150_inf")) or name.startswith("views_at"):
                continue
            assert pair["generated"] == pytest.approx(pair["target"], rel=0.12, abs=0.012), name


def test_there_is_nothing_to_fetch() -> None:
    with pytest.raises(DataError, match="is generated whenever it is loaded"):
        fetch(SyntheticKion())


def test_loading_says_what_it_is_doing() -> None:
    told: list[str] = []
    load(SyntheticKion(users=100, items=150), told.append)
    assert told[0] == "inventing films"
    assert "letting them watch" in told
