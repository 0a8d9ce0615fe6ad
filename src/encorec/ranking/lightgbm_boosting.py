"""Growing trees with LightGBM and looking into them. Its only user; a service comes here only to explain."""

from collections.abc import Callable
from typing import Any

import numpy as np

from encorec.errors import ArtifactError, MissingExtra
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

try:
    import lightgbm
except ImportError as error:
    raise MissingExtra("lightgbm", "boosting") from error

__all__ = ["contributions", "export", "grow", "importance"]

Parameters = dict[str, Any]

STEADY: Parameters = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
"""Sums of the histograms depend on the number of threads, so it is the same on every machine; one thread never waits
for another, which on a busy machine made two of them ten times as slow."""


def grow(
    rows: TrainingSet,
    parameters: Parameters,
    *,
    target: Callable[[TrainingSet], FloatVector],
    weigh: Callable[[TrainingSet], FloatVector | None],
    max_trees: int,
    watched: TrainingSet | None = None,
    patience: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """A LightGBM model, as the text of its file.

    Args:
        rows: r rows, sorted by group.
        parameters: of LightGBM.
        target: what is learnt of rows, (r,).
        weigh: (r,) weights of rows, or none.
        max_trees: upper limit.
        watched: rows that no tree is grown on; growing ends when the metric no longer falls there. None or empty = all
            trees are grown.
        patience: trees without a gain before growing ends.
        progress: told how many trees are grown, and of how many at most.

    Example:
        >>> features, query = np.random.default_rng(0).random((200, 1)).astype(np.float32), np.arange(200) // 10
        >>> rows = TrainingSet(features, (features[:, 0] > 0.5).astype(np.float32), query, query)
        >>> text = grow(
        ...     rows, {"objective": "binary"}, target=lambda one: one.label, weigh=lambda one: None, max_trees=2
        ... )
        >>> len(export(text)["trees"])
        2
    """

    def dataset(some: TrainingSet, like: Any = None) -> Any:
        sizes = np.unique(some.group, return_counts=True)[1]
        return lightgbm.Dataset(
            np.ascontiguousarray(some.features, np.float32),
            target(some),
            weight=weigh(some),
            group=sizes,
            reference=like,
            params=STEADY,
            free_raw_data=True,
        )

    taught = dataset(rows)
    callbacks: list[Any] = [_report(progress, max_trees)] if progress else []
    watching = watched is not None and len(watched) > 0
    if watching:
        callbacks.append(lightgbm.early_stopping(patience, verbose=False))
    booster = lightgbm.train(
        {**STEADY, **parameters},
        taught,
        max_trees,
        valid_sets=[dataset(watched, taught)] if watched is not None and watching else None,
        callbacks=callbacks,
    )
    return booster.model_to_string(num_iteration=booster.best_iteration if watching else -1)


def export(model: str) -> dict[str, Any]:
    """The trees of a model: the parts of its text that a raw score depends on, as ``BranchingTrees`` reads them.

    Raises:
        ArtifactError: not a LightGBM model of numeric features.
    """
    try:
        head, *parts = model.split("\nTree=")
        width = int(_fields(head)["max_feature_idx"]) + 1
        return {"width": width, "trees": [_tree(_fields(part)) for part in parts]}
    except (KeyError, ValueError) as error:
        raise ArtifactError(f"the ranker is not a LightGBM model; train again ({error})") from error


def importance(model: str, names: tuple[str, ...]) -> dict[str, float]:
    """Share of the splits' summed gain that each feature brings, largest first, summing to 1 where there is any."""
    gains = np.asarray(_open(model).feature_importance("gain"), float)
    shares = dict(zip(names, (gains / max(gains.sum(), 1e-300)).tolist(), strict=True))
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def contributions(model: str, features: FloatMatrix) -> FloatMatrix:
    """(m, features + 1) float64 SHAP values of (m, features) rows; the last column is the average. lundberg2018."""
    rows = np.ascontiguousarray(features, np.float32)
    if not len(rows):
        return np.zeros((0, rows.shape[1] + 1))
    return np.asarray(_open(model).predict(rows, pred_contrib=True, num_threads=1), np.float64)


def _open(model: str) -> Any:
    try:
        return lightgbm.Booster(model_str=model)
    except lightgbm.basic.LightGBMError as error:
        raise ArtifactError(f"the ranker is not a LightGBM model; train again ({error})") from error


def _report(progress: Callable[[int, int], None], total: int) -> Callable[[Any], None]:
    """Tells how many trees are grown."""
    return lambda state: progress(state.iteration + 1, total)


def _fields(text: str) -> dict[str, str]:
    """``name=value`` lines, up to the first empty line after them."""
    return dict(line.split("=", 1) for line in text.split("\n\n")[0].splitlines() if "=" in line)


def _tree(fields: dict[str, str]) -> dict[str, Any]:
    if int(fields["num_cat"]):
        raise ValueError("it asks about categories")
    told = {"value": _numbers(fields["leaf_value"], float)}
    nodes = int(fields["num_leaves"]) > 1
    kinds = {
        "feature": ("split_feature", int),
        "threshold": ("threshold", float),
        "decision": ("decision_type", int),
        "left": ("left_child", int),
        "right": ("right_child", int),
    }
    return {name: _numbers(fields[key], kind) if nodes else [] for name, (key, kind) in kinds.items()} | told


def _numbers(text: str, kind: Callable[[str], Any]) -> list[Any]:
    return [kind(one) for one in text.split()]
