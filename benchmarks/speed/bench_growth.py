"""How the heavy steps grow: each at 0.1, 0.3, 1 and 3 times KION, and the exponent of its seconds over interactions.

Users and interactions grow, items do not. An exponent is the slope of log seconds on log interactions; fixed costs
flatten it at small sizes, so the slope between the two largest sizes is told too. The promise: nothing grows faster
than interactions do. Five runs of a step that takes less than 5 s, three below 20 s, else one. ``--largest 10``
goes on to ten times KION.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from benchmarks.record import Measurement
from benchmarks.speed import answer_steps, data_steps, model_steps, prepared
from benchmarks.speed.fresh import Timed, measure
from benchmarks.speed.size import SEED, Size, parser, report

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
BATCH, FEATURES = 20_000, 4000
"""Users at 1x who are answered, and whose candidates get features; they grow with the data."""


def steps(share: float) -> dict[str, Callable[[], Timed]]:
    """What is measured at one size, by name."""
    named: dict[str, Callable[..., Timed]] = {
        "generate": partial(measure, data_steps.generate),
        "load zip": partial(measure, data_steps.load_zip),
        "build": partial(measure, data_steps.build),
        "cut a fold": partial(measure, data_steps.fold),
        "ten metrics": partial(measure, data_steps.judge),
    }
    for name in prepared.config().retrievers:
        named[f"fit {name}"] = partial(measure, model_steps.fit_retriever, name=name)
    named["fit feature tables"] = partial(measure, model_steps.fit_tables)
    named["candidate features"] = partial(measure, model_steps.featurise, users=round(FEATURES * share), quick=True)
    named["batch top 10"] = partial(measure, answer_steps.recommend, users=round(BATCH * share), threads=1, quick=True)
    return {name: partial(step, share=share) for name, step in named.items()}


def exponent(interactions: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log seconds on log interactions."""
    return float(np.polyfit(np.log(interactions), np.log(seconds), 1)[0])


def table(name: str, timed: Mapping[float, Timed], interactions: Sequence[int]) -> list[Measurement]:
    """Seconds and memory of a step at every size, then the exponents."""
    rows = [one.took(f"{name}: {Size(share)}") for share, one in timed.items()]
    rows += [one.memory(f"{name}: {Size(share)}") for share, one in timed.items()]
    medians = [float(np.median(one.seconds)) for one in timed.values()]
    for case, some in (("exponent", slice(None)), ("exponent of the two largest", slice(-2, None))):
        rows.append(Measurement(f"{name}: {case}", "power", [exponent(interactions[some], medians[some])], SEED))
    return rows


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--largest", type=float, default=3.0, help="largest size, times the scale")
    given = options.parse_args()
    shares = [factor * given.scale for factor in FACTORS if factor <= given.largest]
    timed: dict[float, dict[str, Timed]] = {}
    for share in shares:  # size by size: a run that is stopped has finished the small ones
        prepared.prepare(share, quick=True)
        timed[share] = {name: step() for name, step in steps(share).items()}
    interactions = [round(timed[share]["generate"].work) for share in shares]
    counts = [
        Measurement(f"interactions: {Size(share)}", "rows", [n], SEED)
        for share, n in zip(shares, interactions, strict=True)
    ]
    rows = [row for name in steps(1) for row in table(name, {one: timed[one][name] for one in shares}, interactions)]
    report("growth", given.scale, [*counts, *rows])


if __name__ == "__main__":
    main()
