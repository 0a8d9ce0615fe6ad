"""KION's files into a data set: seconds and peak memory, every run in a fresh process."""

from collections.abc import Callable
from typing import Any

from benchmarks.record import Measurement
from benchmarks.speed import data_steps, prepared
from benchmarks.speed.fresh import measure
from benchmarks.speed.size import SEED, Size, parser, report

RUNS = 5


def loaded(case: str, step: Callable[..., Any], share: float) -> list[Measurement]:
    runs = [measure(step, runs=1, share=share) for _ in range(RUNS)]
    return [
        Measurement(case, "s", [one.seconds[0] for one in runs], SEED),
        Measurement(f"{case}: peak memory", "MB", [one.peak for one in runs], SEED),
    ]


def main() -> None:
    share = parser(__doc__).parse_args().scale
    archive, folder = prepared.kion_zip(share), prepared.kion_folder(share)
    size = Measurement(f"{Size(share)}: zip", "MB", [archive.stat().st_size / 2**20], SEED)
    unpacked = sum(file.stat().st_size for file in folder.rglob("*.csv")) / 2**20
    rows = [size, Measurement(f"{Size(share)}: CSV files", "MB", [unpacked], SEED)]
    rows += loaded(f"{Size(share)}: load zip", data_steps.load_zip, share)
    rows += loaded(f"{Size(share)}: load CSV files", data_steps.load_folder, share)
    report("load", share, rows)


if __name__ == "__main__":
    main()
