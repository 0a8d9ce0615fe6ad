"""Small specifications for the tests of the intake."""

from typing import Any

from encorec.experiment.spec import ExperimentSpec, MetricSpec

__all__ = ["CLICKS", "spec_of"]

CLICKS = MetricSpec(name="clicks", value="clicks", role="primary")


def spec_of(*metrics: MetricSpec, **fields: Any) -> ExperimentSpec:
    """An experiment with two equal arms and the metrics given, the number of clicks where none is."""
    given: dict[str, Any] = {"name": "shelf", "variants": {"control": 0.5, "treatment": 0.5}, **fields}
    return ExperimentSpec(metric=metrics or (CLICKS,), **given)
