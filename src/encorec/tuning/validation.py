"""The exam before the test: every configuration is trained on what came before it and judged on it."""

import hashlib
import os
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from encorec import __version__
from encorec.data.dataset import Dataset
from encorec.data.fold import Fold
from encorec.data.splits import earlier_folds
from encorec.errors import DataError
from encorec.evaluation.backtest.exams import drawn_users, exams_of
from encorec.evaluation.backtest.judged import judge_system, refuse_unjudgeable
from encorec.pipeline.assembly import assemble
from encorec.pipeline.checkpoints import Checkpoints, fold_digest
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import FoldRows, PipelineConfig, Progress, fit_ranker
from encorec.pipeline.label_folds import fold_rows, refuse_unteachable
from encorec.pipeline.two_stage import usable_cores
from encorec.tuning.fitted_parts import FittedParts
from encorec.types import FloatVector
from encorec.verdict.systems import TWO_STAGE, asked_in_blocks, pipeline_systems
from encorec.workflow import RunConfig

__all__ = ["Validation"]


class Validation:
    """The newest label fold before the (oldest) test, and the label folds before that.

    What a configuration does not change is not done again: retrievers, rows of label folds and the values of users
    are kept in ``folder``.

    Args:
        config: of the run; only its pipeline may differ later.
        data: its data set.
        folder: for what is kept.

    Raises:
        DataError: too few interactions for a validation fold with a label fold before it.
    """

    def __init__(self, config: RunConfig, data: Dataset, folder: Path) -> None:
        refuse_unteachable(config.training, data)
        self._evaluation = msgspec.structs.replace(config.evaluation, metrics=(), curves=1)
        self._seed, self._folder = config.seed, folder
        split, test = next(exams_of(config.split, data, drop_seen=config.drop_seen))
        self._split, self._drop_seen = split, config.drop_seen
        fold = next(earlier_folds(test, split, drop_seen=config.drop_seen), None)
        if fold is None:
            raise DataError(f"split {test.name}: no validation fold fits before the test; use more data")
        refuse_unjudgeable(self._evaluation, fold)
        self._whole = fold
        rng = np.random.default_rng([config.seed, len(fold.past.interactions)])
        self.fold = drawn_users(fold, config.evaluation.max_users, rng)
        self._digest = fold_digest(self.fold)
        self._earlier: list[tuple[Fold, str]] = []
        self._more = earlier_folds(fold, split, drop_seen=config.drop_seen)
        self._parts, self._rows = FittedParts(folder / "fitted"), Checkpoints(folder / "rows")
        if not self._label_folds(1):
            raise DataError(f"split {fold.name}: no label fold fits before the validation fold; use more data")

    def values(self, config: RunConfig, progress: Progress | None = None) -> FloatVector:
        """(n,) the metric of the verdict for every user of the validation fold, under the two-stage of ``config``.

        Args:
            config: a run with the same data, split and evaluation.
            progress: told what is going on.

        Raises:
            DataError: nothing to learn from.
        """
        path = self._folder / "values" / f"{self._key(config.pipeline)}.npy"
        if (kept := _read(path)) is not None and len(kept) == len(self.fold):
            return kept
        found = self._judged(config.pipeline, progress)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with draft.open("wb") as file:
            np.save(file, found, allow_pickle=False)
        os.replace(draft, path)
        return found

    def _judged(self, config: PipelineConfig, progress: Progress | None) -> FloatVector:
        parts = [
            self._label_rows(config, fold, digest, progress, newest=back == 0)
            for back, (fold, digest) in enumerate(self._label_folds(config.training.folds))
        ]
        first = self._parts.first_stage(config, self._whole.past, self._digest, self._seed, progress)
        ranker = fit_ranker(config, parts, first.features.names, self._seed, progress)
        pipeline = assemble(config, first, self._whole.past, self._seed, ranker=ranker, parts=parts)
        if progress:
            progress("judge", 0, 1)
        lists = asked_in_blocks(
            pipeline_systems(pipeline)[TWO_STAGE],
            fold_queries(self.fold, config.seen),
            self._evaluation.k,
            threads=usable_cores(),
        )
        return np.asarray(judge_system(self._evaluation, self.fold, lists).values[self._evaluation.metric], np.float64)

    def _label_rows(
        self, config: PipelineConfig, fold: Fold, digest: str, progress: Progress | None, *, newest: bool
    ) -> FoldRows:
        """Rows of a label fold; the ranker and what follows it do not change them."""
        told = msgspec.to_builtins(config)
        for name in ("ranker", "selection"):
            del told[name]
        key = (msgspec.json.encode(told), digest, str(self._seed), str(newest))

        def make() -> FoldRows:
            first = self._parts.first_stage(config, fold.past, digest, self._seed, progress)
            return fold_rows(config, fold, first, self._seed, progress, newest=newest)

        return self._rows.kept(key, make)

    def _label_folds(self, count: int) -> list[tuple[Fold, str]]:
        """Up to ``count`` label folds before the validation fold, newest first."""
        self._earlier += [(fold, fold_digest(fold)) for fold in islice(self._more, max(count - len(self._earlier), 0))]
        return self._earlier[:count]

    def _key(self, config: PipelineConfig) -> str:
        """Everything that the values depend on."""
        parts = [__version__.encode(), msgspec.json.encode(config), msgspec.json.encode(self._evaluation)]
        parts += [self._digest.encode(), str(self._seed).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _read(path: Path) -> FloatVector | None:
    """The values at ``path``; none where there are none or the file is torn."""
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
