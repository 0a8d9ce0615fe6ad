"""Assignment: the published vectors, the same answer one by one, even and independent hashes, strata, hostile units."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare, kstest
from tests.experiment.intake.intake_specs import spec_of

from encorec.errors import ConfigError, DataError
from encorec.experiment.assignment.draw import HOLDOUT_SALT, NO_VARIANT, assign, variant_of
from encorec.experiment.assignment.unit_hash import buckets_of
from encorec.experiment.spec import ExperimentSpec

PUBLISHED = spec_of(salt="2026-11-two-stage", layer="ranking", share=0.5, holdout=0.02)
PAGE = Path(__file__).parents[3] / "docs" / "experiments.md"
VECTOR = re.compile(r"^\| (\S+) \| `([0-9a-f]{16})` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", re.MULTILINE)


def p_of(test: Any) -> float:
    return float(test.pvalue)


def test_the_vectors_of_the_documentation_hold() -> None:
    vectors = VECTOR.findall(PAGE.read_text(encoding="utf-8"))
    names = [None if row[5] == "none" else row[5] for row in vectors]
    found = assign(PUBLISHED, [row[0] for row in vectors])
    assert set(names) == {"control", "treatment", None}
    assert found.names.to_list() == names == [variant_of(PUBLISHED, row[0]) for row in vectors]
    assert [(int(row[1], 16) >> 11) / 2**53 for row in vectors] == found.bucket.tolist()
    assert [float(row[2]) for row in vectors] == found.bucket.tolist()
    assert [float(row[3]) < 0.02 for row in vectors] == found.held_out.tolist()
    # Written down on the day the page was made: whoever changes the hash reshuffles every running experiment.
    assert [row[0] for row in vectors] == ["1", "4", "14", "17", "19", "123456", "Ünit"]
    assert found.bucket[3] == 0.9309897160674605


@pytest.mark.parametrize(
    "spec",
    [
        spec_of(),
        PUBLISHED,
        spec_of(layer_from=0.3, share=0.3, holdout=0.1),
        spec_of(variants={"control": 0.2, "a": 0.3, "b": 0.5}, overrides={"5": "a", "17": "b", "nobody": "a"}),
    ],
)
def test_one_unit_gets_what_it_gets_among_many(spec: ExperimentSpec) -> None:
    many = assign(spec, np.arange(2000))
    assert many.names.to_list() == [variant_of(spec, unit) for unit in range(2000)]
    assert many.counts == {name: many.names.to_list().count(name) for name in spec.variants}
    assert sum(many.counts.values()) + many.outside + int(many.held_out.sum()) == 2000


@pytest.mark.parametrize(
    "units", [[17, 18], ["17", "18"], np.array([17, 18], np.int32), np.array([17.0, 18.0]), pl.Series(["17", "18"])]
)
def test_a_unit_is_the_same_in_any_form(units: Any) -> None:
    assert assign(PUBLISHED, units).bucket.tolist() == [0.9309897160674605, 0.051819080046337285]


def test_buckets_are_spread_evenly() -> None:
    bucket = assign(spec_of(salt="even"), np.arange(200_000)).bucket
    assert chisquare(np.bincount((bucket * 1000).astype(int), minlength=1000)).pvalue > 0.001
    assert p_of(kstest(bucket, "uniform")) > 0.001
    assert 0 <= bucket.min() <= bucket.max() < 1


def test_salts_layers_and_holdout_are_independent() -> None:
    text = pl.Series(np.arange(100_000)).cast(pl.String)
    buckets = buckets_of(["one", "two", HOLDOUT_SALT, "encorec-layer/one"], text)
    tenths = (buckets * 10).astype(int)
    for first in range(4):
        for second in range(first):
            seen = np.bincount(tenths[first] * 10 + tenths[second], minlength=100).reshape(10, 10)
            assert p_of(chi2_contingency(seen)) > 0.001


def test_experiments_of_one_layer_exclude_each_other_and_share_one_holdout() -> None:
    units = np.arange(20_000)
    shares = [(0.0, 0.1), (0.1, 0.2), (0.1 + 0.2, 0.7)]
    found = [
        assign(spec_of(name=f"test {at}", layer="page", layer_from=at, share=share, holdout=0.05), units)
        for at, share in shares
    ]
    taken = np.stack([one.variant != NO_VARIANT for one in found])
    assert (taken.sum(axis=0) + found[0].held_out == 1).all()
    assert all((one.held_out == found[0].held_out).all() for one in found)
    assert taken.mean(axis=1) == pytest.approx([0.095, 0.19, 0.665], abs=0.01)


def test_layers_are_independent() -> None:
    units = np.arange(40_000)
    one, two = (assign(spec_of(name=name, layer=name, share=0.5), units).variant for name in ("page", "mail"))
    seen = np.bincount((one + 1) * 3 + two + 1, minlength=9).reshape(3, 3)
    assert p_of(chi2_contingency(seen)) > 0.001


def test_a_larger_share_keeps_the_variant_of_those_who_are_in() -> None:
    small, large = (assign(spec_of(share=share), np.arange(5000)).variant for share in (0.1, 0.6))
    inside = small != NO_VARIANT
    assert (large[inside] == small[inside]).all()


def test_an_override_goes_before_share_and_holdout() -> None:
    spec = spec_of(share=0.01, holdout=0.5, overrides={"7": "treatment", "8": "control"})
    found = assign(spec, ["7", "8", "9"])
    assert found.names.to_list()[:2] == ["treatment", "control"] == [variant_of(spec, 7), variant_of(spec, "8")]
    assert not found.held_out[:2].any()


def test_shares_that_are_no_binary_fractions_leave_nobody_out() -> None:
    spec = spec_of(variants={"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, control="a")
    assert sum(assign(spec, np.arange(3000)).counts.values()) == 3000


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=60), st.sampled_from([0.5, 0.25, 1 / 3]))
def test_strata_are_dealt_evenly(stratum: list[str], share: float) -> None:
    spec = spec_of(variants={"control": share, "treatment": 1 - share}, strata=("city",))
    units = [f"u{place}" for place in range(len(stratum))]
    found = assign(spec, units, {"city": stratum})
    for city in set(stratum):
        mine = np.array(stratum) == city
        treated = int((found.variant[mine] == 0).sum())
        assert abs(treated - mine.sum() * share) < 1
    order = np.random.default_rng(3).permutation(len(units))
    again = assign(spec, [units[i] for i in order], {"city": [stratum[i] for i in order]})
    assert (again.variant == found.variant[order]).all()


def test_over_salts_a_stratum_of_one_gets_each_variant_by_its_share() -> None:
    specs = [spec_of(salt=f"s{i}", variants={"control": 0.2, "treatment": 0.8}, strata=("city",)) for i in range(400)]
    share = np.mean([assign(one, ["ann"], {"city": ["x"]}).variant[0] == 0 for one in specs])
    assert share == pytest.approx(0.2, abs=0.06)


def test_strata_leave_out_the_holdout_and_the_testers() -> None:
    spec = spec_of(strata=("city",), holdout=0.3, share=0.8, overrides={"u3": "control"})
    units = [f"u{place}" for place in range(1000)]
    found = assign(spec, units, {"city": ["x", None] * 500})
    plain = assign(spec_of(holdout=0.3, share=0.8, overrides={"u3": "control"}), units)
    assert ((found.variant == NO_VARIANT) == (plain.variant == NO_VARIANT)).all()
    others = np.array(units) != "u3"
    for part in (0, 1):
        codes = found.variant[part::2][others[part::2]]
        assert abs(int((codes == 0).sum()) - int((codes == 1).sum())) <= 1


def test_strata_and_specification_must_fit() -> None:
    with pytest.raises(ConfigError, match="is drawn by the strata city, given are none"):
        assign(spec_of(strata=("city",)), ["a"])
    with pytest.raises(ConfigError, match="strata none, given are city"):
        assign(spec_of(), ["a"], {"city": ["x"]})
    with pytest.raises(ConfigError, match="draw all units with assign"):
        variant_of(spec_of(strata=("city",)), "a")
    with pytest.raises(DataError, match="2 of 3 units stand there more than once"):
        assign(spec_of(strata=("city",)), ["a", "b", "a"], {"city": ["x", "x", "x"]})
    with pytest.raises(DataError, match="has 1 values for 2 units"):
        assign(spec_of(strata=("city",)), ["a", "b"], {"city": ["x"]})


@pytest.mark.parametrize(
    ("units", "fault"),
    [
        ([1.5, 2.0], "allowed are integers and text"),
        ([float("nan")], "allowed are integers and text"),
        ([True], "allowed are integers and text"),
        ([1, "a"], "cannot be read"),
        ("abc", "ask variant_of for one unit"),
        (None, "give a list"),
        ([2**130], "cannot be read"),
        (["a", None], "1 of 2 units are missing or empty .first: row 1"),
        (["", "a"], "missing or empty"),
        (["\ud800"], "cannot be read"),
        ([None, 3], "missing or empty"),
    ],
)
def test_units_that_are_none_are_refused(units: Any, fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        assign(spec_of(), units)


@pytest.mark.parametrize("unit", [None, 1.5, "", True, b"a", "\ud800"])
def test_one_unit_that_is_none_is_refused(unit: Any) -> None:
    with pytest.raises(DataError, match=r"allowed are integers and text that is not empty|written as UTF-8"):
        variant_of(spec_of(), unit)


def test_no_units_are_assigned_to_nothing() -> None:
    assert assign(PUBLISHED, []).counts == {"control": 0, "treatment": 0}
    assert assign(spec_of(strata=("city",)), [], {"city": []}).names.to_list() == []


@pytest.mark.parametrize("strata", [(), ("city",)])
def test_hundreds_of_variants_are_dealt_as_any_other(strata: tuple[str, ...]) -> None:
    """Beyond 127 the place of a variant needs more than 8 bits."""
    spec = spec_of(variants={f"v{place}": 1 / 300 for place in range(300)}, strata=strata)
    units = range(6000)
    found = assign(spec, units, {name: ["x", "y"] * 3000 for name in strata})
    assert found.variant.dtype == np.int16
    assert found.names.null_count() == 0
    assert len(set(found.names)) == 300
    if not strata:
        assert found.names.to_list() == [variant_of(spec, unit) for unit in units]
    with pytest.raises(ConfigError, match="1001 given, allowed are 2 to 1,000"):
        spec_of(variants={f"v{place}": 1 / 1001 for place in range(1001)})
