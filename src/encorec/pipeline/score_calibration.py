"""Rows on which a ranker's scores become probabilities: of a label fold that grew no tree, and with known weights.

Training rows will not do: their negatives are drawn, and users who took nothing are left out. These rows keep every
candidate that was taken and draw the others of all users with one known chance; each then stands for as many
candidates as the draw left out (king2001, weighting).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from encorec.protocols import Ranker
from encorec.ranking.calibration import Calibration, CalibrationKind, fit_calibration
from encorec.ranking.training_set import TrainingSet
from encorec.types import BoolVector, FloatMatrix, FloatVector, IntVector

__all__ = ["CalibrationDraw", "CalibrationRows", "calibrate", "calibrate_order", "divided", "held_apart"]

LARGEST, LEAST_TAKEN = 100_000, 50
HELD_APART = 0.2


@dataclass(frozen=True)
class CalibrationRows:
    """Candidates of a label fold.

    Args:
        features: (r, F) float32.
        label: (r,) float32, above 0 = taken.
        weight: (r,) float64, candidates that each row stands for.
        user: (r,) int32 user of each row.
        place: (r,) int64 length of the history of its query, as a place in ``LENGTHS``; none = not wanted.
        order: (r, orders) float32 scores of the sources whose order may be served; none = not wanted.

    Example:
        >>> features, taken = np.zeros((4, 1), np.float32), np.array([0.0, 1.0, 0.0, 0.0])
        >>> rows = CalibrationRows.draw(features, taken, np.zeros(4, int), 0.5, np.random.default_rng(0))
        >>> rows.label.tolist(), rows.weight.tolist()
        ([1.0, 0.0, 0.0], [1.0, 2.0, 2.0])
    """

    features: FloatMatrix
    label: FloatVector
    weight: FloatVector
    user: IntVector
    place: IntVector | None = None
    order: FloatMatrix | None = None

    @classmethod
    def draw(
        cls,
        features: FloatMatrix,
        taken: FloatVector,
        user: IntVector,
        chance: float,
        rng: np.random.Generator,
        orders: tuple[IntVector, FloatMatrix] | None = None,
    ) -> "CalibrationRows":
        """All candidates that were taken, and each other one with the same ``chance``.

        Args:
            features: (m, F) float32 of all candidates.
            taken: (m,) above 0 = taken.
            user: (m,) user of each candidate.
            chance: of being drawn, above 0.
            rng: source of the draw.
            orders: (m,) place and (m, orders) scores of each candidate; none = not wanted.
        """
        kept = (taken > 0) | (rng.random(len(taken)) < chance)
        weight = np.where(taken[kept] > 0, 1.0, 1 / chance)
        drawn = cls(features[kept], taken[kept], weight, user[kept])
        return drawn if orders is None else replace(drawn, place=orders[0][kept], order=orders[1][kept])

    @staticmethod
    def join(parts: Sequence["CalibrationRows"]) -> "CalibrationRows":
        """All parts below each other."""
        names = ("features", "label", "weight", "user", *(("place", "order") if parts[0].order is not None else ()))
        return CalibrationRows(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))

    def take(self, kept: BoolVector) -> "CalibrationRows":
        """The rows where ``kept`` (r,)."""
        place = None if self.place is None else self.place[kept]
        order = None if self.order is None else self.order[kept]
        return CalibrationRows(self.features[kept], self.label[kept], self.weight[kept], self.user[kept], place, order)


class CalibrationDraw:
    """Draws the rows block by block, as far as they are wanted: ``LARGEST`` and those taken at most.

    Args:
        kind: which map; "none" draws nothing.
        queries: of the label fold.
        proposals: candidates per query at most.
        rng: source of the draw; what else is drawn from it stays the same.

    Example:
        >>> draw = CalibrationDraw("platt", 2, 1, np.random.default_rng(0))
        >>> draw.add(np.zeros((2, 1), np.float32), np.array([1.0, 0.0]), np.array([0, 1]))
        >>> len(draw.rows().label)
        2
    """

    def __init__(self, kind: CalibrationKind, queries: int, proposals: int, rng: np.random.Generator) -> None:
        self._wanted, self._rng = kind != "none", rng.spawn(1)[0]
        self._chance = min(1.0, LARGEST / max(queries * proposals, 1))
        self._parts: list[CalibrationRows] = []

    def add(
        self,
        features: FloatMatrix,
        taken: FloatVector,
        user: IntVector,
        orders: tuple[IntVector, FloatMatrix] | None = None,
    ) -> None:
        """All candidates of a block: (m, F) features, (m,) labels and users; ``orders`` as in ``CalibrationRows``."""
        if self._wanted:
            self._parts.append(CalibrationRows.draw(features, taken, user, self._chance, self._rng, orders))

    def rows(self) -> CalibrationRows | None:
        """Everything drawn; none where nothing was wanted."""
        return CalibrationRows.join(self._parts) if self._parts else None


class _Taught(Protocol):
    """A label fold, as calibration sees it."""

    @property
    def calibration(self) -> CalibrationRows | None: ...


def held_apart(user: IntVector, seed: int) -> BoolVector:
    """(r,) true for the rows of a random fifth of the users: where one label fold must both teach and calibrate.

    Args:
        user: (r,) user of each row.
        seed: of the draw, which depends on nothing but each user's number.

    Example:
        >>> apart = held_apart(np.arange(1000), 0)
        >>> bool(150 < apart.sum() < 250)
        True
    """
    users = int(user.max(initial=-1)) + 1
    return np.random.default_rng([seed, 7]).random(users)[user] < HELD_APART


def divided(wanted: bool, rows: TrainingSet, seed: int) -> tuple[TrainingSet, TrainingSet | None]:
    """Rows to learn from, and those of the users ``held_apart`` to watch: where a single label fold must do for both.

    Args:
        wanted: whether something is decided on users whom the ranker has not learnt from; nothing is divided where not.
        rows: of the fold.
        seed: of the training.

    Example:
        >>> user = np.arange(100)
        >>> rows = TrainingSet(np.zeros((100, 1), np.float32), np.ones(100, np.float32), user, user)
        >>> taught, watched = divided(True, rows, 0)
        >>> len(taught) + len(watched), divided(False, rows, 0)[1] is None
        (100, True)
    """
    apart = held_apart(rows.user, seed)
    if not wanted or not 0 < apart.sum() < len(rows):
        return rows, None
    return rows.take(~apart), rows.take(apart)


def calibrate(kind: CalibrationKind, taught: Sequence[_Taught], ranker: Ranker, seed: int) -> Calibration | None:
    """The map from the ranker's scores to probabilities.

    Args:
        kind: which map; "none" gives none.
        taught: label folds that the ranker was fitted on, newest first; of several the newest grew no tree, of a
            single one the users ``held_apart`` did not.
        ranker: fitted.
        seed: of the training.

    Example:
        >>> from encorec.ranking.catboost_ranker import CatBoostRanker
        >>> calibrate("none", [], CatBoostRanker(), 0) is None
        True
    """
    rows = _unseen(kind, taught, seed)
    return None if rows is None else fit_calibration(kind, ranker.score(rows.features), rows.label, rows.weight)


def calibrate_order(
    kind: CalibrationKind, taught: Sequence[_Taught], place: int, column: int, seed: int
) -> Calibration | None:
    """The map from the scores of a source whose order is served to probabilities.

    It is learnt from queries with histories of the length in question, and from all where those took too little.

    Args:
        kind: which map; "none" gives none.
        taught: as for ``calibrate``.
        place: length of the history, as a place in ``LENGTHS``.
        column: of ``CalibrationRows.order``.
        seed: of the training.

    Example:
        >>> calibrate_order("platt", [], 0, 0, 0) is None
        True
    """
    rows = _unseen(kind, taught, seed)
    if rows is None or rows.order is None or not np.isfinite(rows.order[:, column]).any():
        return None
    here, known = rows.place == place, np.isfinite(rows.order[:, column])
    kept = here & known if (rows.label[here & known] > 0).sum() >= LEAST_TAKEN else known
    return fit_calibration(kind, rows.order[kept, column], rows.label[kept], rows.weight[kept])


def _unseen(kind: CalibrationKind, taught: Sequence[_Taught], seed: int) -> CalibrationRows | None:
    """Rows of users whom the ranker has not learnt from."""
    rows = taught[0].calibration if taught else None
    if kind == "none" or rows is None:
        return None
    if len(taught) == 1 and (apart := held_apart(rows.user, seed)).any():
        return rows.take(apart)
    return rows
