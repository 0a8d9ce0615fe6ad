"""A/A: real units split again and again, nothing done to any of them. How often does a test see an effect?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.config import Config, bounded
from encorec.errors import DataError, unknown_name
from encorec.evaluation.frames.inputs import TableLike
from encorec.experiment.analysis.effects import method_of
from encorec.experiment.analysis.outcome import Outcome
from encorec.experiment.analysis.split_metric import NaiveRows, SplitMetric
from encorec.experiment.analysis.views import WARNING, Views, per_view_spec
from encorec.experiment.intake.exposures import open_units
from encorec.experiment.intake.history import History, read_history
from encorec.experiment.intake.metric_columns import MetricColumns
from encorec.experiment.resplits.drawn_arms import draws, split_sums
from encorec.experiment.spec import ExperimentSpec
from encorec.types import FloatMatrix, FloatVector

__all__ = ["AAConfig", "Material", "aa_rates", "aa_test"]

_BINS = 20
_SLACK, _FAR = 0.3, 3.5
_NAIVE = "naive "
_TIME = "timestamp"
_METHOD = (
    "units are dealt into arms by the shares of the specification, each by itself; p of every metric and variant; "
    "the interval of the rate is Wilson's, p of uniformity is that of Kolmogorov and Smirnov"
)
Progress = Callable[[int], None]


class AAConfig(Config):
    """How often units are split.

    Args:
        rounds: that many splits.
        seed: of the splits.

    Raises:
        ConfigError: numbers out of bounds.

    Example:
        >>> AAConfig().rounds
        2000
    """

    rounds: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        bounded(self, rounds=(20, 1_000_000), seed=(0, 2**63 - 1))


@dataclass(frozen=True)
class Material:
    """Units and what they did, from a history.

    Args:
        spec: of the experiment; for views that with ratios.
        columns: (n,) float64 by name.
        views: rows, where units have several.
        per_row: the specification as given, where units have several rows.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric)
        >>> import polars as pl
        >>> found = Material.read(spec, pl.DataFrame({"user_id": [1, 1, 2], "m": [1.0, 2.0, 3.0]}))
        >>> found.columns["m"].tolist(), found.views is None
        ([3.0, 3.0], False)
    """

    spec: ExperimentSpec
    columns: Mapping[str, FloatVector]
    views: Views | None = None
    per_row: ExperimentSpec | None = None

    @classmethod
    def read(cls, spec: ExperimentSpec, given: TableLike) -> "Material":
        """One row per unit; events with a column ``timestamp``, summed; or several rows per unit, taken as views.

        Of events, covariates are sums over the first half of the days, for the units and values of the second half.

        Raises:
            ConfigError: quantiles of views.
            DataError: a table that cannot be read, lacks a column or holds broken numbers.
        """
        wanted = MetricColumns.of(spec.metric)
        opened, unit = open_units(given, "history", spec, (), (*wanted.all, _TIME))
        ids = opened.ids(unit).values
        if _TIME not in opened.sheet and ids.n_unique() < len(ids):
            views = Views.read(spec, given)
            return cls(per_view_spec(spec), views.sums(wanted.covariates), views, spec)
        history = read_history(given, spec)
        _refuse_lacking(history, wanted, opened.sheet.where)
        return cls(spec, history.paired() if wanted.covariates else history.within())


def aa_test(material: Material, config: AAConfig | None = None, *, progress: Progress | None = None) -> dict[str, Any]:
    """False-positive rates of every metric, as for JSON.

    Args:
        material: units and what they did.
        config: rounds and seed.
        progress: called with the number of rounds done.

    Returns:
        ``metrics``: ``name``, ``kind``, ``variant``, ``method``, ``false_positive_rate``, ``ci95``, ``uniform_p``,
        ``histogram`` of p in 20 equal bins, ``ok`` (the rate is within 30 % of alpha, or within 3.5 standard errors);
        ``naive``: the same for rows taken as units; ``ok`` of all but the naive.

    Raises:
        DataError: fewer than four units.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric)
        >>> values = np.random.default_rng(1).exponential(size=500)
        >>> found = aa_test(Material(spec, {"m": values}), AAConfig(rounds=400))
        >>> found["metrics"][0]["ok"], found["naive"]
        (True, None)
    """
    config, spec = config or AAConfig(), material.spec
    right, naive = aa_rates(material, config, progress=progress)
    methods = {one.name: method_of(Outcome.of(one, material.columns)) for one in spec.metric}
    metrics = [_row(spec, pair, p, methods[pair[0]]) for pair, p in right.items()]
    wrong = [_row(spec, pair, p, "rows taken for units") for pair, p in naive.items()]
    return {
        "experiment": spec.name,
        "rounds": config.rounds,
        "seed": config.seed,
        "units": len(next(iter(material.columns.values()))),
        "alpha": spec.analysis.alpha,
        "metrics": metrics,
        "naive": wrong or None,
        "ok": all(one["ok"] for one in metrics),
        "notes": [WARNING] if material.views is not None else [],
        "method": _METHOD,
    }


def aa_rates(
    material: Material, config: AAConfig, *, progress: Progress | None = None
) -> tuple[dict[tuple[str, str], FloatVector], dict[tuple[str, str], FloatVector]]:
    """p of every round by metric and variant, and those of rows taken for units.

    Args:
        material: units and what they did.
        config: rounds and seed.
        progress: called with the number of rounds done.

    Returns:
        (rounds,) float64 each, NaN where a round has no p.

    Raises:
        DataError: fewer than four units.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> metric = (MetricSpec(name="m", value="m", role="primary"),)
        >>> spec = ExperimentSpec(name="x", variants={"a": 0.5, "b": 0.5}, metric=metric)
        >>> right, naive = aa_rates(Material(spec, {"m": np.arange(50.0)}), AAConfig(rounds=30))
        >>> right["m", "b"].shape, naive
        ((30,), {})
    """
    spec, units = material.spec, len(next(iter(material.columns.values())))
    if units < 4:
        raise DataError(f"the history has {units} units; splitting them again and again needs four at least")
    metrics = _split_metrics(material)
    parts: dict[str, list[FloatMatrix]] = {name: [] for name in metrics}
    matrix = np.concatenate([metric.matrix for metric in metrics.values()], axis=1)
    ends = np.cumsum([metric.matrix.shape[1] for metric in metrics.values()])[:-1]
    names, done = list(spec.variants), 0
    for arms in draws(units, list(spec.variants.values()), config.rounds, np.random.default_rng(config.seed)):
        sums = np.split(split_sums(arms, matrix), ends, axis=2)
        for (name, metric), own in zip(metrics.items(), sums, strict=True):
            parts[name].append(metric.p(arms, own, names.index(spec.control_variant)))
        done += len(arms[0])
        if progress is not None:
            progress(done)
    found = {name: np.concatenate(one) for name, one in parts.items()}
    right, naive = (
        {
            (one.name, variant): found[which + one.name][:, names.index(variant)]
            for one in spec.metric
            for variant in spec.treatments
            if which + one.name in found
        }
        for which in ("", _NAIVE)
    )
    return right, naive


def _refuse_lacking(history: History, wanted: MetricColumns, where: str) -> None:
    """Refuse a history without a column that a metric needs, or without a time before which covariates are summed."""
    for name in wanted.all:
        if name not in history.known:
            raise DataError(f"{where}: {unknown_name('column', name, sorted(history.known))}")
    if wanted.covariates and history.days == 1:
        raise DataError(
            f"{where}: covariates ({', '.join(wanted.covariates)}) are sums over days before the values, and these "
            "events lie within one day; give a longer history, or take the covariates out of the specification"
        )


def _split_metrics(material: Material) -> dict[str, SplitMetric | NaiveRows]:
    """Metrics by name, and those of rows taken for units."""
    found: dict[str, SplitMetric | NaiveRows] = {
        one.name: SplitMetric.of(Outcome.of(one, material.columns)) for one in material.spec.metric
    }
    if material.views is not None and material.per_row is not None:
        for one in material.per_row.metric:
            if one.kind in ("mean", "share"):
                found[_NAIVE + one.name] = NaiveRows.of(material.views, one.value or "")
    return found


def _row(spec: ExperimentSpec, pair: tuple[str, str], p: FloatVector, method: str) -> dict[str, Any]:
    """What the p of all rounds say of one metric and variant."""
    from scipy.stats import kstest

    alpha, known = spec.analysis.alpha, p[np.isfinite(p)]
    row: dict[str, Any] = {
        "name": pair[0],
        "kind": next(one.kind for one in spec.metric if one.name == pair[0]),
        "variant": pair[1],
        "method": method,
        "rounds": len(known),
        "false_positive_rate": None,
        "ci95": None,
        "uniform_p": None,
        "histogram": np.histogram(known, _BINS, (0, 1))[0].tolist(),
        "ok": False,
    }
    if not len(known):
        return row
    alarms = int((known < alpha).sum())
    low, high = _wilson(alarms, len(known))
    rate = alarms / len(known)
    row |= {"false_positive_rate": rate, "ci95": [low, high], "uniform_p": float(kstest(known, "uniform").pvalue)}
    chance = _FAR * float(np.sqrt(alpha * (1 - alpha) / len(known)))
    return row | {"ok": abs(rate - alpha) <= max(_SLACK * alpha, chance)}


def _wilson(successes: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * float(np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2))
    return max(centre - half, 0.0), min(centre + half, 1.0)
