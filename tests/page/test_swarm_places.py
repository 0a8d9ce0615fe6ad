"""Points of a beeswarm: as the shap package sets them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.page.charts import beeswarm
from encorec.page.swarm_places import swarm_places

VALUES = st.lists(st.floats(-3, 3), max_size=60).map(lambda drawn: np.array(drawn, float))


def as_shap(values: np.ndarray, row_height: float) -> np.ndarray:
    """The loop of shap.plots.beeswarm (version 0.46), without its shuffle."""
    quant = np.round(100 * (values - np.min(values)) / (np.max(values) - np.min(values) + 1e-8))
    layer, last_bin, ys = 0, -1, np.zeros(len(values))
    for ind in np.argsort(quant, kind="stable"):
        if quant[ind] != last_bin:
            layer = 0
        ys[ind] = np.ceil(layer / 2) * ((layer % 2) * 2 - 1)
        layer += 1
        last_bin = quant[ind]
    return ys * (0.9 * (row_height / np.max(ys + 1)))


@given(VALUES)
def test_the_shape_is_that_of_shap(values: np.ndarray) -> None:
    told = swarm_places(values, 0.4)
    assert told.shape == values.shape
    assert np.abs(told).max(initial=0) <= 0.36 + 1e-12
    if len(values) and np.abs(told).max() > 0:
        shap = as_shap(values, 0.4)
        np.testing.assert_allclose(told / np.abs(told).max(), shap / np.abs(shap).max(), atol=1e-12)


@given(VALUES)
def test_the_order_of_points_does_not_change_the_outline(values: np.ndarray) -> None:
    other = np.random.default_rng(0).permutation(values)
    assert sorted(swarm_places(values, 1).tolist()) == sorted(swarm_places(other, 1).tolist())


@pytest.mark.parametrize(
    "points",
    [
        {},
        {"none": (np.zeros(0), np.zeros(0))},
        {"unknown": (np.ones(3), np.full(3, np.nan))},
        {"same": (np.zeros(500), np.ones(500)), "$100 & <b>": (np.arange(500.0), np.linspace(0, 1, 500))},
    ],
)
def test_every_swarm_can_be_drawn_and_alike_each_time(points: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    drawn = beeswarm(points, x="SHAP value")
    assert drawn == beeswarm(points, x="SHAP value")
    assert "<b>" not in drawn
    assert len(drawn) < 300_000
