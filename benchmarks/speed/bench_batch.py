"""The top 10 of 100,000 users: each retriever alone, the two-stage, and the two-stage into a file.

One and two threads of our own; with one, linear algebra has one too. Every line comes from a process of its own, of
five runs where a run takes less than 10 s, three below a minute, else one.
"""

from functools import partial

from benchmarks.record import Measurement
from benchmarks.speed import answer_steps, prepared
from benchmarks.speed.fresh import measure
from benchmarks.speed.size import Size, parser, report

USERS, THREADS = 100_000, (1, 2)


def main() -> None:
    share = parser(__doc__).parse_args().scale
    prepared.prepare(share)
    retrievers = prepared.config().retrievers
    steps = {name: partial(measure, answer_steps.retrieve, name=name) for name in retrievers}
    steps["two-stage"] = partial(measure, answer_steps.recommend)
    steps["two-stage into a file"] = partial(measure, answer_steps.write_file)
    rows: list[Measurement] = []
    for name, step in steps.items():
        for threads in THREADS:
            timed = step(share=share, users=USERS, threads=threads)
            case = f"{Size(share)}: {name}, {threads} thread{'s' if threads > 1 else ''}"
            rows += [timed.rate(f"{case}, {timed.work:.0f} users", "users/s"), timed.memory(case)]
    report("batch", share, rows)


if __name__ == "__main__":
    main()
