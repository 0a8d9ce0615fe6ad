"""Recommendations for many users into one file, part by part; an interrupted run goes on where it stopped."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from encorec.errors import DataError
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import ItemId
from encorec.pipeline.two_stage import usable_cores
from encorec.types import names_of

__all__ = ["FORMATS", "recommend_to_file"]

PART_SIZE = 16_384
FORMATS = (".csv", ".parquet")


def recommend_to_file(
    engine: Engine,
    users: Sequence[ItemId],
    k: int,
    out: str | Path,
    *,
    now: int,
    clock: str | None = None,
    threads: int | None = None,
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
        threads: used side by side; none = as many as this process may use cores. Answers do not depend on it.
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
            _write(_answers(engine, users[start : start + PART_SIZE], k, now, threads or usable_cores()), path)
        paths.append(path)
    _write(pl.concat([pl.read_parquet(path) for path in paths], how="vertical_relaxed"), out)
    shutil.rmtree(parts)
    return out


def _answers(engine: Engine, users: Sequence[ItemId], k: int, now: int, threads: int) -> pl.DataFrame:
    slate = engine.slates(users, k, now=now, threads=threads)
    query, place = np.nonzero(slate.item >= 0)
    bits, code = np.unique(slate.source[query, place], return_inverse=True)
    names = pl.Series(["|".join(names_of(one, slate.sources)) for one in bits.tolist()], dtype=pl.String)
    ids = pl.Series("user_id", [str(one) for one in users] if len(set(map(type, users))) > 1 else list(users))
    return pl.DataFrame(
        {
            "user_id": ids[query],
            "item_id": engine.artifact.items.ids[slate.item[query, place]],
            "rank": place + 1,
            "score": slate.score[query, place].astype(np.float64),
            "source": names[code],
        }
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
