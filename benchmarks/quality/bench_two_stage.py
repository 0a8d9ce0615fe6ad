"""Does the second stage beat the first? Every reference configuration, judged as ``encorec evaluate`` does.

    python -m benchmarks.quality.bench_two_stage [CONFIG ...]

A configuration that is not named keeps its rows in the result file.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, ROOT, circumstances

from encorec.config import load_toml
from encorec.data.sources import load
from encorec.workflow import RunConfig, examine

CONFIGS = ("movielens-100k", "complete-journey", "complete-journey-new")
FILE = RESULTS / "two_stage.csv"


def rows_of(config: str) -> Iterator[dict[str, Any]]:
    """One row per system: the metric of the verdict with its interval, the other means, the paired difference."""
    run = load_toml(ROOT / "configs" / f"{config}.toml", RunConfig)
    report = examine(run, load(run.data)).report
    print(config, report["verdict"]["sentence"], flush=True)
    metric = report["verdict"]["metric"]
    for system, figures in report["systems"].items():
        gain = report["comparisons"].get(system, {"mean": "", "ci95": ("", ""), "p": ""})
        yield {
            "config": config,
            "system": system,
            "users": figures["users"],
            "metric": metric,
            "mean": figures[metric]["mean"],
            "low": figures[metric]["ci95"][0],
            "high": figures[metric]["ci95"][1],
            "gain": gain["mean"],
            "gain_low": gain["ci95"][0],
            "gain_high": gain["ci95"][1],
            "p": gain["p"],
            **{name: value["mean"] for name, value in figures.items() if isinstance(value, dict) and name != metric},
            "trees": report["ranker"]["trees"],
            "ceiling": report["ceilings"][0]["union"],
            "seed": run.seed,
            "fingerprint": report["data"]["fingerprint"][:12],
            **circumstances(),
        }


def kept_rows(without: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of other configurations in the result file."""
    if not FILE.exists():
        return []
    with FILE.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["config"] not in without]


def main() -> None:
    configs = [Path(name).stem for name in sys.argv[1:]] or list(CONFIGS)
    for config in configs:
        rows = [*kept_rows([config]), *rows_of(config)]
        rows.sort(key=lambda row: CONFIGS.index(row["config"]))
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with FILE.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
