"""Generated data for a first experiment: a small online cinema whose true effect is known, for docs and tests."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from encorec.config import Config, bounded
from encorec.errors import ConfigError, DataError
from encorec.experiment.assignment.draw import assign
from encorec.experiment.spec import ExperimentSpec, load_spec
from encorec.types import BoolVector, FloatVector, IntVector

__all__ = ["ExampleConfig", "shipped_spec", "write_example"]

_DAY = 86_400
_DEVICES = ("phone", "tablet", "tv")


class ExampleConfig(Config):
    """The small cinema.

    Args:
        users: that there are.
        effect: what the treatment adds to the minutes watched and to revenue, a share.
        clicks_effect: what it adds to the chance of a click, a share.
        days_before: of history before the experiment, in days.
        seed: of everything that is drawn.

    Raises:
        ConfigError: numbers out of bounds.

    Example:
        >>> ExampleConfig(effect=0.0).users
        8000
    """

    users: int = 8000
    effect: float = 0.1
    clicks_effect: float = 0.03
    days_before: int = 28
    seed: int = 0

    def __post_init__(self) -> None:
        bounded(self, users=(100, 10_000_000), effect=(-0.9, 10), clicks_effect=(-0.9, 2), days_before=(1, 365))
        bounded(self, seed=(0, 2**63 - 1))


def shipped_spec() -> Path:
    """The commented specification that comes with the package.

    Raises:
        ConfigError: the package was installed without it.

    Example:
        >>> load_spec(shipped_spec()).primary.name
        'watch_time_per_user'
    """
    package = Path(__file__).parents[2]
    for folder in (package / "configs", package.parents[1] / "configs"):
        if (found := folder / "experiment.toml").is_file():
            return found
    raise ConfigError("configs/experiment.toml is not installed; install encorec again")


def write_example(folder: str | Path, config: ExampleConfig | None = None) -> dict[str, Path]:
    """Write the specification, its units, their past, the exposures and the events of the experiment.

    Args:
        folder: made where it is missing; older files of these names are replaced.
        config: of the data.

    Returns:
        spec, units, history, exposures and metrics -> file.

    Raises:
        DataError: the folder cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> files = write_example(mkdtemp(), ExampleConfig(users=300))
        >>> [one.name for one in files.values()]
        ['experiment.toml', 'units.csv', 'history.csv', 'exposures.csv', 'metrics.csv']
    """
    chosen, target = config or ExampleConfig(), Path(folder)
    spec = load_spec(shipped_spec())
    units, exposures, events = _tables(spec, chosen)
    tables = {
        "units": units,
        "history": events.filter(pl.col("timestamp") < _start(spec)),
        "exposures": exposures,
        "metrics": events,
    }
    files = {"spec": target / "experiment.toml"} | {name: target / f"{name}.csv" for name in tables}
    try:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped_spec(), files["spec"])
        for name, table in tables.items():
            table.write_csv(files[name])
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror}); choose another folder") from error
    return files


def _tables(spec: ExperimentSpec, config: ExampleConfig) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Units, exposures (the first event in the planned days, if assigned), and events in the order of time."""
    rng = np.random.default_rng(config.seed)
    user = np.arange(1, config.users + 1)
    device = pl.Series("device", rng.choice(_DEVICES, config.users, p=(0.6, 0.1, 0.3)))
    code = assign(spec, user).variant
    row, second = _visits(spec, config, rng)
    treated = (code[row] == list(spec.variants).index(spec.treatments[0])) & (second >= _start(spec))
    events = _events(row, second >= _start(spec), treated, config, rng)
    table = pl.DataFrame({spec.unit: user[row], "timestamp": second, **events})
    inside = (code[row] >= 0) & (second >= _start(spec))
    named = np.array(tuple(spec.variants))[np.maximum(code[row], 0)]
    columns = {spec.unit: user[row], "variant": named, "first_exposed_at": second, "device": device[row]}
    seen = pl.DataFrame(columns).filter(pl.Series(inside))
    first = seen.unique(spec.unit, keep="first", maintain_order=True)
    units = pl.DataFrame({spec.unit: user, "device": device})
    return units, first, table


def _visits(spec: ExperimentSpec, config: ExampleConfig, rng: np.random.Generator) -> tuple[IntVector, IntVector]:
    """(m,) rows of users and (m,) int64 seconds of their visits, at most one a day, ordered by time."""
    days = config.days_before + (spec.days or 14)
    often = rng.beta(3, 8, config.users)
    row, day = np.nonzero(rng.random((config.users, days)) < often[:, None])
    second = _start(spec) + (day - config.days_before) * _DAY + rng.integers(0, _DAY, len(row))
    order = np.argsort(second, kind="stable")
    return row[order], second[order]


def _events(
    row: IntVector, during: BoolVector, treated: BoolVector, config: ExampleConfig, rng: np.random.Generator
) -> dict[str, FloatVector | IntVector]:
    """What happened on each visit; a user's taste stays the same, so that the past explains part of the present."""
    taste, curious = rng.lognormal(0, 0.5, config.users), rng.beta(4, 36, config.users)
    minutes = rng.lognormal(3.3, 0.8, len(row)) * taste[row] * (1 + config.effect * treated)
    shown = 1 + rng.poisson(11, len(row))
    chance = np.minimum(curious[row] * (1 + config.clicks_effect * treated), 1)
    period = 2 * row + during
    last = np.zeros(len(row), bool)
    last[len(row) - 1 - np.unique(period[::-1], return_index=True)[1]] = True
    return {
        "watch_minutes": minutes.round(2),
        "impressions": shown,
        "clicks": rng.binomial(shown, chance),
        "revenue": (minutes * rng.gamma(2.0, 0.02, len(row))).round(3),
        "cancelled": (last & (rng.random(len(row)) < 0.04)).astype(np.int64),
    }


def _start(spec: ExperimentSpec) -> int:
    """Second since 1970 at which the experiment begins."""
    if spec.start is None:
        raise ConfigError('the specification has no start; write start = "2026-11-02", for example')
    return int(datetime.combine(spec.start, datetime.min.time(), UTC).timestamp())
