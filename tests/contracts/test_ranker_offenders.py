"""An honest ranker in few lines passes; one offender per law is caught, and the error says what it did."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from tests.contracts.worlds import lessons

from encorec.errors import NotFitted
from encorec.ranking.training_set import TrainingSet
from encorec.testing import ContractError, check_ranker
from encorec.types import FloatMatrix, FloatVector


class Linear:
    """The sum of the features, weighted by their place; unknown ones count as 0."""

    def __init__(self, config: Any = None) -> None:
        self.config = config or {}
        self.weight: FloatVector | None = None

    def fit(self, rows: TrainingSet, names: tuple[str, ...], *, seed: int) -> Self:
        self.weight = np.arange(1.0, len(names) + 1)
        return self

    def score(self, features: FloatMatrix) -> FloatVector:
        if self.weight is None:
            raise NotFitted("Linear")
        return np.array(
            [sum((row * self.weight).tolist()) for row in np.nan_to_num(features.astype(np.float64))], float
        )

    def save(self, folder: Path) -> None:
        np.savetxt(folder / "weight.txt", self.weight if self.weight is not None else [])

    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        made = cls(config)
        made.weight = np.loadtxt(folder / "weight.txt")
        return made


class GuessesBeforeFit(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return np.zeros(len(features)) if self.weight is None else super().score(features)


class CrashesBeforeFit(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return features @ self.weight  # pyright: ignore[reportOperatorIssue]


class DrawsElsewhere(Linear):
    def fit(self, rows: TrainingSet, names: tuple[str, ...], *, seed: int) -> Self:
        self.weight = np.random.default_rng().random(len(names))
        return self


class DropsRows(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return super().score(features)[:100]


class SortsItsScores(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return np.sort(super().score(features))


class ComparesWithTheBatch(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        scores = super().score(features)
        return scores - scores.max(initial=0)


class ReadsRawMemory(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return super().score(features.ravel("K").reshape(features.shape))


class SpreadsNaN(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        unknown = np.isnan(features).all(axis=1)
        return np.where(unknown, np.nan, super().score(features))


class NeedsARow(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        scores = super().score(features)
        return scores if len(scores) else np.zeros(1)


class FillsTheFeatures(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        known = super().score(features)
        features[np.isnan(features)] = 0
        return known


class ForgetsWhenSaved(Linear):
    @classmethod
    def load(cls, folder: Path, config: Any) -> Self:
        made = super().load(folder, config)
        made.weight = np.ones(4)
        return made


class CountsInWholes(Linear):
    def score(self, features: FloatMatrix) -> FloatVector:
        return super().score(features).astype(np.int64)  # pyright: ignore[reportReturnType]


OFFENDERS: dict[type[Linear], str] = {
    GuessesBeforeFit: "answers before fit; allowed is NotFitted",
    CrashesBeforeFit: "fails before fit with ValueError",
    DrawsElsewhere: "two fits under one seed score differently",
    DropsRows: r"scores have the shape \(100,\), allowed is \(300,\)",
    SortsItsScores: "the score of a row depends on its place",
    ComparesWithTheBatch: "the score of a row depends on the rows around it",
    ReadsRawMemory: "stored by row or by column",
    SpreadsNaN: "scores hold NaN",
    NeedsARow: r"scores have the shape \(1,\), allowed is \(0,\)",
    FillsTheFeatures: "score changed the features",
    ForgetsWhenSaved: "scores differently after save and load",
    CountsInWholes: "scores are int64",
}


def test_an_honest_ranker_passes() -> None:
    check_ranker(Linear, lessons())


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.__name__)
def test_ranker_is_caught(offender: type[Linear]) -> None:
    with pytest.raises(ContractError, match=OFFENDERS[offender]) as caught:
        check_ranker(offender, lessons())
    assert str(caught.value).startswith(f"{offender.__name__}: ")
