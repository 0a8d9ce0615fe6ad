"""Our walk down LightGBM's trees against LightGBM's own predictions, and against a tree read by hand."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pytest
from tests.contracts.worlds import lessons

from encorec.errors import ArtifactError, QueryError
from encorec.ranking.branching_trees import BranchingTrees
from encorec.ranking.lightgbm_boosting import export, grow
from encorec.types import FloatMatrix, FloatVector

ROWS = lessons(rows=1000, features=6)
ODD = np.array([0, -0.0, 1e-40, -1e-40, 1e-35, -1e-35, 2e-35, np.nan, np.inf, -np.inf, 1, -1], np.float32)
MISSING: dict[str, dict[str, Any]] = {
    "NaN is missing": {},
    "zero is missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
}


def model(**settings: Any) -> str:
    parameters = {"objective": "binary", "min_data_in_leaf": 5, "seed": 3, **settings}
    return grow(ROWS, parameters, target=lambda some: some.label, weigh=lambda _: None, max_trees=60)


def predicted(text: str, features: FloatMatrix) -> FloatVector:
    return np.asarray(lightgbm.Booster(model_str=text).predict(features, raw_score=True))


def questions() -> FloatMatrix:
    """Rows that were learnt from, and rows of all values that are treated in a way of their own."""
    rng = np.random.default_rng(0)
    mixed = np.where(rng.random((3000, 6)) < 0.3, rng.choice(ODD, (3000, 6)), rng.random((3000, 6)))
    return np.concatenate([ROWS.features, mixed.astype(np.float32)])


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("objective", ["binary", "lambdarank", "rank_xendcg"])
def test_scores_are_those_of_lightgbm(objective: str, missing: str) -> None:
    text = model(objective=objective, **MISSING[missing])
    expected = predicted(text, questions())
    assert np.ptp(expected) > 0.1
    assert np.abs(BranchingTrees(export(text)).score(questions()) - expected).max() < 1e-12


def test_a_value_on_a_threshold_falls_where_lightgbm_puts_it() -> None:
    text = model()
    content = export(text)
    limits = np.array([one for tree in content["trees"] for one in tree["threshold"]], np.float32)
    features = np.repeat(limits[:, None], 6, axis=1)
    for moved in (features, np.nextafter(features, np.float32(9)), np.nextafter(features, np.float32(-9))):
        assert np.abs(BranchingTrees(content).score(moved) - predicted(text, moved)).max() < 1e-12


NODES = {"feature": [0, 1], "threshold": [0.5, -1.0], "decision": [8, 10], "left": [-1, -2], "right": [1, -3]}
CONTENT: dict[str, Any] = {
    "width": 2,
    "trees": [
        {**NODES, "value": [1.0, 2.0, 4.0]},
        {"feature": [], "threshold": [], "decision": [], "left": [], "right": [], "value": [100.0]},
    ],
}


def test_a_tree_read_by_hand() -> None:
    """Node 0: at most 0.5 is leaf 1, NaN goes right. Node 1: at most -1 is leaf 2, and so is NaN; else leaf 4."""
    features = np.array([[0.5, 9], [0.6, -1], [0.6, -0.9], [np.nan, np.nan], [np.nan, 0]], np.float32)
    assert BranchingTrees(CONTENT).score(features).tolist() == [101, 102, 104, 102, 104]
    assert len(BranchingTrees(CONTENT)) == 2


def test_blocks_of_rows_join_without_a_seam() -> None:
    features = np.random.default_rng(0).normal(0.5, 1, (600, 2)).astype(np.float32)
    alone = [BranchingTrees(CONTENT).score(features[row : row + 1])[0] for row in range(600)]
    assert BranchingTrees(CONTENT).score(features).tolist() == alone


@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (0, 1), (2,)])
def test_features_of_another_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(QueryError, match=r"the trees were grown on \(rows, 2\)"):
        BranchingTrees(CONTENT).score(np.zeros(shape, np.float32))


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a walk in a circle": lambda tree: tree.update(right=[1, 0]),
    "a child that is itself": lambda tree: tree.update(left=[0, -2]),
    "a child beyond the last": lambda tree: tree.update(right=[2, -3]),
    "a leaf beyond the last": lambda tree: tree.update(left=[-1, -9]),
    "a feature that is not there": lambda tree: tree.update(feature=[0, 2]),
    "a feature below the first": lambda tree: tree.update(feature=[-1, 0]),
    "a question about categories": lambda tree: tree.update(decision=[9, 10]),
    "too few leaves": lambda tree: tree.update(value=[1.0, 2.0]),
    "too few thresholds": lambda tree: tree.update(threshold=[0.5]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_trees_that_would_be_walked_astray_are_refused(damage: str) -> None:
    tree: dict[str, Any] = {**NODES, "value": [1.0, 2.0, 4.0]}
    DAMAGE[damage](tree)
    with pytest.raises(ValueError, match=r"that are not there|not there|one more|parts missing|unknown kind"):
        BranchingTrees({"width": 2, "trees": [tree]})


@pytest.mark.parametrize(
    "text", ["", "tea", "tree\nmax_feature_idx=x\n", "tree\nmax_feature_idx=1\n\nTree=0\nnum_cat=0"]
)
def test_a_text_that_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="not a LightGBM model; train again"):
        export(text)
