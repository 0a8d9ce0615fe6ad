"""A/A tests: the fast sums against single analyses, rates near alpha, and the mistake of views."""

import numpy as np
import polars as pl
import pytest

from encorec.errors import ConfigError, DataError
from encorec.experiment.analysis.effects import effect_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.resplits.aa import AAConfig, Material, aa_rates, aa_test
from encorec.experiment.resplits.drawn_arms import draws
from encorec.experiment.spec import ExperimentSpec, MetricSpec

METRICS = (
    MetricSpec(name="watch", value="minutes", role="primary"),
    MetricSpec(name="cuped", value="minutes", covariate=("before", "age"), winsorize=0.99),
    MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views", covariate="before"),
    MetricSpec(name="left", kind="share", value="left"),
    MetricSpec(name="p75", kind="quantile", value="minutes", quantile=0.75),
)
SPEC = ExperimentSpec(name="x", variants={"control": 0.5, "b": 0.3, "c": 0.2}, metric=METRICS)


def history(n: int = 900, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    taste, views = rng.gamma(1.5, 10, n), rng.poisson(9, n) + 1
    return pl.DataFrame(
        {
            "unit": np.arange(n),
            "minutes": taste * rng.gamma(3, 1 / 3, n),
            "before": taste * rng.gamma(3, 1 / 3, n),
            "age": rng.uniform(18, 70, n),
            "clicks": rng.binomial(views, 0.2),
            "views": views,
            "left": (rng.random(n) < 0.1).astype(np.int64),
        }
    )


def view_history(units: int = 300, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    taste = rng.beta(1, 1, units)
    unit = np.repeat(np.arange(units), rng.poisson(20, units) + 1)
    return pl.DataFrame(
        {"user_id": unit, "watched": (rng.random(len(unit)) < taste[unit]).astype(np.int64), "minutes": taste[unit]}
    )


def test_every_p_is_that_of_a_single_analysis() -> None:
    """The slow twin: the same splits, each analysed by itself."""
    material = Material.read(SPEC, history())
    right, naive = aa_rates(material, AAConfig(rounds=20, seed=3))
    blocks = list(draws(900, [0.5, 0.3, 0.2], 20, np.random.default_rng(3)))
    assert naive == {}
    for metric in METRICS:
        outcome = Outcome.of(metric, material.columns)
        for place, variant in ((1, "b"), (2, "c")):
            rounds = [(row, other) for arms in blocks for row, other in zip(arms[0], arms[place], strict=True)]
            slow = [effect_of(outcome, np.flatnonzero(a), np.flatnonzero(b)).p for a, b in rounds]
            assert right[metric.name, variant] == pytest.approx(slow, rel=1e-6, abs=1e-12)


def test_arms_share_out_all_units() -> None:
    for arms in draws(1000, [0.5, 0.3, 0.2], 60, np.random.default_rng(0)):
        assert (np.sum(arms, axis=0) == 1).all()
        assert [one.mean() for one in arms] == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_rates_are_near_alpha_and_p_uniform() -> None:
    found = aa_test(Material.read(SPEC, history(2000)), AAConfig(rounds=600))
    assert found["ok"]
    for row in found["metrics"]:
        assert 0.02 < row["false_positive_rate"] < 0.085
        assert row["uniform_p"] > 1e-4
        assert sum(row["histogram"]) == row["rounds"] == 600


def test_views_taken_for_units_raise_false_alarms() -> None:
    metrics = (
        MetricSpec(name="watched", kind="share", value="watched", role="primary"),
        MetricSpec(name="minutes", value="minutes"),
    )
    spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metrics)
    found = aa_test(Material.read(spec, view_history()), AAConfig(rounds=500))
    assert found["ok"]
    assert {row["method"] for row in found["metrics"]} == {"delta method"}
    assert all(row["false_positive_rate"] > 0.15 and not row["ok"] for row in found["naive"])


def test_events_are_summed_per_unit() -> None:
    events = pl.DataFrame({"unit": [1, 1, 2, 3, 4], "timestamp": [100, 200, 300, 400, 500], "minutes": [1, 2, 4, 5, 6]})
    spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=METRICS[:1])
    found = Material.read(spec, events)
    assert sorted(found.columns["minutes"].tolist()) == [3, 4, 5, 6]
    assert found.views is None


@pytest.mark.parametrize("unit", ["unit", "user_id"])
def test_covariates_of_events_come_from_the_days_before(unit: str) -> None:
    events = pl.DataFrame(
        {
            unit: [1, 1, 2, 3, 4, 5],
            "timestamp": [0, 86_500, 90_000, 86_400, 99_999, 86_399],
            "minutes": [1, 2, 4, 5, 6, 9],
        }
    )
    metric = MetricSpec(name="m", value="minutes", role="primary", covariate="minutes_before")
    spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=(metric,))
    found = Material.read(spec, events)
    assert sorted(zip(found.columns["minutes"], found.columns["minutes_before"], strict=True)) == [
        (2, 1),
        (4, 0),
        (5, 0),
        (6, 0),
    ]
    assert aa_test(found, AAConfig(rounds=20))["units"] == 4
    with pytest.raises(DataError, match="within one day"):
        Material.read(spec, events.with_columns(timestamp=pl.col("timestamp") % 1000))
    with pytest.raises(DataError, match="unknown column 'minutes'"):
        Material.read(spec, events.drop("minutes").with_columns(clicks=1))


def test_the_same_seed_gives_the_same_rates() -> None:
    material = Material.read(SPEC, history(200))
    first, second = (aa_test(material, AAConfig(rounds=30, seed=5)) for _ in range(2))
    assert first == second


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(DataError, match="four at least"):
        aa_test(Material(SPEC, {name: np.ones(3) for name in ("minutes", "before", "age", "clicks", "views", "left")}))
    with pytest.raises(ConfigError, match="rounds is 3"):
        AAConfig(rounds=3)
    with pytest.raises(DataError, match="unknown column 'before'"):
        Material.read(SPEC, history().drop("before"))
    with pytest.raises(ConfigError, match="quantile over rows"):
        Material.read(SPEC, pl.concat([history(9), history(9)]))
    same = aa_test(
        Material(ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=METRICS[:1]), {"minutes": np.ones(50)}),
        AAConfig(rounds=20),
    )
    assert same["metrics"][0]["false_positive_rate"] is None
    assert not same["ok"]
