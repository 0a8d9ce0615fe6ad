"""The steps of training one by one: seconds, rows per second and peak memory, each step in a process of its own.

Five runs of a step that takes less than 5 s, three below 20 s, else one. Candidate features run on one thread;
the promise is 1,000,000 rows per second. EASE is given the items that it is meant for: as many as stay dense, and as
many as it takes by itself.
"""

from benchmarks.record import Measurement
from benchmarks.speed import data_steps, model_steps, prepared
from benchmarks.speed.fresh import measure
from benchmarks.speed.size import Size, parser, report

EASE_ITEMS = (4000, 10_000)


def data_rows(share: float) -> list[Measurement]:
    steps = {
        "build from arrays": data_steps.build,
        "build from a frame of ids": data_steps.number,
        "cut a fold": data_steps.fold,
    }
    rows = []
    for case, step in steps.items():
        timed = measure(step, share=share)
        rows += [timed.took(f"{Size(share)}: {case}"), timed.memory(f"{Size(share)}: {case}")]
    return rows


def fit_rows(share: float) -> list[Measurement]:
    fits = {name: measure(model_steps.fit_retriever, share=share, name=name) for name in prepared.config().retrievers}
    for items in EASE_ITEMS:
        fits[f"ease, {items} items"] = measure(model_steps.fit_ease, share=share, items=items)
    fits["feature tables"] = measure(model_steps.fit_tables, share=share)
    rows = []
    for name, timed in fits.items():
        rows += [timed.took(f"{Size(share)}: fit {name}"), timed.memory(f"{Size(share)}: fit {name}")]
    return rows


def ranking_rows(share: float) -> list[Measurement]:
    steps = {
        "candidate features, one thread": model_steps.featurise,
        "label candidates": model_steps.mark,
        "sample negatives": model_steps.draw_negatives,
    }
    rows = []
    for case, step in steps.items():
        timed = measure(step, share=share)
        rows += [timed.rate(f"{Size(share)}: {case}", "rows/s"), timed.memory(f"{Size(share)}: {case}")]
    grown = measure(model_steps.grow, share=share)
    case = f"{Size(share)}: train the ranker on {grown.work:.0f} rows"
    return [*rows, grown.took(case), grown.memory(f"{Size(share)}: train the ranker")]


def main() -> None:
    share = parser(__doc__).parse_args().scale
    prepared.prepare(share)
    report("steps", share, [*data_rows(share), *fit_rows(share), *ranking_rows(share)])


if __name__ == "__main__":
    main()
