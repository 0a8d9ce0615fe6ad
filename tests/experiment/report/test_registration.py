"""The specification as text reads back as itself, whatever its names are."""

import datetime
import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.report.analysed import hostile_spec

from encorec.config import decode
from encorec.experiment.report.registration import fingerprint, spec_text
from encorec.experiment.simulation.example import shipped_spec
from encorec.experiment.spec import AnalysisSpec, ExperimentSpec, MetricSpec, MoneySpec, load_spec

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def read_back(spec: ExperimentSpec) -> ExperimentSpec:
    return decode(tomllib.loads(spec_text(spec)), ExperimentSpec)


@given(NAMES, st.lists(NAMES, min_size=2, max_size=3, unique=True), st.floats(0, 1), st.booleans())
def test_any_specification_reads_back(name: str, arms: list[str], decay: float, paid: bool) -> None:
    metric = MetricSpec(name=name, value=name, role="primary", covariate=(name,), winsorize=0.99)
    money = MoneySpec(metric=name, value_per_unit=-0.1, population=1e6, decay=decay) if paid else None
    spec = ExperimentSpec(
        name=name,
        variants=dict(zip(arms, [1 - 0.25 * (len(arms) - 1), *[0.25] * (len(arms) - 1)], strict=True)),
        metric=(metric, MetricSpec(name=name + "2", kind="ratio", numerator="a", denominator="b")),
        start=datetime.date(2026, 11, 2),
        overrides={name: arms[0]},
        strata=(name,),
        analysis=AnalysisSpec(alpha=0.01, segments=(name,)),
        money=money,
    )
    assert read_back(spec) == spec


def test_the_shipped_and_a_hostile_specification_read_back() -> None:
    for spec in (load_spec(shipped_spec()), hostile_spec()):
        assert read_back(spec) == spec


@pytest.mark.parametrize("field", ["salt", "share", "days", "holdout"])
def test_every_change_changes_the_fingerprint(field: str) -> None:
    spec = hostile_spec()
    changed = msgspec.structs.replace(spec, **{field: {"salt": "x", "share": 0.5, "days": 7, "holdout": 0.1}[field]})
    assert fingerprint(changed) != fingerprint(spec) == fingerprint(hostile_spec())
