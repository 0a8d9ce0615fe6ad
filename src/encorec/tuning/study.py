"""The search: which values are tried next. The only user of optuna.

Every proposal is drawn under a seed of its own: that of the run and the number of trials that are finished. So a study
that was interrupted and goes on tries what it would have tried.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from encorec.errors import ConfigError, MissingExtra
from encorec.pipeline.search_space import Dimension

try:
    import optuna
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    from optuna.trial import TrialState
except ImportError as error:
    raise MissingExtra("optuna", "tune") from error

__all__ = ["Study", "quiet"]

_NAME, _SUBJECT = "encorec", "subject"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Study:
    """Trials in a journal file; the file holds everything, so that a study survives its process.

    Proposals are those of the tree-structured Parzen estimator: bergstra2011, in the form of akiba2019.

    Args:
        path: of the journal.
        space: values by path.
        subject: what is tuned on what; a study goes on with the very same only.
        seed: of the run.

    Raises:
        ConfigError: the file holds something else, or a study of another subject.
    """

    def __init__(self, path: Path, space: Mapping[str, Dimension], subject: str, seed: int) -> None:
        self._seed, self._space = seed, {name: _distribution(one) for name, one in space.items()}
        lock: Any = JournalFileOpenLock(str(path))
        _mend(path)
        try:
            storage = JournalStorage(JournalFileBackend(str(path), lock))
            self._study = optuna.create_study(
                storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True
            )
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another --storage") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: is not a study; choose another --storage or remove it") from error
        known = self._study.user_attrs.get(_SUBJECT)
        if known is None:
            self._study.set_user_attr(_SUBJECT, subject)
        elif known != subject:
            raise ConfigError(
                f"{path}: is the study of another configuration, search space, seed or data set; "
                "choose another --storage or --out, or remove it to begin anew"
            )

    @property
    def finished(self) -> int:
        """Trials that were judged or found impossible."""
        return len(self._study.get_trials(deepcopy=False, states=_FINISHED))

    @property
    def best(self) -> tuple[int, float, dict[str, Any]] | None:
        """Number, value and parameters of the best trial, the first of equal ones; none before there is one."""
        done = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        found = max(done, key=lambda one: (one.value or 0.0, -one.number), default=None)
        return None if found is None else (found.number, float(found.value or 0.0), dict(found.params))

    def add(self, values: Mapping[str, Any], result: float) -> None:
        """Take in what was judged elsewhere, such as the defaults; left out where it lies outside the space."""
        if all(_holds(one, values.get(name)) for name, one in self._space.items()):
            self._study.add_trial(
                optuna.trial.create_trial(params=dict(values), distributions=self._space, value=result)
            )

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Number and values of the next trial."""
        sampler = optuna.samplers.TPESampler(seed=(self._seed * 1_000_003 + self.finished) % 2**32)
        self._study.sampler = sampler
        self._asked = self._study.ask(self._space)
        return self._asked.number, dict(self._asked.params)

    def tell(self, number: int, result: float | None) -> None:
        """The value of a trial; none where its values are impossible together."""
        state = TrialState.PRUNED if result is None else TrialState.COMPLETE
        self._study.tell(number, result, state=state)

    def forget(self, number: int) -> None:
        """A trial that was interrupted; it will be tried again."""
        self._study.tell(number, state=TrialState.FAIL)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna keeps its own reports to itself."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _distribution(one: Dimension) -> BaseDistribution:
    if one.choices:
        return CategoricalDistribution(one.choices)
    if one.low is None or one.high is None:
        raise ConfigError("tune.space: a range needs low and high")
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(float(one.low), float(one.high), log=one.log)


def _holds(one: BaseDistribution, value: Any) -> bool:
    """Whether a setting can be a value of the space."""
    if isinstance(one, CategoricalDistribution):
        return any(value == choice and isinstance(value, type(choice)) for choice in one.choices)
    whole = isinstance(one, IntDistribution)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    return number and one._contains(float(value))


def _mend(path: Path) -> None:
    """A process that was killed while it wrote leaves half a line, behind which nothing could be read."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            if content and not content.startswith(b'{"op_code"'):
                raise ConfigError(f"{path}: is not a study; choose another --storage")
            if not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another --storage") from error
