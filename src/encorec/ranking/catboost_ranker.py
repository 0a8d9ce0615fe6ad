"""Gradient-boosted oblivious trees: the ranker of the second stage. The only user of catboost."""

from pathlib import Path
from typing import Literal, Self

import numpy as np
from catboost import CatBoost, CatBoostError, Pool

from encorec.config import Config, bounded
from encorec.errors import ArtifactError, NotFitted
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

__all__ = ["CatBoostConfig", "CatBoostRanker"]

FILE = "ranker.cbm"


class CatBoostConfig(Config, tag="catboost", tag_field="kind"):
    """How the trees are grown.

    Args:
        loss: Logloss learns each row alone, YetiRank and QuerySoftMax the order within a query.
        max_trees: upper limit; early stopping ends sooner.
        depth: splits from root to leaf.
        learning_rate: share of each tree's step.
        reg: L2 penalty of the leaves.
        patience: trees without gain on held-out users before growing ends.
        holdout: share of the users held out for that.
        borders: values per feature that splits are tried at.
    """

    loss: Literal["Logloss", "YetiRank", "QuerySoftMax"] = "Logloss"
    max_trees: int = 1000
    depth: int = 6
    learning_rate: float = 0.05
    reg: float = 5.0
    patience: int = 50
    holdout: float = 0.2
    borders: int = 128

    def __post_init__(self) -> None:
        bounded(self, max_trees=(1, 100_000), depth=(1, 16), learning_rate=(1e-6, 1), reg=(0, 10**6))
        bounded(self, patience=(1, 100_000), holdout=(0.01, 0.9), borders=(2, 65_535))


class CatBoostRanker:
    """Scores rows of candidate features.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> features = rng.random((200, 2)).astype(np.float32)
        >>> rows = TrainingSet(features, (features[:, 0] > .5).astype(np.float32), np.arange(200) // 10, np.arange(200) // 10)
        >>> ranker = CatBoostRanker(CatBoostConfig(max_trees=20)).fit(rows, ("a", "b"), seed=0)
        >>> bool(ranker.score(np.array([[.9, 0]], np.float32)) > ranker.score(np.array([[.1, 0]], np.float32)))
        True
    """

    def __init__(self, config: CatBoostConfig | None = None, model: CatBoost | None = None) -> None:
        self.config = config or CatBoostConfig()
        self._model = model

    def fit(self, rows: TrainingSet, names: tuple[str, ...], *, seed: int, trees: int | None = None) -> Self:
        """Grow trees; stop when a smooth loss no longer falls on users that none of the trees saw.

        Args:
            rows: r rows, sorted by group.
            names: of the features.
            seed: of the trees and of the division of users.
            trees: grow exactly so many on all rows instead.
        """
        model = CatBoost(self._parameters(seed, trees or self.config.max_trees))
        if trees is not None:
            model.fit(_pool(rows, names))
        else:
            held_out = _held_out_users(rows, self.config.holdout, seed)
            model.fit(
                _pool(rows.take(~held_out), names),
                eval_set=_pool(rows.take(held_out), names) if held_out.any() else None,
                early_stopping_rounds=self.config.patience,
                use_best_model=bool(held_out.any()),
            )
        self._model = model
        return self

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64 raw scores; larger is better."""
        if not len(features):
            return np.empty(0)
        return self._fitted.predict(features, prediction_type="RawFormulaVal", thread_count=1)

    @property
    def trees(self) -> int:
        """Number of trees grown."""
        return int(self._fitted.tree_count_ or 0)

    def importance(self) -> dict[str, float]:
        """Share of the prediction's change that each feature causes, largest first, summing to 1."""
        values = np.asarray(self._fitted.get_feature_importance(), float)
        shares = dict(zip(self._fitted.feature_names_ or [], (values / max(values.sum(), 1e-12)).tolist(), strict=True))
        return dict(sorted(shares.items(), key=lambda one: -one[1]))

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features + 1) SHAP values of each row (lundberg2018); the last column is the average score."""
        return np.asarray(self._fitted.get_feature_importance(Pool(features), type="ShapValues", thread_count=1))

    def save(self, folder: Path) -> None:
        """Write ``ranker.cbm`` into ``folder``."""
        self._fitted.save_model(str(folder / FILE))

    @classmethod
    def load(cls, folder: Path, config: CatBoostConfig) -> Self:
        """Read ``ranker.cbm`` from ``folder``.

        Raises:
            ArtifactError: the file is not a CatBoost model.
        """
        try:
            return cls(config, CatBoost().load_model(str(folder / FILE)))
        except CatBoostError as error:
            raise ArtifactError(f"{folder / FILE}: not a CatBoost model; train again ({error})") from error

    @property
    def _fitted(self) -> CatBoost:
        if self._model is None:
            raise NotFitted("CatBoostRanker")
        return self._model

    def _parameters(self, seed: int, trees: int) -> dict[str, object]:
        config = self.config
        return {
            "loss_function": config.loss,
            "iterations": trees,
            "depth": config.depth,
            "learning_rate": config.learning_rate,
            "l2_leaf_reg": config.reg,
            "border_count": config.borders,
            "random_seed": seed,
            "verbose": False,
            "allow_writing_files": False,
        }


def _pool(rows: TrainingSet, names: tuple[str, ...]) -> Pool:
    return Pool(rows.features, rows.label, group_id=rows.group, feature_names=list(names))


def _held_out_users(rows: TrainingSet, share: float, seed: int) -> np.ndarray:
    """(r,) true for the rows of a random ``share`` of the users."""
    users = np.unique(rows.user)
    chosen = np.random.default_rng(seed).random(len(users)) < share
    return np.isin(rows.user, users[chosen])
