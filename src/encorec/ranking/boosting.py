"""Growing trees and looking into them. The only user of catboost; a service comes here only to explain."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoost, CatBoostError, EFstrType, Pool, sum_models

from encorec.errors import ArtifactError
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["average", "contributions", "export", "grow", "importance"]

Parameters = dict[str, Any]


def grow(
    rows: TrainingSet,
    names: tuple[str, ...],
    parameters: Parameters,
    *,
    watched: TrainingSet | None = None,
    patience: int = 50,
    target: Callable[[TrainingSet], FloatVector] = lambda rows: rows.label,
    weigh: Callable[[TrainingSet], FloatVector | None] = lambda _: None,
    by_query: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """A CatBoost model, as the content of its file.

    Args:
        rows: r rows, sorted by group.
        names: of the features.
        parameters: of CatBoost.
        watched: rows that no tree is grown on; growing ends when their loss no longer falls. None or empty = all grow.
        patience: trees without a fall before growing ends.
        target: what is learnt of rows, (r,).
        weigh: (r,) weights of rows, or none.
        by_query: whether rows count by the mean weight of their query, as losses of orders want it.
        progress: told how many trees are grown, and of how many at most.

    Example:
        >>> rows = TrainingSet(np.eye(4, dtype=np.float32), np.array([1., 0, 0, 1]), np.arange(4) // 2, np.arange(4))
        >>> model = grow(rows, ("a", "b", "c", "d"), {"iterations": 2, "loss_function": "Logloss"})
        >>> len(export(model)["oblivious_trees"])
        2
    """
    model = CatBoost({"verbose": False, "allow_writing_files": False, **parameters})

    def pool(some: TrainingSet) -> Pool:
        weight, values = weigh(some), np.asarray(target(some), np.float64)
        kind = {"group_weight" if by_query else "weight": _of_query(weight, some.group) if by_query else weight}
        given: Parameters = {} if weight is None else kind
        return Pool(some.features, values, group_id=some.group, feature_names=list(names), **given)

    extra: Parameters = {"callbacks": [_Report(progress, parameters["iterations"])]} if progress else {}
    if watched is not None and len(watched):
        extra |= {
            "eval_set": pool(watched),
            "early_stopping_rounds": patience,
            "use_best_model": True,
        }
    model.fit(pool(rows), **extra)
    return _content(model)


def average(models: Sequence[bytes]) -> bytes:
    """One model whose score is the mean of several.

    Example:
        >>> rows = TrainingSet(np.eye(4, dtype=np.float32), np.array([1., 0, 0, 1]), np.arange(4) // 2, np.arange(4))
        >>> settings = {"iterations": 2, "loss_function": "Logloss"}
        >>> models = [grow(rows, ("a", "b", "c", "d"), {**settings, "random_seed": seed}) for seed in (0, 1)]
        >>> len(export(average(models))["oblivious_trees"])
        4
    """
    return (
        models[0]
        if len(models) == 1
        else _content(sum_models(list(map(_open, models)), [1 / len(models)] * len(models)))
    )


def _content(model: Any) -> bytes:
    stamps = model.get_metadata()
    for stamp in ("model_guid", "train_finish_time"):  # so that equal trainings give equal files
        stamps[stamp] = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.cbm")
        model.save_model(str(path))
        return path.read_bytes()


def export(model: bytes) -> dict[str, Any]:
    """The trees of a model file: the parts of CatBoost's JSON that a score depends on.

    Raises:
        ArtifactError: not a CatBoost model.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        _open(model).save_model(str(path), format="json")
        content = json.loads(path.read_text(encoding="utf-8"))
    return {
        "features_info": {
            "float_features": [
                {"flat_feature_index": one["flat_feature_index"]} for one in content["features_info"]["float_features"]
            ]
        },
        "oblivious_trees": [
            {
                "splits": [
                    {"float_feature_index": one["float_feature_index"], "border": one["border"]}
                    for one in tree["splits"]
                ],
                "leaf_values": tree["leaf_values"],
            }
            for tree in content["oblivious_trees"]
        ],
        "scale_and_bias": content["scale_and_bias"],
    }


def importance(model: bytes) -> dict[str, float]:
    """Share of the prediction's change that each feature causes, largest first, summing to 1."""
    opened = _open(model)
    values = np.asarray(opened.get_feature_importance(type=EFstrType.PredictionValuesChange), float)
    shares = dict(zip(opened.feature_names_ or [], (values / max(values.sum(), 1e-12)).tolist(), strict=True))
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def contributions(model: bytes, features: FloatMatrix) -> FloatMatrix:
    """(m, features + 1) float64 SHAP values of (m, features) rows; the last column is the average. lundberg2018."""
    return np.asarray(_open(model).get_feature_importance(Pool(features), type=EFstrType.ShapValues, thread_count=1))


class _Report:
    """Tells how many trees are grown."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress, self._total = progress, total

    def after_iteration(self, info: Any) -> bool:
        self._progress(info.iteration, self._total)
        return True


def _open(model: bytes) -> CatBoost:
    try:
        return CatBoost().load_model(blob=model)
    except CatBoostError as error:
        raise ArtifactError(f"the ranker is not a CatBoost model; train again ({error})") from error


def _of_query(weight: FloatVector | None, group: IntVector) -> FloatVector | None:
    """(r,) mean weight of each row's query."""
    if weight is None:
        return None
    _, own, size = np.unique(group, return_inverse=True, return_counts=True)
    return (np.bincount(own, weight) / size)[own]
