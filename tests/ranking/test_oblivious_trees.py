"""Our sums of leaves against CatBoost's own predictions, and against a tree read by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catboost import CatBoost
from tests.contracts.worlds import lessons

from encorec.errors import QueryError
from encorec.ranking.catboost_ranker import CatBoostConfig, CatBoostRanker
from encorec.ranking.oblivious_trees import ObliviousTrees
from encorec.types import FloatMatrix, FloatVector

ROWS = lessons(rows=1000, features=6)
NOTHING = ROWS.take(np.empty(0, np.int64))
LOSSES = ("Logloss", "YetiRank", "QuerySoftMax")
NAMES = tuple("abcdef")

CONTENT: dict[str, Any] = {
    "features_info": {"float_features": [{"flat_feature_index": 0}, {"flat_feature_index": 1}]},
    "oblivious_trees": [
        {
            "splits": [{"float_feature_index": 0, "border": 0.5}, {"float_feature_index": 1, "border": -1.0}],
            "leaf_values": [1.0, 2.0, 4.0, 8.0],
        },
        {"splits": [], "leaf_values": [100.0]},
    ],
    "scale_and_bias": [2.0, [0.25]],
}


def fitted(loss: Any = "Logloss") -> CatBoostRanker:
    return CatBoostRanker(CatBoostConfig(loss=loss, max_trees=60)).fit(ROWS, NAMES, seed=1, watched=NOTHING)


def predicted(ranker: CatBoostRanker, folder: Path, features: FloatMatrix) -> FloatVector:
    ranker.save(folder)
    model = CatBoost().load_model(str(folder / "ranker.cbm"))
    return model.predict(features, prediction_type="RawFormulaVal", thread_count=1)


@pytest.mark.parametrize("loss", LOSSES)
def test_scores_are_those_of_catboost(loss: Any, tmp_path: Path) -> None:
    ranker = fitted(loss)
    expected = predicted(ranker, tmp_path, ROWS.features)
    assert np.ptp(expected) > 0.1
    assert np.abs(ranker.score(ROWS.features) - expected).max() < 1e-12


def test_a_value_on_a_border_falls_where_catboost_puts_it(tmp_path: Path) -> None:
    ranker = fitted()
    borders = CatBoost().load_model(str(saved(ranker, tmp_path))).get_borders()
    rows = [np.full(6, np.float32(value)) for own in borders.values() for value in own]
    features = np.array(rows, np.float32)
    for moved in (features, np.nextafter(features, np.float32(9)), np.nextafter(features, np.float32(-9))):
        assert np.abs(ranker.score(moved) - predicted(ranker, tmp_path, moved)).max() < 1e-12


def saved(ranker: CatBoostRanker, folder: Path) -> Path:
    ranker.save(folder)
    return folder / "ranker.cbm"


def test_a_tree_read_by_hand() -> None:
    """Level 0 asks feature 0 > 0.5 and counts 1, level 1 asks feature 1 > -1 and counts 2; then twice the sum + 1/4."""
    features = np.array([[0.5, -1], [0.6, -1], [0.5, 0], [0.6, 0], [np.nan, 0], [np.nan, np.nan]], np.float32)
    expected = [2 * (100 + leaf) + 0.25 for leaf in (1, 2, 4, 8, 4, 1)]
    assert ObliviousTrees(CONTENT).score(features).tolist() == expected


def test_blocks_of_rows_join_without_a_seam() -> None:
    features = np.random.default_rng(0).normal(0.5, 1, (1000, 2)).astype(np.float32)
    alone = [ObliviousTrees(CONTENT).score(features[row : row + 1])[0] for row in range(1000)]
    assert ObliviousTrees(CONTENT).score(features).tolist() == alone


@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (0, 1), (2,)])
def test_features_of_another_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(QueryError, match=r"the trees were grown on \(rows, 2\)"):
        ObliviousTrees(CONTENT).score(np.zeros(shape, np.float32))


def test_length_is_the_number_of_trees() -> None:
    assert len(ObliviousTrees(CONTENT)) == 2
