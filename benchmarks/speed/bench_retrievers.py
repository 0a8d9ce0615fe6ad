"""Every kind of retriever with its defaults: seconds to fit, memory for it, and users answered in a second.

    python -m benchmarks.speed.bench_retrievers [--scale 0.1]

Answers are the top 10 of 20,000 users on one thread. Every row names its size, so that a tenth of KION is a result too.
"""

from benchmarks.record import Measurement, write
from benchmarks.speed import prepared, retriever_steps
from benchmarks.speed.fresh import measure
from benchmarks.speed.size import Size, parser

USERS = 20_000


def main() -> None:
    share = parser(__doc__).parse_args().scale
    prepared.prepare(share)
    rows: list[Measurement] = []
    for name in retriever_steps.FAMILY:
        case = f"{Size(share)}: {name}"
        fitted = measure(retriever_steps.fit, share=share, name=name)
        answered = measure(retriever_steps.ask, share=share, name=name, users=USERS)
        rows += [
            fitted.took(f"{case}, fit"),
            fitted.memory(f"{case}, fit"),
            answered.rate(f"{case}, top 10", "users/s"),
        ]
    print(f"-> {write('retrievers', rows)}")


if __name__ == "__main__":
    main()
