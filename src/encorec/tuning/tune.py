"""``encorec tune``: search settings on the exam before the test, write down the best, say what that is worth."""

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec import __version__
from encorec.config import decode
from encorec.data.dataset import Dataset
from encorec.errors import ConfigError
from encorec.evaluation.uncertainty import Difference, compare, mean_over_users
from encorec.pipeline.artifact_files import write_bytes
from encorec.pipeline.fit import Progress
from encorec.pipeline.search_space import check_space, space_of, value_at, with_values
from encorec.tuning.study import Study, quiet
from encorec.tuning.toml_text import toml_text
from encorec.tuning.validation import Validation
from encorec.types import FloatVector
from encorec.workflow import RunConfig

__all__ = ["Tuned", "tune"]


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Args:
        content: of the best configuration, as a TOML parser would return it; the given one where none was better.
        changes: settings of the best trial by path; empty where the given configuration is the best.
        metric: that was tuned.
        value: of the best, mean over users of the validation fold.
        default: of the given configuration.
        difference: best minus default, paired by user.
        finished: trials of the study, those of earlier calls and the given configuration included.
        interrupted: whether the search was broken off; the study can go on.
        fold: validation fold, by name.
    """

    content: dict[str, Any]
    changes: dict[str, Any]
    metric: str
    value: float
    default: float
    difference: Difference
    finished: int
    interrupted: bool
    fold: str

    @property
    def sentence(self) -> str:
        """What is known now, and what is not."""
        gain = self.difference
        where = f"validation fold {self.fold} with {gain.users:,} users"
        if not self.changes:
            return (
                f"no trial of {self.finished} beat the given configuration: {self.metric} {self.default:.4f} on {where}"
            )
        return (
            f"{self.metric} {self.value:.4f} against {self.default:.4f} of the given configuration, on {where}: "
            f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]. The best of {self.finished} trials was chosen on "
            "these very users, so this flatters it; the test, which no trial has seen, decides"
        )


def tune(
    content: Mapping[str, Any],
    data: Dataset,
    out: str | Path,
    *,
    trials: int = 30,
    seconds: float | None = None,
    storage: str | Path | None = None,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
) -> Tuned:
    """Try configurations on the newest label fold before the test, and write the best to ``out``.

    A call goes on with the study that an earlier one left. Broken off by Ctrl-C (KeyboardInterrupt), it writes the
    best so far and says so in ``interrupted``.

    Args:
        content: of a ``RunConfig``, as ``tomllib`` or ``msgspec.to_builtins`` returns it.
        data: its data set.
        out: TOML file for the best configuration.
        trials: of this call.
        seconds: no trial begins later than that; none = no limit.
        storage: journal of the study; none = ``out`` with ``.study`` added.
        progress: told what is going on.
        told: hears one line per trial.

    Raises:
        ConfigError: a search space that does not fit, or the study of something else.
        DataError: too little data.
    """
    out, started = Path(out), time.monotonic()
    if trials < 1 or (seconds is not None and not seconds > 0):
        raise ConfigError(f"trials is {trials} and seconds is {seconds}; allowed are 1 or more, and above 0")
    config = decode(content, RunConfig)
    space = space_of(config.tune, config)
    check_space(content, config, space, RunConfig)
    validation = Validation(config, data, Path(f"{out}.checkpoints"))
    with ExitStack() as stack:
        stack.enter_context(quiet())
        study = Study(Path(storage or f"{out}.study"), space, _subject(config, data), config.seed)
        search = _Search(content, config, validation, study, progress, told or (lambda _: None))
        interrupted = search.run(list(space), trials, None if seconds is None else started + seconds)
        found = search.found(interrupted)
    write_bytes(out, toml_text(found.content).encode())
    return found


def _subject(config: RunConfig, data: Dataset) -> str:
    """Everything that values of trials depend on."""
    parts = (config.pipeline, config.evaluation, config.split, config.tune)
    told = [
        __version__.encode(),
        *map(msgspec.json.encode, parts),
        data.fingerprint.encode(),
        str(config.seed).encode(),
    ]
    return hashlib.sha256(b"\0".join(told)).hexdigest()


class _Search:
    """Trials one after the other."""

    def __init__(
        self,
        content: Mapping[str, Any],
        config: RunConfig,
        validation: Validation,
        study: Study,
        progress: Progress | None,
        told: Callable[[str], None],
    ) -> None:
        self._content, self._config, self._validation, self._study = content, config, validation, study
        self._progress, self._told = progress, told
        self._default: FloatVector | None = None

    def run(self, paths: list[str], trials: int, end: float | None) -> bool:
        """Try so many configurations, or until ``end``; whether it was broken off."""
        try:
            default = self._defaults()
            if not self._study.finished:
                self._study.add({path: value_at(self._config, path) for path in paths}, mean_over_users(default))
            for _ in range(trials):
                if end is not None and time.monotonic() >= end:
                    break
                self._try()
        except KeyboardInterrupt:
            if self._default is None:
                raise
            return True
        return False

    def found(self, interrupted: bool) -> Tuned:
        """The best trial if it beats the given configuration, else that."""
        default, best = self._defaults(), self._study.best
        changes: dict[str, Any] = {}
        values = default
        if best is not None and best[1] > mean_over_users(default):
            changes = best[2]
            values = self._validation.values(self._changed(changes), self._progress)
        rng = np.random.default_rng([self._config.seed, len(default)])
        difference = compare(values, default, rng=rng, resamples=self._config.evaluation.resamples)
        return Tuned(
            with_values(self._content, self._config, changes),
            changes,
            self._config.evaluation.metric,
            mean_over_users(values),
            mean_over_users(default),
            difference,
            self._study.finished,
            interrupted,
            self._validation.fold.name,
        )

    def _defaults(self) -> FloatVector:
        if self._default is None:
            self._default = self._validation.values(self._config, self._progress)
            self._told(f"as given: {self._config.evaluation.metric} {mean_over_users(self._default):.4f}")
        return self._default

    def _try(self) -> None:
        number, changes = self._study.ask()
        try:
            result = self._result(changes)
        except BaseException:
            self._study.forget(number)
            raise
        self._study.tell(number, result)
        best = self._study.best
        metric = self._config.evaluation.metric
        said = "impossible" if result is None else f"{metric} {result:.4f}"
        so_far = "" if best is None else f" (best so far {best[1]:.4f}, trial {best[0]})"
        values = ", ".join(f"{path} {_short(one)}" for path, one in changes.items())
        self._told(f"trial {number}: {said}{so_far}; {values}")

    def _result(self, changes: Mapping[str, Any]) -> float | None:
        """The metric's mean; none where the values are impossible together."""
        try:
            config = self._changed(changes)
        except ConfigError as error:
            self._told(f"not possible: {error}")
            return None
        return mean_over_users(self._validation.values(config, self._progress))

    def _changed(self, changes: Mapping[str, Any]) -> RunConfig:
        return decode(with_values(self._content, self._config, changes), RunConfig)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
