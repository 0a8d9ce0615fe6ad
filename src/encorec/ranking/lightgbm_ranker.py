"""Gradient-boosted trees of LightGBM: rows alone, or the order within a query."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

import msgspec
import numpy as np

from encorec.config import Config, bounded
from encorec.errors import ArtifactError, DataError, NotFitted
from encorec.ranking.branching_trees import BranchingTrees
from encorec.ranking.row_weights import (
    PositiveWeight,
    check_positive_weight,
    given_weights,
    held_out_users,
    positives,
    row_weights,
)
from encorec.ranking.training_set import TrainingSet
from encorec.types import FloatMatrix, FloatVector

__all__ = ["LightGBMConfig", "LightGBMRanker"]

MODEL, TREES = "ranker.txt", "ranker.json"
GRADES = 31  # LightGBM's label_gain ends there
LONGEST = 10_000  # rows of a query that LightGBM can put in order


class LightGBMConfig(Config, tag="lightgbm", tag_field="kind"):
    """How the trees are grown.

    Growing ends by a loss on held-out rows that is as smooth as there is one. ``binary`` has its log loss. The
    objectives of order have none of their own, so they are watched by NDCG without a cut-off, where every place of
    every item taken counts, over all queries held out, and with a long patience: NDCG@10 of a few hundred users leaps
    and stops after 3 to 20 trees.

    Args:
        objective: binary learns each row alone (ke2017); lambdarank (burges2010) and rank_xendcg (bruch2021) the order
            within a query.
        max_trees: upper limit; early stopping ends sooner.
        leaves: of a tree.
        min_rows: in a leaf.
        learning_rate: share of each tree's step.
        reg: L2 penalty of the leaves.
        row_share: of the rows, drawn anew for every tree.
        feature_share: of the features, drawn anew for every tree.
        borders: values per feature that splits are tried at.
        patience: trees without gain on held-out users before growing ends.
        holdout: share of the users held out for that where there is no separate label fold for it.
        positive_weight: of rows that were taken, or ``balanced``; for ``binary`` only.
    """

    objective: Literal["binary", "lambdarank", "rank_xendcg"] = "binary"
    max_trees: int = 1000
    leaves: int = 31
    min_rows: int = 50
    learning_rate: float = 0.05
    reg: float = 5.0
    row_share: float = 1.0
    feature_share: float = 1.0
    borders: int = 255
    patience: int = 100
    holdout: float = 0.2
    positive_weight: PositiveWeight = 1.0

    def __post_init__(self) -> None:
        bounded(self, max_trees=(1, 100_000), leaves=(2, 100_000), min_rows=(1, 10**9), learning_rate=(1e-6, 1))
        bounded(self, reg=(0, 10**6), row_share=(0.01, 1), feature_share=(0.01, 1), borders=(2, 65_535))
        bounded(self, patience=(1, 100_000), holdout=(0.01, 0.9))
        check_positive_weight(self, self.positive_weight, by_row=self.objective == "binary")


class LightGBMRanker:
    """Scores rows of candidate features. LightGBM grows the trees; scoring needs numpy and a compiled loop only.

    Args:
        config: how trees are grown.
        model: text of a LightGBM model.
        content: names of the features and the trees of the same model, ready to score.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> features = rng.random((400, 2)).astype(np.float32)
        >>> query = np.arange(400) // 10
        >>> rows = TrainingSet(features, (features[:, 0] > .5).astype(np.float32), query, query)
        >>> ranker = LightGBMRanker(LightGBMConfig(max_trees=20)).fit(rows, ("a", "b"), seed=0)
        >>> better, worse = ranker.score(np.array([[.9, 0], [.1, 0]], np.float32))
        >>> bool(better > worse)
        True
    """

    def __init__(
        self, config: LightGBMConfig | None = None, model: str | None = None, content: dict[str, Any] | None = None
    ) -> None:
        self.config = config or LightGBMConfig()
        self._model, self._content = model, content
        self._trees = None if content is None else BranchingTrees(content)

    def fit(
        self,
        rows: TrainingSet,
        names: tuple[str, ...],
        *,
        seed: int,
        watched: TrainingSet | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Grow trees; stop when the loss no longer falls on rows that none of the trees saw.

        Args:
            rows: r rows, sorted by group.
            names: of the features.
            seed: of the trees and of the choice of held-out users.
            watched: rows of a later label fold that say when to stop; none = those of some users are held out.
            progress: told how many trees are grown, and of how many at most.

        Raises:
            MissingExtra: LightGBM is not installed.
            DataError: a query of more rows than LightGBM can put in order.
        """
        from encorec.ranking import lightgbm_boosting

        if watched is None:
            held_out = held_out_users(rows, self.config.holdout, seed)
            rows, watched = (rows.take(~held_out), rows.take(held_out)) if held_out.any() else (rows, None)
        by_row = self.config.objective == "binary"
        levels = _grades(rows, watched)
        if not by_row:
            _refuse_long(rows, watched)
        self._model = lightgbm_boosting.grow(
            rows,
            self._parameters(seed, levels),
            target=positives if by_row else lambda some: _coded(some.label, levels),
            weigh=row_weights(rows, self.config.positive_weight) if by_row else given_weights,
            max_trees=self.config.max_trees,
            watched=watched,
            patience=self.config.patience,
            progress=progress,
        )
        self._content = {"names": list(names), **lightgbm_boosting.export(self._model)}
        self._trees = BranchingTrees(self._content)
        return self

    def score(self, features: FloatMatrix) -> FloatVector:
        """(m, features) float32 -> (m,) float64 raw scores; larger is better.

        Raises:
            NotFitted: before ``fit`` or ``load``.
        """
        if self._trees is None:
            raise NotFitted("LightGBMRanker")
        return self._trees.score(features)

    @property
    def trees(self) -> int:
        """Number of trees grown."""
        return 0 if self._trees is None else len(self._trees)

    def importance(self) -> dict[str, float]:
        """Share of the splits' gain that each feature brings, largest first; all 0 where no tree asks anything."""
        from encorec.ranking import lightgbm_boosting

        model, content = self._fitted
        return lightgbm_boosting.importance(model, tuple(content["names"]))

    def contributions(self, features: FloatMatrix) -> FloatMatrix:
        """(m, features) float32 -> (m, features + 1) SHAP values; the last column is the average. lundberg2018."""
        from encorec.ranking import lightgbm_boosting

        return lightgbm_boosting.contributions(self._fitted[0], features)

    def save(self, folder: Path) -> None:
        """Write ``ranker.txt`` (the model) and ``ranker.json`` (its trees) into ``folder``."""
        model, content = self._fitted
        (folder / MODEL).write_text(model, encoding="utf-8", newline="\n")
        (folder / TREES).write_bytes(msgspec.json.encode(content))

    @classmethod
    def load(cls, folder: Path, config: LightGBMConfig) -> Self:
        """Read what ``save`` wrote.

        Raises:
            ArtifactError: a file is missing or is not what ``save`` wrote.
        """
        try:
            content = msgspec.json.decode((folder / TREES).read_bytes(), type=dict[str, Any])
            if len(content["names"]) != content["width"]:
                raise ValueError(f"{len(content['names'])} names of {content['width']} features")
            return cls(config, (folder / MODEL).read_text(encoding="utf-8"), content)
        except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"{folder / TREES}: not the trees of a ranker; train again ({error})") from error

    @property
    def _fitted(self) -> tuple[str, dict[str, Any]]:
        if self._model is None or self._content is None:
            raise NotFitted("LightGBMRanker")
        return self._model, self._content

    def _parameters(self, seed: int, levels: FloatVector) -> dict[str, Any]:
        config = self.config
        order = {"metric": "ndcg", "eval_at": [LONGEST], "label_gain": levels.tolist()}
        return {
            "objective": config.objective,
            "num_leaves": config.leaves,
            "min_data_in_leaf": config.min_rows,
            "learning_rate": config.learning_rate,
            "lambda_l2": config.reg,
            "bagging_fraction": config.row_share,
            "bagging_freq": 1 if config.row_share < 1 else 0,
            "feature_fraction": config.feature_share,
            "max_bin": config.borders,
            "seed": seed % 2**31,
            **({"metric": "binary_logloss"} if config.objective == "binary" else order),
        }


def _grades(rows: TrainingSet, watched: TrainingSet | None) -> FloatVector:
    """(g,) rising gains of the grades that labels have, 0 first; labels of more grades share the nearest quantile."""
    labels = rows.label if watched is None else np.concatenate([rows.label, watched.label])
    found = np.unique(labels[labels > 0].astype(np.float64))
    if len(found) > GRADES - 1:
        found = np.unique(np.quantile(labels[labels > 0], np.linspace(0, 1, GRADES - 1), method="nearest"))
    return np.append(0.0, found.astype(np.float64))


def _coded(labels: FloatVector, levels: FloatVector) -> FloatVector:
    """(r,) number of the highest grade that each label reaches."""
    return np.maximum(np.searchsorted(levels, labels.astype(np.float64), side="right") - 1, 0)


def _refuse_long(*parts: TrainingSet | None) -> None:
    for rows in parts:
        longest = 0 if rows is None else int(np.unique(rows.group, return_counts=True)[1].max(initial=0))
        if longest > LONGEST:
            raise DataError(
                f"a query has {longest:,} rows, LightGBM puts at most {LONGEST:,} in order; "
                'set fewer training.negatives, or objective = "binary"'
            )
