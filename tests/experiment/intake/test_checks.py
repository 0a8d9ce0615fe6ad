"""Checks: sample ratio and balance against scipy and published figures; holes, missing rows, and what fails."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency, chisquare, f_oneway, ttest_ind
from tests.experiment.intake.intake_specs import CLICKS, spec_of

from encorec.errors import ConfigError, DataError
from encorec.experiment.intake.balance import covariate_balance
from encorec.experiment.intake.checks import CheckConfig, check, failed_checks, sample_ratio
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.spec import MetricSpec

DAY = 86_400
START = date(2026, 12, 1)
FIRST = 1_796_083_200  # 2026-12-01T00:00:00Z
BEFORE = MetricSpec(name="clicks", value="clicks", role="primary", covariate=("clicks_before", "views_before"))


def exposed(spec: Any, counts: dict[str, int], days: Any = None, **more: Any) -> Any:
    names = [name for name, count in counts.items() for _ in range(count)]
    columns = {"unit": np.arange(len(names)), "variant": names, **more}
    if days is not None:
        columns["first_exposed_at"] = FIRST + np.resize(days, len(names)) * DAY + 60
    return read_exposures(pl.DataFrame(columns), spec)


def test_the_sample_ratio_of_a_published_example() -> None:
    """Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 21: 821,588 and 815,482 units."""
    found = sample_ratio({"control": 821_588, "treatment": 815_482}, {"control": 0.5, "treatment": 0.5})
    assert found["p"] == pytest.approx(1.8e-6, rel=0.02)
    assert not found["ok"]


def test_the_sample_ratio_of_many_arms_is_scipys() -> None:
    counts, shares = {"a": 1000, "b": 2100, "c": 2900}, {"a": 1 / 6, "b": 1 / 3, "c": 1 / 2}
    found = sample_ratio(counts, shares)
    theirs = chisquare(list(counts.values()), [1000, 2000, 3000])
    assert (found["chi2"], found["p"]) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert list(found["expected"].values()) == pytest.approx([1000, 2000, 3000])
    with pytest.raises(DataError, match="no units"):
        sample_ratio({"a": 0, "b": 0}, {"a": 0.5, "b": 0.5})


def test_balance_of_two_arms_is_welchs_t_test_and_of_many_scipys_analysis_of_variance() -> None:
    rng = np.random.default_rng(4)
    groups = [rng.normal(0, 1, 40), rng.normal(0.5, 3, 90), rng.normal(0.2, 2, 25)]
    for arms in (2, 3):
        values, variant = np.concatenate(groups[:arms]), np.repeat(np.arange(arms), [40, 90, 25][:arms])
        found = covariate_balance(values, variant, arms, 0)
        theirs = f_oneway(*groups[:arms], equal_var=False)[1]
        assert found.p == pytest.approx(theirs, rel=1e-9)
        spread = np.sqrt((groups[1].var(ddof=1) + groups[0].var(ddof=1)) / 2)
        assert found.difference[1] == pytest.approx((groups[1].mean() - groups[0].mean()) / spread)
    assert covariate_balance(np.concatenate(groups[:2]), np.repeat([0, 1], [40, 90]), 2, 0).p == pytest.approx(
        ttest_ind(groups[0], groups[1], equal_var=False)[1]
    )


@pytest.mark.parametrize(
    ("values", "variant", "difference", "p"),
    [
        ([5.0, 5.0, 5.0, 5.0], [0, 0, 1, 1], 0.0, 1.0),
        ([5.0, 5.0, 6.0, 6.0], [0, 0, 1, 1], np.inf, 0.0),
        ([0.1] * 3 + [0.1] * 3, [0, 0, 0, 1, 1, 1], 0.0, 1.0),
        ([5.0, 6.0], [0, 1], np.inf, None),
        ([1.0, 1.0, 1.0, 3.0], [0, 0, 1, 1], 1.0, f_oneway([1.0, 1.0], [1.0, 3.0]).pvalue),
    ],
)
def test_balance_without_spread(values: list[float], variant: list[int], difference: float, p: float | None) -> None:
    found = covariate_balance(np.array(values), np.array(variant), 2, 0)
    assert found.difference[1] == difference
    assert found.p is None if p is None else found.p == pytest.approx(p)


def table_of(spec: Any, **columns: Any) -> UnitTable:
    n = len(next(iter(columns.values())))
    return UnitTable.of(spec, np.arange(n) % 2, {"clicks": np.ones(n), **columns})


def test_a_covariate_that_differs_between_the_arms_fails() -> None:
    spec, rng = spec_of(BEFORE), np.random.default_rng(7)
    even, uneven = rng.normal(size=2000), rng.normal(size=2000) + 0.3 * (np.arange(2000) % 2)
    found = check(spec, None, table_of(spec, clicks_before=even, views_before=uneven))
    rows = {row["name"]: row for row in found["covariate_balance"]["covariates"]}
    assert failed_checks(found) == ["covariate_balance"]
    assert rows["clicks_before"]["p"] > 0.001 > rows["views_before"]["p_adjusted"]
    assert rows["views_before"]["p_adjusted"] == 2 * rows["views_before"]["p"]
    assert rows["views_before"]["difference"] == pytest.approx(0.3, abs=0.1)
    calm = check(spec, None, table_of(spec, clicks_before=even, views_before=60 * even))
    assert calm["covariate_balance"]["ok"]


def test_false_alarms_of_the_sample_ratio_are_as_rare_as_said() -> None:
    rng = np.random.default_rng(1)
    shares = {"a": 0.2, "b": 0.3, "c": 0.5}
    draws = rng.multinomial(5000, list(shares.values()), 4000)
    p = np.array([sample_ratio(dict(zip(shares, one, strict=True)), shares)["p"] for one in draws.tolist()])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.012)
    assert (p < 0.001).sum() <= 12


def test_two_arms_fail_only_where_they_are_many() -> None:
    spec = spec_of()
    rows = pl.DataFrame({"unit": [*range(1000), *range(30)], "variant": ["control", "treatment"] * 515})
    twice = pl.concat([rows, pl.DataFrame({"unit": [0, 1], "variant": ["treatment", "control"]})])
    found = check(spec, read_exposures(twice, spec))
    assert found["units_in_two_arms"] == {"count": 2, "share": 0.002, "ok": True}
    assert not check(spec, read_exposures(twice, spec), config=CheckConfig(two_arms=0.001))["units_in_two_arms"]["ok"]


@pytest.mark.parametrize(
    ("days", "now", "expected"),
    [
        ([0, 1, 2], None, {"missing": [], "before_start": 0, "after_end": 0, "ok": True}),
        ([0, 2], None, {"missing": ["2026-12-02"], "before_start": 0, "after_end": 0, "ok": False}),
        ([1, 2], None, {"missing": ["2026-12-01"], "before_start": 0, "after_end": 0, "ok": False}),
        ([0, 1], 4, {"missing": ["2026-12-03", "2026-12-04"], "before_start": 0, "after_end": 0, "ok": True}),
        ([0, 1, 2, 3], 99, {"missing": ["2026-12-05"], "before_start": 0, "after_end": 0, "ok": True}),
        ([0, 1, 2, 3], -9, {"missing": [], "before_start": 0, "after_end": 0, "ok": True}),
        ([-1, 0, 0, 7], None, {"missing": [f"2026-12-0{i}" for i in (2, 3, 4, 5)], "before_start": 25, "after_end": 25,
                               "ok": False}),
    ],
)  # fmt: skip
def test_days_without_a_first_exposure(days: list[int], now: int | None, expected: dict[str, Any]) -> None:
    spec = spec_of(start=START, days=5)
    seen = exposed(spec, {"control": 50, "treatment": 50}, days)
    assert check(spec, seen, now=None if now is None else FIRST + now * DAY)["exposure_days"] == expected


def test_rows_that_are_missing_in_one_arm_more_than_in_the_other_fail() -> None:
    spec = spec_of(CLICKS)
    seen = exposed(spec, {"control": 500, "treatment": 500})
    gone = [*range(40), *range(500, 600)]
    rows = pl.DataFrame({"unit": [unit for unit in range(1000) if unit not in gone], "clicks": 1})
    found = check(spec, seen, UnitTable.read(spec, seen, rows))
    one = found["missing_units"]
    assert one["counts"] == {"control": 40, "treatment": 100}
    assert one["shares"] == {"control": 0.08, "treatment": 0.2}
    assert one["p"] == pytest.approx(chi2_contingency([[460, 400], [40, 100]], correction=False)[1])
    assert failed_checks(found) == ["missing_units"]


def test_checks_need_something_to_look_at() -> None:
    with pytest.raises(DataError, match="exposures, a unit table, or both"):
        check(spec_of(), None)
    with pytest.raises(ConfigError, match=r"CheckConfig\.p is 0.9"):
        CheckConfig(p=0.9)
