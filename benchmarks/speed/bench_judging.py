"""Lists of a million users, ten items each: twelve metrics with intervals, from Parquet files to figures.

The promise: under 20 s and under 4 GB on two cores, reading included. With ids that are integers and ids that are text.
"""

from benchmarks.record import Measurement, write
from benchmarks.speed.fresh import measure
from benchmarks.speed.judging_steps import METRICS, K, judge_files


def main() -> None:
    rows: list[Measurement] = []
    for ids, text in (("integer", False), ("text", True)):
        timed = measure(judge_files, runs=5, text=text)
        case = f"1,000,000 users x {K}, {len(METRICS)} metrics with intervals, {ids} ids"
        rows += [timed.took(case), timed.memory(case)]
    write("judging", rows)


if __name__ == "__main__":
    main()
