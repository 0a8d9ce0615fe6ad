"""Off-policy estimates on logs whose truth is known, and on Open Bandit Data beside the published figures.

    python -m benchmarks.quality.bench_off_policy [--logs N]

For every estimator: bias and root mean squared error as shares of the truth, and how often the 95 % interval holds the
truth, over that many logs. The interval of an estimator that trades bias for variance does not show the bias: how much
its coverage loses is what this is for. Open Bandit Data is the small sample inside the package obp; its IPW estimate
must be the published one, or this fails.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import polars as pl
from benchmarks.record import Measurement, write
from threadpoolctl import threadpool_limits

from encorec.evaluation.offpolicy import OffPolicyConfig, RewardModelConfig, evaluate_policy, load_open_bandit
from encorec.types import FloatMatrix, FloatVector, IntMatrix

ROWS, CONTEXTS, ACTIONS = 2000, 5, 20
SLATES, ITEMS, PLACES = 1500, 6, 3
PUBLISHED = {"value": 0.004553, "relative": 1.198126}


@dataclass(frozen=True)
class Known:
    """A world: what the target earns, and a log and a policy (or none, where the log tells it) for every seed."""

    truth: float
    draw: Callable[[int], tuple[pl.DataFrame, pl.DataFrame | None]]
    config: OffPolicyConfig


def softmax(scores: FloatMatrix) -> FloatMatrix:
    powers = np.exp(scores)
    return powers / powers.sum(axis=-1, keepdims=True)


def contextual(skew: float) -> Known:
    """Five contexts, twenty actions; the larger the skew of the logged probabilities, the larger the weights."""
    rng = np.random.default_rng(0)
    rate = 1 / (1 + np.exp(-rng.normal(-2, 0.8, (CONTEXTS, ACTIONS))))
    logged = softmax(rng.normal(0, skew, rate.shape))
    target = softmax(1.2 * rate / rate.std() + rng.normal(0, 0.3, rate.shape))
    context, action = np.indices(rate.shape)
    policy = pl.DataFrame(
        {"context": context.ravel(), "action": action.ravel(), "probability": target.ravel()}
    ).with_columns(pl.format("c{}", "context").alias("context"))

    def draw(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        rng = np.random.default_rng(seed)
        context = rng.integers(0, CONTEXTS, ROWS)
        action = (logged[context].cumsum(axis=1) < rng.random(ROWS)[:, None]).sum(axis=1).clip(max=ACTIONS - 1)
        reward = (rng.random(ROWS) < rate[context, action]).astype(int)
        log = {"action": action, "reward": reward, "propensity": logged[context, action], "context": context}
        return pl.DataFrame(log).with_columns(pl.format("c{}", "context").alias("context")), policy

    config = OffPolicyConfig(resamples=300, reward_model=RewardModelConfig(), force=True)
    return Known(float((target * rate).sum(axis=1).mean()), draw, config)


def slates(*, cascade: bool) -> Known:
    """Three of six items, drawn without replacement; with a cascade, users read from the top and stop at a click."""
    rng = np.random.default_rng(1)
    lists = np.array(list(permutations(range(ITEMS), PLACES)))
    appeal = rng.uniform(0.05, 0.5, ITEMS)
    step = {name: conditional(lists, chance) for name, chance in chances(appeal, rng).items()}
    whole = {name: one.prod(axis=1) for name, one in step.items()}
    marginal = {name: alone(lists, one) for name, one in whole.items()}
    looked = appeal[lists]
    seen = np.cumprod(np.column_stack([np.ones(len(lists)), 1 - looked[:, :-1]]), axis=1)
    click = looked * (seen if cascade else np.array([1.0, 0.6, 0.4]))
    rest = 0.8 * np.cumsum(click[:, ::-1], axis=1)[:, ::-1] + 0.02  # a model that is wrong
    q, v = (expected_rest(lists, step["target"], rest, decided) for decided in (1, 0))

    def draw(seed: int) -> tuple[pl.DataFrame, None]:
        rng = np.random.default_rng(seed)
        row = rng.choice(len(lists), SLATES, p=whole["logged"])
        clicks = rng.random((SLATES, PLACES)) < (looked[row] if cascade else click[row])
        if cascade:
            clicks &= np.cumsum(clicks, axis=1) == 1
        columns = {
            "action": lists,
            "propensity": step["logged"],
            "target_probability": step["target"],
            "item_propensity": marginal["logged"],
            "item_target_probability": marginal["target"],
            "q_logged": q,
            "v_target": v,
        }
        table = pl.DataFrame({name: one[row].ravel() for name, one in columns.items()})
        return table.with_columns(
            request_id=np.repeat(np.arange(SLATES), PLACES),
            position=np.tile(np.arange(1, PLACES + 1), SLATES),
            reward=clicks.ravel().astype(int),
        ), None

    truth = float(whole["target"] @ click.sum(axis=1))
    return Known(truth, draw, OffPolicyConfig(resamples=300, force=True))


def chances(appeal: FloatVector, rng: np.random.Generator) -> dict[str, FloatVector]:
    return {"logged": softmax(rng.normal(0, 0.4, ITEMS)), "target": softmax(2.0 * appeal / appeal.max())}


def conditional(lists: IntMatrix, chance: FloatVector) -> FloatMatrix:
    """(lists, places) probability of each item, given those above it (Plackett-Luce)."""
    taken = np.cumsum(chance[lists], axis=1) - chance[lists]
    return chance[lists] / (1 - taken)


def alone(lists: IntMatrix, whole: FloatVector) -> FloatMatrix:
    """(lists, places) probability of each item at its place, whatever stands above it."""
    counted = [np.bincount(lists[:, place], whole, minlength=ITEMS) for place in range(PLACES)]
    return np.column_stack([counted[place][lists[:, place]] for place in range(PLACES)]).astype(np.float64)


def expected_rest(lists: IntMatrix, step: FloatMatrix, rest: FloatMatrix, decided: int) -> FloatMatrix:
    """(lists, places) what the model expects of each place and all below it, the target choosing there.

    Args:
        lists: (lists, places) int64 items.
        step: (lists, places) float64 of the target.
        rest: (lists, places) float64 of the model for whole lists.
        decided: 1 if the item at the place itself is decided, 0 if the target chooses it too.
    """
    value = np.empty_like(rest)
    for place in range(PLACES):
        kept = place + decided
        below = step[:, kept:].prod(axis=1)
        above = (lists[:, :kept] * ITEMS ** np.arange(kept)).sum(axis=1)
        value[:, place] = (np.bincount(above, below * rest[:, place]) / np.bincount(above, below).clip(1e-300))[above]
    return value


def judged(name: str, known: Known, logs: int) -> Iterator[Measurement]:
    values: dict[str, list[float]] = {}
    held: dict[str, list[bool]] = {}
    sizes: list[float] = []
    for seed in range(logs):
        found = evaluate_policy(*known.draw(seed), config=known.config, seed=seed)
        sizes.append(found.diagnostics.ess)
        for one, entry in found.estimators.items():
            if (entry["per"] == "slate") == (found.logged_slate_value is not None):
                values.setdefault(one, []).append(entry["value"])
                held.setdefault(one, []).append(entry["ci95"][0] <= known.truth <= entry["ci95"][1])
    yield Measurement(f"{name}: effective sample size", "rows", sizes, 0)
    for one, estimates in values.items():
        apart = np.array(estimates) / known.truth - 1
        yield Measurement(f"{name}: {one}, bias", "share of the truth", [float(apart.mean())], 0)
        yield Measurement(f"{name}: {one}, rmse", "share of the truth", [float(np.sqrt(np.mean(apart**2)))], 0)
        yield Measurement(f"{name}: {one}, coverage of {logs} logs", "share", [float(np.mean(held[one]))], 0)


def open_bandit() -> Iterator[Measurement]:
    data = load_open_bandit()
    found = evaluate_policy(data.log, data.policy)
    ips = found.estimators["ips"]
    if round(ips["value"], 6) != PUBLISHED["value"] or round(ips["relative"], 6) != PUBLISHED["relative"]:
        raise SystemExit(f"IPW on Open Bandit Data is {ips}, published is {PUBLISHED}")
    for one, entry in found.estimators.items():
        yield Measurement(f"open bandit, random to bts: {one}", "clicks per row", [entry["value"], *entry["ci95"]])
    yield Measurement("open bandit, random to bts: ips / logged", "times", [ips["relative"]])
    yield Measurement("open bandit, random to bts: effective sample size", "rows", [found.diagnostics.ess])
    data = load_open_bandit(logged_by="bts")
    refused = evaluate_policy(data.log, data.policy)
    if refused.refused is None or "ESS" not in refused.refused:
        raise SystemExit(f"the log of bts tells nothing of random, but was not refused: {refused.estimators}")
    worst = min(refused.diagnostics.positions.values())
    yield Measurement("open bandit, bts to random, refused: least effective sample size", "rows", [worst])


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--logs", type=int, default=2000)
    logs = parser.parse_args().logs
    worlds = {
        "contextual": contextual(0.8),
        "contextual, skewed": contextual(1.2),
        "slates, independent clicks": slates(cascade=False),
        "slates, cascade": slates(cascade=True),
    }
    rows = list(open_bandit())
    with threadpool_limits(1):
        for name, known in worlds.items():
            rows += judged(name, known, logs)
    write("off_policy", rows)


if __name__ == "__main__":
    main()
