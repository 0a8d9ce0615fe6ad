"""Many users into one file: the engine's own answers, whole or not at all, going on where it was interrupted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.worlds import Trained

from encorec.errors import DataError
from encorec.pipeline.batch import recommend_to_file
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import Request
from encorec.types import Slate

USERS = [5, 6, "somebody new", 7, 8, 9, 10]


class Counting(Engine):
    """Counts the users that it was asked for."""

    asked = 0

    def slates(self, user_ids: Sequence[int | str], k: int, *, now: int, threads: int = 1) -> Slate:
        self.asked += len(user_ids)
        return super().slates(user_ids, k, now=now, threads=threads)


@pytest.fixture
def engine(trained: Trained) -> Counting:
    return Counting(trained.engine.artifact)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encorec.pipeline.batch.PART_SIZE", 2)


def rows(engine: Engine, users: Sequence[int | str], k: int, now: int) -> list[tuple[Any, ...]]:
    """What the file must hold."""
    return [
        (user, item.item_id, item.position, item.score, "|".join(item.source))
        for user in users
        for item in engine.recommend([Request(user_id=user, k=k)], now=now)[0].items
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_file_holds_the_answers_of_the_engine(
    engine: Engine, suffix: str, tmp_path: Path, small_parts: None
) -> None:
    out, now, users = tmp_path / f"slates{suffix}", engine.artifact.data_end, [5, 6, 7, 8, 9]
    assert recommend_to_file(engine, users, 4, out, now=now) == out
    frame = pl.read_csv(out) if suffix == ".csv" else pl.read_parquet(out)
    assert frame.columns == ["user_id", "item_id", "rank", "score", "source"]
    assert frame.rows() == rows(engine, users, 4, now)
    assert list(tmp_path.iterdir()) == [out]


def test_threads_change_nothing(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encorec.pipeline.two_stage.CELLS_PER_BLOCK", 100)
    users = engine.artifact.users.ids.tolist()
    files = [
        recommend_to_file(
            engine, users, 4, tmp_path / f"{threads}.parquet", now=engine.artifact.data_end, threads=threads
        )
        for threads in (1, 3)
    ]
    assert pl.read_parquet(files[0]).equals(pl.read_parquet(files[1]))


def test_ids_of_both_kinds_are_written_as_text(engine: Engine, tmp_path: Path) -> None:
    out = recommend_to_file(engine, USERS, 2, tmp_path / "slates.parquet", now=engine.artifact.data_end)
    assert pl.read_parquet(out)["user_id"].unique(maintain_order=True).to_list() == [str(user) for user in USERS]


def interrupt_at(start: int) -> Any:
    def progress(what: str, done: int, total: int) -> None:
        assert (what, total) == ("recommend", 7)
        if done == start:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_job_goes_on_where_it_stopped(engine: Counting, tmp_path: Path, small_parts: None) -> None:
    out, now = tmp_path / "slates.csv", engine.artifact.data_end
    with pytest.raises(KeyboardInterrupt):
        recommend_to_file(engine, USERS, 3, out, now=now, progress=interrupt_at(4))
    assert not out.exists()
    assert engine.asked == 4
    recommend_to_file(engine, USERS, 3, out, now=now)
    assert engine.asked == len(USERS)
    whole = recommend_to_file(engine, USERS, 3, tmp_path / "whole.csv", now=now)
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [out, whole]


def test_a_job_by_the_clock_goes_on_at_the_second_it_was_begun(
    engine: Counting, tmp_path: Path, small_parts: None
) -> None:
    out, end = tmp_path / "slates.csv", engine.artifact.data_end
    with pytest.raises(KeyboardInterrupt):
        recommend_to_file(engine, USERS, 3, out, now=end, clock="now", progress=interrupt_at(4))
    recommend_to_file(engine, USERS, 3, out, now=end + 86_400 * 40, clock="now")
    assert engine.asked == len(USERS)
    whole = recommend_to_file(engine, USERS, 3, tmp_path / "whole.csv", now=end)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("other", [{"k": 2}, {"now": 0}, {"clock": "now"}, {"users": [*USERS[:-1], 11]}])
def test_parts_of_another_job_are_not_taken(
    engine: Counting, other: dict[str, Any], tmp_path: Path, small_parts: None
) -> None:
    job: dict[str, Any] = {"users": USERS, "k": 3, "now": engine.artifact.data_end, "out": tmp_path / "slates.csv"}
    with pytest.raises(KeyboardInterrupt):
        recommend_to_file(engine, **job, progress=interrupt_at(4))
    engine.asked = 0
    recommend_to_file(engine, **job | other)
    assert engine.asked == len(USERS)


def test_a_part_without_any_item_fits_the_others(trained: Trained, tmp_path: Path, small_parts: None) -> None:
    """Found where everybody in a part had seen everything: its columns have no type of their own."""

    class Exhausted(Engine):
        def slates(self, user_ids: Sequence[int | str], k: int, *, now: int, threads: int = 1) -> Slate:
            slate = super().slates(user_ids, k, now=now, threads=threads)
            slate.item[np.isin(user_ids, [5, 6])] = -1
            return slate

    out = recommend_to_file(Exhausted(trained.engine.artifact), [5, 6, 7, 8], 2, tmp_path / "slates.parquet", now=9)
    assert pl.read_parquet(out)["user_id"].to_list() == [7, 7, 8, 8]


def test_folders_on_the_way_are_made_and_an_old_file_is_replaced(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "new" / "slates.csv"
    for k in (3, 2):
        recommend_to_file(engine, [5], k, out, now=9)
    assert len(out.read_text().splitlines()) == 3


@pytest.mark.parametrize(("name", "users", "told"), [
    ("slates.json", [5], r"slates\.json: unknown format '\.json', allowed are \.csv, \.parquet"),
    ("slates", [5], "unknown format ''"),
    ("slates.csv", [], "no users to recommend to: the list is empty"),
])  # fmt: skip
def test_what_cannot_be_written_is_refused(
    engine: Engine, name: str, users: list[int], told: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        recommend_to_file(engine, users, 3, tmp_path / name, now=9)
    assert list(tmp_path.iterdir()) == []
