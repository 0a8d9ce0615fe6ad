"""Rows of the benchmarks of neural models: estimates in them, and a file in which parts are run anew one by one."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.speed.size import SEED

from encorec.evaluation.uncertainty import compare, interval
from encorec.types import FloatVector

__all__ = ["Row", "kept_rows", "shown", "told", "write_rows"]

Row = dict[str, Any]


def told(values: FloatVector, first: FloatVector) -> Row:
    """Mean of a metric (n,) with its interval, and the paired gain over another (n,)."""
    estimate = interval(values, rng=np.random.default_rng(SEED))
    gain = compare(values, first, rng=np.random.default_rng(SEED))
    return {
        "users": estimate.users,
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }


def kept_rows(file: Path, parts: Sequence[str]) -> list[Row]:
    """The rows of parts that are not run, in the result file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["part"] not in parts]


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """The result file; its columns are those of all rows."""
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def shown(value: Any) -> str:
    """A number in four digits, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
