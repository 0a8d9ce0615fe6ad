"""Are the intervals of experiments honest? False positives, coverage, power, CUPED, peeking; and how long it takes.

    python -m benchmarks.quality.bench_experiments [--rounds N]

Every share comes with the number of rounds behind it; the seconds are of one process.
"""

import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from math import ceil
from multiprocessing import get_context

import msgspec
import numpy as np
import polars as pl
from benchmarks.quality.experiment_worlds import METRICS, MONEY, World, views_of
from benchmarks.record import Measurement, write

from encorec.experiment.analysis.analyse import analyze
from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.money import money_line, net_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.assignment.draw import assign
from encorec.experiment.design.baseline import measure_baseline
from encorec.experiment.design.plan import two_arms
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.resplits.aa import AAConfig, Material, aa_rates
from encorec.experiment.sequential.confidence_sequence import confidence_sequence, cs_width
from encorec.experiment.sequential.group_sequential import boundary
from encorec.experiment.spec import ExperimentSpec, MetricSpec
from encorec.types import BoolVector, FloatVector

SEED = 11
UNITS, LIFT = 3000, 0.05
LOOKS, PER_LOOK = 50, 60
THIRDS = {"control": 0.4, "a": 0.3, "b": 0.3}
HALVES = {"control": 0.5, "treatment": 0.5}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    parts: list[Callable[[int], Iterator[Measurement]]] = [false_positives, coverage, power, cuped, peeking]
    found: list[Measurement] = []
    for part in parts:
        began = time.perf_counter()
        found += part(rounds)
        print(f"{part.__name__}: {time.perf_counter() - began:.0f} s", flush=True)
    found += speed()
    write("experiments", found, peers={"tea-tasting": version("tea-tasting")})


def false_positives(rounds: int) -> Iterator[Measurement]:
    """A/A: 6,000 real-looking units dealt again and again."""
    spec = ExperimentSpec(name="a/a", variants=HALVES, metric=_named(METRICS))
    columns = World().draw(2 * UNITS, np.random.default_rng(SEED))
    right, _ = aa_rates(Material(spec, columns), AAConfig(rounds=rounds, seed=SEED))
    for (name, _), p in right.items():
        yield _share(f"false positives at 5 %: {name}", p < 0.05)
    view = MetricSpec(name="clicked", value="clicked", role="primary")
    views = pl.DataFrame(views_of(2 * UNITS, np.random.default_rng(SEED)))
    material = Material.read(ExperimentSpec(name="views", variants=HALVES, metric=(view,)), views)
    right, naive = aa_rates(material, AAConfig(rounds=rounds, seed=SEED))
    yield _share("false positives at 5 %: clicks per view, delta method", right["clicked", "treatment"] < 0.05)
    yield _share("false positives at 5 %: clicks per view, views taken for units", naive["clicked", "treatment"] < 0.05)


def coverage(rounds: int) -> Iterator[Measurement]:
    """A/B with a lift of 5 % and 3,000 units per arm: how often the interval holds the truth."""
    held: dict[str, list[bool]] = {}
    truths = {one.name: (World().truth(one), World(LIFT).truth(one)) for one in METRICS}
    for metric, found in _experiments(rounds, UNITS):
        control, treatment = truths[metric.name]
        _hold(held, f"absolute: {metric.name}", found.ci95, treatment - control)
        _hold(held, f"relative: {metric.name}", found.relative_ci95, treatment / control - 1)
        if metric.name in ("mean", "mean, CUPED"):
            line = money_line(found, MONEY, 0.05, ended=True)
            _hold(held, f"money: {metric.name}", line["ci95"], net_of(treatment - control, MONEY))
    for name, values in held.items():
        yield _share(f"coverage of 95 %, {name}", values)


def power(rounds: int) -> Iterator[Measurement]:
    """Units planned for a power of 80 % from a history of a million units; how often the effect is then found."""
    history = World().draw(1_000_000, np.random.default_rng(SEED + 1))
    for lift, metric in ((0.05, METRICS[1]), (0.1, METRICS[3]), (0.05, METRICS[4]), (0.05, METRICS[6])):
        spec = ExperimentSpec(name="plan", variants=HALVES, metric=(metric,))
        baseline = measure_baseline(metric, history)
        units = ceil(two_arms(spec, metric, baseline, "treatment").units(lift * baseline.value, 0.8))
        found = (one.p is not None and one.p < 0.05 for _, one in _experiments(rounds // 2, units, (metric,), lift))
        yield _share(f"power planned 0.8, {metric.name}, lift {lift:g}, {units} units per arm", list(found))


def cuped(rounds: int) -> Iterator[Measurement]:
    """The variance of the effect with a covariate over that without, beside 1 - rho^2; and a covariate times 60."""
    raw, one = METRICS[:2]
    rng = np.random.default_rng(SEED + 2)
    effects: list[tuple[float, float]] = []
    errors: list[float] = []
    off: list[float] = []
    rows = np.arange(UNITS), np.arange(UNITS, 2 * UNITS)
    cut: list[float] = []
    for _ in range(rounds):
        columns = World().draw(2 * UNITS, rng)
        columns["minutes"] = np.log1p(columns["session"]) + 0.8 * np.log(columns["minutes_before"])
        scaled = {**columns, "minutes_before": 60 * np.log(columns["minutes_before"])}
        columns["minutes_before"] = np.log(columns["minutes_before"])
        plain, adjusted, times = (
            effect_of(Outcome.of(metric, table), *rows)
            for metric, table in ((raw, columns), (one, columns), (one, scaled))
        )
        effects.append((plain.effect or 0, adjusted.effect or 0))
        errors.append(((adjusted.error or 0) / (plain.error or 1)) ** 2)
        cut.append(1 - float(np.corrcoef(columns["minutes"], columns["minutes_before"])[0, 1]) ** 2)
        off.append(
            abs((times.effect or 0) / (adjusted.effect or 1) - 1) + abs(60 * times.theta[0] / adjusted.theta[0] - 1)
        )
    spread = np.var(effects, axis=0)
    yield Measurement("CUPED: squared error with covariate over that without", "times", errors, SEED)
    yield Measurement("CUPED: 1 - rho^2", "times", cut, SEED)
    yield Measurement("CUPED: variance of the effects over 1 - rho^2", "times", [spread[1] / spread[0] / np.mean(cut)])
    yield Measurement("CUPED: covariate times 60, change of effect and theta", "relative", off, SEED)


def peeking(rounds: int) -> Iterator[Measurement]:
    """No effect, skewed minutes, 50 looks: how often anything is ever found."""
    rng, ever = np.random.default_rng(SEED + 3), dict[str, list[bool]]()
    planned = 2.0 * LOOKS * PER_LOOK
    plans = {"obrien-fleming": boundary("obrien-fleming", 5), "pocock": boundary("pocock", 5)}
    for _ in range(rounds):
        effect, error, units = _path(rng)
        z = np.abs(effect) / error
        low, high = confidence_sequence(effect, error, units, planned)
        _note(ever, "naive p below 5 %", z > 1.959964)
        _note(ever, "confidence sequence", (np.asarray(low) > 0) | (np.asarray(high) < 0))
        for shape, bounds in plans.items():
            _note(ever, f"{shape}, 5 looks", z[LOOKS // 5 - 1 :: LOOKS // 5] > bounds)
    for name, values in ever.items():
        yield _share(f"peeking, 50 looks, ever crossed: {name}", values)
    width = float(cs_width(1.0)) / 1.959964
    yield Measurement("confidence sequence: width at the tuned units over the fixed interval", "times", [width])


def speed(runs: int = 3) -> Iterator[Measurement]:
    """A million units, ten metrics, three arms; a million assignments; each in a fresh process."""
    for name, work in (("analyse 1 M units, 10 metrics, 3 arms", _analyse), ("assign 1 M units", _assign)):
        told = [_apart(work) for _ in range(runs)]
        yield Measurement(name, "s", [one[0] for one in told], SEED)
        yield Measurement(f"{name}: peak of the process", "GB", [one[1] for one in told], SEED)


def _experiments(
    rounds: int, units: int, metrics: Sequence[MetricSpec] = METRICS, lift: float = LIFT
) -> Iterator[tuple[MetricSpec, Effect]]:
    rng = np.random.default_rng(SEED)
    rows = np.arange(units), np.arange(units, 2 * units)
    for _ in range(rounds):
        arms = World().draw(units, rng), World(lift).draw(units, rng)
        columns = {name: np.concatenate([one[name] for one in arms]) for name in arms[0]}
        for metric in metrics:
            yield metric, effect_of(Outcome.of(metric, columns), *rows)


def _path(rng: np.random.Generator) -> tuple[FloatVector, FloatVector, FloatVector]:
    """Effect, its error and units of both arms at every look."""
    arms = [World().draw(LOOKS * PER_LOOK, rng)["minutes"] for _ in range(2)]
    n = np.arange(1, LOOKS + 1) * float(PER_LOOK)
    means = [np.cumsum(one)[PER_LOOK - 1 :: PER_LOOK] / n for one in arms]
    squares = [np.cumsum(one * one)[PER_LOOK - 1 :: PER_LOOK] / n for one in arms]
    variances = [(square - mean * mean) / (n - 1) for square, mean in zip(squares, means, strict=True)]
    return means[1] - means[0], np.sqrt(variances[0] + variances[1]), 2 * n


def _analyse() -> float:
    many = 1_000_000
    rng = np.random.default_rng(SEED)
    columns = World().draw(many, rng)
    metrics = [msgspec.structs.replace(one, role="secondary") for one in _named(METRICS)]
    metrics[0] = msgspec.structs.replace(metrics[0], role="primary")
    metrics.append(MetricSpec(name="views", value="views"))
    metrics.append(MetricSpec(name="guarded", kind="share", value="came", role="guardrail", margin=0.01))
    spec = ExperimentSpec(name="large", variants=THIRDS, metric=tuple(metrics))
    arm = rng.choice(3, many, p=list(THIRDS.values()))
    began = time.perf_counter()
    analyze(spec, None, UnitTable.of(spec, arm, columns), final=True)
    return time.perf_counter() - began


def _assign() -> float:
    spec = ExperimentSpec(name="large", variants=THIRDS, metric=METRICS[:1], share=0.5, holdout=0.02)
    units = np.arange(1_000_000)
    began = time.perf_counter()
    assign(spec, units)
    return time.perf_counter() - began


def _apart(work: Callable[[], float]) -> tuple[float, float]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measured, work).result()


def _measured(work: Callable[[], float]) -> tuple[float, float]:
    work_seconds = work()
    return work_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _named(metrics: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """The first is primary, the others secondary, as a specification wants it."""
    return tuple(
        msgspec.structs.replace(one, role="secondary" if place else "primary") for place, one in enumerate(metrics)
    )


def _hold(held: dict[str, list[bool]], name: str, ends: Sequence[float] | None, truth: float) -> None:
    held.setdefault(name, []).append(ends is not None and ends[0] <= truth <= ends[1])


def _note(ever: dict[str, list[bool]], name: str, crossed: BoolVector) -> None:
    ever.setdefault(name, []).append(bool(np.any(crossed)))


def _share(case: str, happened: Sequence[bool] | BoolVector) -> Measurement:
    """A share of rounds, with the ends of its 95 % interval by Wilson."""
    from encorec.experiment.design.power_simulation import SimulatedPower

    told = SimulatedPower.of(int(np.sum(happened)), len(happened))
    return Measurement(f"{case} [{len(happened)} rounds]", "share", [told.low, told.power, told.high], SEED)


if __name__ == "__main__":
    main()
