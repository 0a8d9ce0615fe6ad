"""Popular, ALS and two-stage as a three-arm test on the made-up cinema, through the real engine, with the truth known.

    python -m benchmarks.quality.bench_closed_loop

Do the intervals of the analysis cover the true effects? And how many users does interleaving need for the power of an
A/B test, of people who stop reading when they have found something and of people who never do?
``benchmarks/results/closed_loop.csv``.
"""

import csv
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.record import RESULTS, circumstances
from msgspec.structs import replace
from scipy.stats import binomtest

from encorec.cli.experiment_simulate import world_config
from encorec.cli.world_systems import world_systems
from encorec.data.synthetic.responses import READERS, ReadingConfig
from encorec.data.synthetic.world import World
from encorec.experiment.analysis.analyse import analyze
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.interleaving.log import read_interleaving_log
from encorec.experiment.interleaving.traffic import InterleavingRecommender, interleaving_table
from encorec.experiment.simulation.closed_loop import LoopConfig, Recommender, play
from encorec.experiment.simulation.potential_outcomes import PotentialOutcomes, potential_outcomes, true_effects
from encorec.experiment.simulation.simulate import simulate
from encorec.experiment.spec import ExperimentSpec, MetricSpec, MoneySpec

ARMS = ("popular", "als", "two-stage")
DAYS, SEED = 14, 7
LOOPS, DRAWN, UNITS, ROUNDS = 8, 300, 4000, 4
POWER, TRIALS, Z = 0.8, 400, 1.959964
MOST_SIMULATED = 20_000
"""Larger tests are not simulated; there the formula holds well enough."""
READING = {"": READERS, ", nobody stops reading": ReadingConfig(enough=10)}
OVERLOOKING = "als without its best item"
PAIRS = (("als", "popular"), ("als", "two-stage"), ("two-stage", "popular"), ("als", OVERLOOKING))

SPEC = ExperimentSpec(
    name="three-arms",
    variants={"popular": 0.34, "als": 0.33, "two-stage": 0.33},
    control="popular",
    days=DAYS,
    metric=(
        MetricSpec(name="watch_time", value="watch_minutes", role="primary", covariate="watch_minutes_before"),
        MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="impressions"),
        MetricSpec(name="cancelled", kind="share", value="cancelled", role="guardrail", margin=0.03, direction="down"),
        MetricSpec(name="revenue", value="revenue"),
    ),
    money=MoneySpec(metric="revenue", value_per_unit=1.0, population=1_000_000, cost=40_000),
)


def loops(
    world: World, systems: dict[str, Recommender], truth: dict[tuple[str, str], float]
) -> Iterator[dict[str, Any]]:
    """Whole experiments, each with another salt, analysed from the files they wrote."""
    inside: dict[tuple[str, str], int] = dict.fromkeys(truth, 0)
    for number in range(LOOPS):
        spec = replace(SPEC, salt=f"loop-{number}")
        with tempfile.TemporaryDirectory() as folder:
            paths = simulate(spec, world, systems, seed=100 + number).write(folder)
            seen = read_exposures(paths["exposures"], spec)
            report = analyze(spec, seen, UnitTable.read(spec, seen, paths["metrics"]), final=True)
        for one in report["metrics"]:
            key = one["name"], one["variant"]
            inside[key] += one["ci95"][0] <= truth[key] <= one["ci95"][1]
        if not number:
            yield from money_rows(report)
    yield share_row("whole loops", "all", "all", sum(inside.values()), LOOPS * len(inside))
    for (metric, variant), count in inside.items():
        yield share_row("whole loops", metric, variant, count, LOOPS) | {"truth": truth[metric, variant]}


def money_rows(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    print(report["verdict"], *report["reasons"], sep="\n  ")
    for variant, money in report["money"]["variants"].items():
        low, high = money["ci95"]
        print(
            f"money, {variant}: net {money['net']:,.0f} [{low:,.0f}, {high:,.0f}], P(net > 0) {money['p_positive']:.3f}"
        )
        yield {"case": "money of one loop", "metric": "revenue", "variant": variant, "value": money["net"],
               "low": low, "high": high, "unit": "money per period"}  # fmt: skip


def drawn(outcomes: PotentialOutcomes) -> Iterator[dict[str, Any]]:
    """Many experiments drawn from potential outcomes, whose true effect is known exactly."""
    rng = np.random.default_rng(SEED)
    truth = {(one["name"], one["variant"]): one["effect"] for one in true_effects(SPEC, outcomes, likely=False)}
    inside = dict.fromkeys(truth, 0)
    shares = np.array(list(SPEC.variants.values()))
    for _ in range(DRAWN):
        variant, columns = outcomes.draw(shares, UNITS, rng)
        table = UnitTable.of(SPEC, variant, {name: one for name, one in columns.items() if "likely" not in name})
        for one in analyze(SPEC, None, table, final=True)["metrics"]:
            key = one["name"], one["variant"]
            if one["ci95"] is None:
                continue
            inside[key] += one["ci95"][0] <= truth[key] <= one["ci95"][1]
    for (metric, variant), count in inside.items():
        yield share_row(f"{DRAWN} drawn tests", metric, variant, count, DRAWN) | {"truth": truth[metric, variant]}


def share_row(case: str, metric: str, variant: str, count: int, of: int) -> dict[str, Any]:
    ends = binomtest(count, of).proportion_ci(0.95, "wilson")
    return {"case": f"coverage, {case}", "metric": metric, "variant": variant, "value": count / of, "low": ends.low,
            "high": ends.high, "unit": f"share of {of} intervals"}  # fmt: skip


def needed(power: Callable[[int], float], guess: float) -> int:
    """Least number of users with the wanted power, by bisection on simulated tests; ``guess`` is by the formula."""
    if guess > MOST_SIMULATED / 2:
        return int(guess)
    low, high = max(int(guess / 8), 4), int(guess * 4) + 8
    while high - low > max(low // 25, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def ab_users(control: np.ndarray, treated: np.ndarray, rng: np.random.Generator) -> int:
    """Of both arms of an A/B test, half and half, Welch."""

    def power(users: int) -> float:
        one, other = (values[rng.integers(len(values), size=(TRIALS, users // 2))] for values in (control, treated))
        error = np.sqrt((one.var(axis=1, ddof=1) + other.var(axis=1, ddof=1)) / (users // 2))
        return float((np.abs(one.mean(axis=1) - other.mean(axis=1)) > Z * error).mean())

    spread = 2 * (control.var() + treated.var())
    return needed(power, 7.849 * spread / (control.mean() - treated.mean()) ** 2)


def interleaving_users(difference: np.ndarray, rng: np.random.Generator) -> int:
    """Of an interleaving test: mean difference of credit per user against its error."""

    def power(users: int) -> float:
        drawn = difference[rng.integers(len(difference), size=(TRIALS, users))]
        return float((np.abs(drawn.mean(axis=1)) > Z * drawn.std(axis=1, ddof=1) / np.sqrt(users)).mean())

    return needed(power, 7.849 * difference.var() / difference.mean() ** 2)


def interleaving(world: World, systems: dict[str, Recommender]) -> Iterator[dict[str, Any]]:
    """Users for 80 % power: interleaving credited with clicks and minutes, A/B tests of clicks, minutes and visits.

    Everybody is played several times, or close rankers would not be told apart. The last pair are two versions of one
    ranker, as most tests are.
    """
    systems = {**systems, OVERLOOKING: overlooking(systems["als"])}
    for how, reading in READING.items():
        read = dataclasses.replace(world, reading=reading)
        outcomes = potential_outcomes(read, systems, LoopConfig(), days=DAYS, rounds=ROUNDS, seed=SEED)
        for better, other in PAIRS:
            yield from needed_rows(read, systems, outcomes, (better, other), how)


def overlooking(recommend: Recommender) -> Recommender:
    """The same recommender, which never shows what it thinks is best."""

    def without_best(users: Any, histories: Any, now: int, k: int) -> list[Sequence[int]]:
        return [items[1:] for items in recommend(users, histories, now, k + 1)]

    return without_best


def needed_rows(
    world: World, systems: dict[str, Recommender], outcomes: PotentialOutcomes, pair: tuple[str, str], how: str
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(SEED)
    arms = [outcomes.variants.index(name) for name in pair]
    columns = {name: outcomes.columns[name][arms] for name in ("clicks", "watch_minutes", "visits")}
    tests = {name: ab_users(values[0], values[1], rng) for name, values in columns.items()}
    for name, users in tests.items():
        yield needed_row(f"A/B test of {name}{how}", *pair, users)
    tables = [mixed_table(world, systems, *pair, seed=SEED + number) for number in range(ROUNDS)]
    for value, metric in (("click", "clicks"), ("watch", "watch_minutes")):
        logs = [read_interleaving_log(table, rankers=list(pair), value=value) for table in tables]
        credit = np.concatenate([one.credit for one in logs])
        users = interleaving_users(credit[:, 0] - credit[:, 1], rng)
        yield needed_row(f"interleaving by {value}{how}", *pair, users)
        yield needed_row(f"A/B test of {metric} / interleaving by {value}{how}", *pair, tests[metric] / users)


def mixed_table(world: World, systems: dict[str, Recommender], better: str, other: str, *, seed: int) -> Any:
    mixed = InterleavingRecommender([systems[better], systems[other]], "team-draft", np.random.default_rng(seed))
    everybody = np.zeros(len(world.people.id), np.int64)
    visits = play(world, [mixed], everybody, LoopConfig(), days=DAYS, rng=np.random.default_rng(seed))
    return interleaving_table(visits, world, mixed, [better, other])


def needed_row(case: str, better: str, other: str, value: float) -> dict[str, Any]:
    print(f"{case}, {better} against {other}: {value:,.1f}", flush=True)
    unit = "times" if "/ inter" in case else f"users for {POWER:.0%} power"
    return {"case": case, "metric": "", "variant": f"{better} against {other}", "value": value, "unit": unit}


def measured() -> Iterator[dict[str, Any]]:
    config = world_config("small")
    world = World.of(config)
    with tempfile.TemporaryDirectory() as folder:  # the artifacts are read while they are asked
        systems = world_systems(world, {name: name for name in ARMS}, Path(folder))
        print("systems are trained", flush=True)
        outcomes = potential_outcomes(world, systems, LoopConfig(), days=DAYS, rounds=ROUNDS, seed=SEED)
        truth = {(one["name"], one["variant"]): one["effect"] for one in true_effects(SPEC, outcomes)}
        for (metric, variant), effect in truth.items():
            yield {"case": "true effect", "metric": metric, "variant": variant, "value": effect, "unit": "per user"}
        yield from drawn(outcomes)
        yield from loops(world, systems, truth)
        yield from interleaving(world, systems)


def main() -> None:
    columns = ("case", "metric", "variant", "value", "low", "high", "truth", "unit", "seed", *circumstances())
    rows = [{"seed": SEED, **row, **circumstances()} for row in measured()]
    with (RESULTS / "closed_loop.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print(row["case"], row["metric"], row["variant"], f"{row['value']:.4g}")


if __name__ == "__main__":
    main()
