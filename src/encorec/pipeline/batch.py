"""Recommendations for many users into one file, part by part; an interrupted run goes on where it stopped."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from encorec.errors import DataError
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import ItemId, Request

__all__ = ["FORMATS", "recommend_to_file"]

PART_SIZE = 4096
FORMATS = (".csv", ".parquet")


def recommend_to_file(
    engine: Engine,
    users: Sequence[ItemId],
    k: int,
    out: str | Path,
    *,
    now: int,
    clock: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write ``user_id, item_id, rank, score, source`` for every user, best first.

    Args:
        engine: answers.
        users: ids; unknown ones are served as guests.
        k: places per user.
        out: a .csv or .parquet file; it appears whole or not at all.
        now: second of asking.
        clock: setting that ``now`` was read from; an interrupted job of the same setting goes on at its own ``now``.
            None = only one of the same second does.
        progress: told what is done of how many users.

    Raises:
        DataError: an unknown file format, or no users.
    """
    out = Path(out)
    if out.suffix not in FORMATS:
        raise DataError(f"{out}: unknown format {out.suffix!r}, allowed are {', '.join(FORMATS)}")
    if not users:
        raise DataError("no users to recommend to: the list is empty")
    parts = out.parent / f".{out.name}.{_key(engine, users, k, clock or str(now))}.parts"
    parts.mkdir(parents=True, exist_ok=True)
    now = _begun_at(parts / "now.parquet", now)
    paths: list[Path] = []
    for start in range(0, len(users), PART_SIZE):
        if progress:
            progress("recommend", start, len(users))
        path = parts / f"{start:012d}.parquet"
        if not path.exists():
            _write(_answers(engine, users[start : start + PART_SIZE], k, now), path)
        paths.append(path)
    _write(pl.concat([pl.read_parquet(path) for path in paths], how="vertical_relaxed"), out)
    shutil.rmtree(parts)
    return out


def _answers(engine: Engine, users: Sequence[ItemId], k: int, now: int) -> pl.DataFrame:
    answers = engine.recommend([Request(user_id=user, k=k) for user in users], now=now)
    rows = [(answer.user_id, item) for answer in answers for item in answer.items]
    return pl.DataFrame(
        {
            "user_id": [user for user, _ in rows],
            "item_id": [item.item_id for _, item in rows],
            "rank": [item.position for _, item in rows],
            "score": [item.score for _, item in rows],
            "source": ["|".join(item.source) for _, item in rows],
        },
        strict=False,
    )


def _begun_at(path: Path, now: int) -> int:
    """The second at which the job was begun, kept at ``path``: all its parts are asked at one time."""
    if not path.exists():
        _write(pl.DataFrame({"now": [now]}), path)
    return pl.read_parquet(path)["now"].item()


def _key(engine: Engine, users: Sequence[ItemId], k: int, moment: str) -> str:
    """Names exactly this job, so that parts of another one are never taken for its own."""
    text = repr((engine.artifact.snapshot_id, k, moment, list(users)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write(frame: pl.DataFrame, path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    if path.suffix == ".csv":
        frame.write_csv(draft)
    else:
        frame.write_parquet(draft)
    os.replace(draft, path)
