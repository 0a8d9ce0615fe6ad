"""Finished label folds are kept, reused only for the very same work, and made again where the file is torn."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import Trained, small_world

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.splits import Fold, LastN
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.fit import FoldRows
from encorec.types import ItemLists


def same(one: FoldRows, other: FoldRows) -> bool:
    names = ("features", "label", "group", "user")
    pairs = [(getattr(one.rows, name), getattr(other.rows, name)) for name in names]
    equal = all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)
    return equal and one.ceiling == other.ceiling


@pytest.fixture
def part(trained: Trained) -> FoldRows:
    return trained.exam.parts[0]


def never() -> FoldRows:
    raise AssertionError("made again")


def test_a_fold_is_made_once_and_comes_back_as_it_was(part: FoldRows, tmp_path: Path) -> None:
    key = ("config", b"data", "0")
    assert Checkpoints(tmp_path / "a").kept(key, lambda: part) is part
    assert same(Checkpoints(tmp_path / "a").kept(key, never), part)


@pytest.mark.parametrize("key", [("config", "data", "1"), ("config", "data"), ("confi", "gdata", "0"), ()])
def test_other_work_is_not_taken_for_this(key: tuple[str, ...], part: FoldRows, tmp_path: Path) -> None:
    checkpoints, other = Checkpoints(tmp_path), replace(part, rows=part.rows.take(np.arange(2)))
    checkpoints.kept(("config", "data", "0"), lambda: other)
    assert checkpoints.kept(key, lambda: part) is part


def test_work_of_another_version_is_not_reused(part: FoldRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Checkpoints(tmp_path).kept(("key",), lambda: part)
    monkeypatch.setattr("encorec.pipeline.checkpoints.__version__", "another")
    with pytest.raises(AssertionError, match="made again"):
        Checkpoints(tmp_path).kept(("key",), never)


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut at a tenth": lambda content: cut(content, 0.1),
    "cut in the middle": lambda content: cut(content, 0.5),
    "cut near the end": lambda content: cut(content, 0.999),
    "flipped in the middle": lambda content: (
        cut(content, 0.5) + b"\xff\x00\xff" + content[int(len(content) * 0.5) + 3 :]
    ),
    "something else": lambda _: b"not a checkpoint",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_torn_file_is_made_again(damage: str, part: FoldRows, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.kept(("key",), lambda: part)
    [path] = tmp_path.iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert checkpoints.kept(("key",), lambda: part) is part
    assert same(checkpoints.kept(("key",), never), part)


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was executed",)


def test_a_pickle_in_a_checkpoint_is_not_executed(part: FoldRows, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.kept(("key",), lambda: part)
    [path] = tmp_path.iterdir()
    np.savez(path, allow_pickle=True, features=np.array([Bomb()], object), label=part.rows.label)
    assert checkpoints.kept(("key",), lambda: part) is part


def test_an_interrupted_fold_leaves_nothing_behind(part: FoldRows, tmp_path: Path) -> None:
    def interrupted() -> FoldRows:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Checkpoints(tmp_path / "a").kept(("key",), interrupted)
    assert list(tmp_path.iterdir()) == []


def test_finished_work_is_cleared_away(part: FoldRows, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "a")
    checkpoints.kept(("key",), lambda: part)
    checkpoints.clear()
    checkpoints.clear()
    assert list(tmp_path.iterdir()) == []


DATA = small_world()


def last(data: Dataset, **split: Any) -> Fold:
    return LastN(**split).folds(data)[0]


def with_items(**columns: Any) -> Dataset:
    features = DATA.item_features
    table = {"numeric": features.numeric, "categorical": features.categorical, "tags": features.tags} | columns
    return replace(DATA, item_features=FeatureTable(features.size, **table))


def first_swapped(values: Any) -> Any:
    return np.concatenate([values[1:2], values[:1], values[2:]])


FOLD, KINDS = last(DATA), DATA.item_features.categorical["kind"]
YEARS, GENRES = DATA.item_features.numeric["year"], DATA.item_features.tags["genres"]
OTHERS: dict[str, Fold] = {
    "interactions": last(replace(DATA, interactions=replace(DATA.interactions, weight=DATA.interactions.weight * 2))),
    "truth": replace(FOLD, truth=ItemLists(FOLD.truth.indptr, first_swapped(FOLD.truth.item))),
    "who is asked": replace(FOLD, user=first_swapped(FOLD.user)),
    "when": replace(FOLD, now=FOLD.now + 1),
    "number": last(with_items(numeric={"year": np.where(YEARS[0] == YEARS, 1900, YEARS).astype(np.float32)})),
    "category": last(with_items(categorical={"kind": Categories(np.where(KINDS.code == 0, 1, 0), KINDS.values)})),
    "name of a category": last(with_items(categorical={"kind": Categories(KINDS.code, ("film", "serial"))})),
    "tag": last(
        with_items(tags={"genres": Tags(ItemLists(GENRES.lists.indptr, GENRES.lists.item[::-1]), GENRES.values)})
    ),
    "name of a feature": last(with_items(numeric={"age": YEARS})),
    "user features": last(replace(DATA, user_features=FeatureTable(DATA.user_features.size))),
}


def test_the_same_fold_has_the_same_digest() -> None:
    assert fold_digest(last(small_world())) == fold_digest(FOLD)


@pytest.mark.parametrize("changed", OTHERS)
def test_whatever_the_rows_come_from_is_in_the_digest(changed: str) -> None:
    """Else a training that goes on after its data were mended would go on with the old ones."""
    assert fold_digest(OTHERS[changed]) != fold_digest(FOLD)
