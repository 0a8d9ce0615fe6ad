"""The specification of an experiment: one TOML file, written before the data, is its pre-registration."""

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Literal

import msgspec

from encorec.config import Config, bounded, load_toml
from encorec.errors import ConfigError

__all__ = ["AnalysisSpec", "ExperimentSpec", "MetricSpec", "MoneySpec", "load_spec"]

MetricKind = Literal["mean", "share", "ratio", "quantile"]
MetricRole = Literal["primary", "secondary", "guardrail"]
Direction = Literal["up", "down"]
Correction = Literal["holm", "bh", "none"]
SequentialKind = Literal["none", "asymptotic-cs", "obrien-fleming", "pocock"]

_SUM_TOLERANCE = 1e-9
_MOST_VARIANTS = 1_000


def _refuse_repeated(names: Iterable[str], what: str) -> None:
    known: set[str] = set()
    for name in names:
        if name in known or not name:
            raise ConfigError(f"{what} {name!r} is empty or given twice")
        known.add(name)


class MetricSpec(Config):
    """A metric per unit, and what is wanted of it.

    Args:
        name: of the metric.
        kind: ``mean`` of ``value``; ``share`` of units whose ``value`` is 1; ``ratio`` of the sums of ``numerator`` and
            ``denominator`` over units; ``quantile`` of ``value`` over units.
        value: column of a mean, share or quantile.
        numerator: column of a ratio.
        denominator: column of a ratio.
        quantile: which one, for a quantile.
        role: exactly one metric of a spec is ``primary``.
        covariate: columns known before exposure that explain some of the variance (CUPED), one name or several; for a
            ratio they explain its linearised value.
        winsorize: quantile at which values (of a ratio: numerators) are capped. Its tail is that of the period before,
            where a covariate's name begins with that of the value (``minutes_before`` for ``minutes``): the quantile of
            that column, brought to the level of the values by the ratio of the medians above 0, so its unit does not
            matter. Else the quantile of the pooled values. Arms are never looked at.
        margin: of a guardrail: the largest loss, in units of the metric, that is still accepted (non-inferiority).
        direction: which way is better.

    Raises:
        ConfigError: columns that the kind does not use or that are missing, numbers out of bounds.

    Example:
        >>> MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views", role="primary").columns
        ('clicks', 'views')
    """

    name: str
    kind: MetricKind = "mean"
    value: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    quantile: float | None = None
    role: MetricRole = "secondary"
    covariate: str | tuple[str, ...] = ()
    winsorize: float | None = None
    margin: float | None = None
    direction: Direction = "up"

    def __post_init__(self) -> None:
        where = f"metric {self.name!r}"
        wanted = {"numerator", "denominator"} if self.kind == "ratio" else {"value"}
        wanted |= {"quantile"} if self.kind == "quantile" else set()
        for field in ("value", "numerator", "denominator", "quantile"):
            given = getattr(self, field) is not None
            if given != (field in wanted):
                said = f"does not use {field!r}" if given else f"needs {field!r}"
                raise ConfigError(f"{where}: kind {self.kind!r} {said}; it takes {', '.join(sorted(wanted))}")
        for field, low, high in (("quantile", 0, 1), ("winsorize", 0.5, 1)):
            value = getattr(self, field)
            if value is not None and not low < value < high:
                raise ConfigError(f"{where}: {field} is {value}, allowed is above {low} and below {high}")
        if self.role == "guardrail" and self.margin is None:
            raise ConfigError(f"{where}: a guardrail needs a margin, the largest loss that is accepted, 0 or more")
        if self.margin is not None and (self.role != "guardrail" or not 0 <= self.margin < float("inf")):
            raise ConfigError(f"{where}: margin is {self.margin}; guardrails alone have one, 0 or more")
        if self.covariates and self.kind == "quantile":
            raise ConfigError(f"{where}: a quantile takes no covariate")
        if self.winsorize is not None and self.kind in ("share", "quantile"):
            raise ConfigError(f"{where}: a {self.kind} is not winsorised")
        _refuse_repeated(self.covariates, f"{where}: covariate")

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of the covariates."""
        return (self.covariate,) if isinstance(self.covariate, str) else self.covariate

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the values: one, or numerator and denominator."""
        return tuple(one for one in (self.value, self.numerator, self.denominator) if one is not None)


class AnalysisSpec(Config):
    """How the experiment is decided.

    Args:
        alpha: share of false positives accepted.
        correction: over secondary metrics and variants.
        sequential: what may be looked at before the planned end.
        looks: how many planned looks a group-sequential test has.
        planned_units: of all arms at the planned end, for sequential tests, as ``encorec experiment design`` says; none
            = told from the days that have passed, which moves the bounds a little from look to look.
        power: wanted of the design.
        segments: columns of the unit table by which effects are shown.

    Raises:
        ConfigError: numbers out of bounds.

    Example:
        >>> AnalysisSpec().alpha
        0.05
    """

    alpha: float = 0.05
    correction: Correction = "holm"
    sequential: SequentialKind = "none"
    looks: int = 5
    planned_units: int | None = None
    power: float = 0.8
    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bounded(self, alpha=(1e-6, 0.5), looks=(1, 1000), planned_units=(2, 1e12), power=(0.01, 0.9999))
        _refuse_repeated(self.segments, "analysis: segment")


class MoneySpec(Config):
    """What an effect is worth.

    Args:
        metric: whose effect is paid for.
        value_per_unit: margin per unit of the metric, in money.
        population: units per period that would get the change.
        cost: of running it, per period.
        horizon_periods: over how many periods it is counted.
        decay: share of the effect that is left in the next period.

    Raises:
        ConfigError: numbers out of bounds.

    Example:
        >>> MoneySpec(metric="revenue", value_per_unit=0.35, population=1_000_000).cost
        0.0
    """

    metric: str
    value_per_unit: float
    population: float
    cost: float = 0.0
    horizon_periods: int = 1
    decay: float = 1.0

    def __post_init__(self) -> None:
        bounded(self, population=(1, 1e12), cost=(0, 1e15), horizon_periods=(1, 10_000), decay=(0, 1))
        bounded(self, value_per_unit=(-1e12, 1e12))


class ExperimentSpec(Config, dict=True):
    """An experiment, as it was registered.

    Args:
        name: of the experiment.
        unit: column that is randomised and analysed.
        variants: share of every variant in the experiment's traffic; they add up to 1.
        metric: what is measured.
        control: the variant that others are held against; none = ``control`` where there is one, else the first.
        salt: of the assignment; none = the name.
        layer: experiments of one layer exclude each other, layers are independent.
        share: of the layer's traffic.
        layer_from: where in the layer's traffic the experiment begins, from 0.
        holdout: share of all units that no experiment ever touches.
        start: first day, as 2026-12-01.
        days: planned length.
        overrides: variant of single units, for testers; these are left out of every check and every effect.
        strata: columns of the units by which small populations are drawn evenly.
        analysis: how it is decided.
        money: what the effect is worth; none = no money line.

    Raises:
        ConfigError: shares that do not add up, not exactly one primary metric, a variant, metric or date that is none.

    Example:
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "treatment": 0.5}, metric=(clicks,))
        >>> spec.control_variant, spec.primary.name, spec.salt_text
        ('control', 'clicks', 'shelf')
    """

    name: str
    variants: dict[str, float]
    metric: tuple[MetricSpec, ...]
    unit: str = "user_id"
    control: str | None = None
    salt: str | None = None
    layer: str = "default"
    share: float = 1.0
    layer_from: float = 0.0
    holdout: float = 0.0
    start: date | None = None
    days: int | None = None
    overrides: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    strata: tuple[str, ...] = ()
    analysis: AnalysisSpec = AnalysisSpec()
    money: MoneySpec | None = None

    def __post_init__(self) -> None:
        bounded(self, share=(0, 1), layer_from=(0, 1), holdout=(0, 0.99), days=(1, 3660))
        if self.share <= 0 or self.layer_from + self.share > 1 + _SUM_TOLERANCE:
            raise ConfigError(
                f"share {self.share} from {self.layer_from} does not lie in the layer's traffic, 0 to 1, or is empty"
            )
        self._check_variants()
        self._check_metrics()

    def _check_variants(self) -> None:
        if not 2 <= len(self.variants) <= _MOST_VARIANTS:
            raise ConfigError(f"variants: {len(self.variants)} given, allowed are 2 to {_MOST_VARIANTS:,}")
        for name, share in self.variants.items():
            if not 0 < share < 1 or not name:
                raise ConfigError(f"variants: {name!r} has the share {share}, allowed is above 0 and below 1")
        total = sum(self.variants.values())
        if abs(total - 1) > _SUM_TOLERANCE:
            raise ConfigError(f"variants: shares add up to {total:g}, they must add up to 1")
        named = [*self.overrides.values(), *([] if self.control is None else [self.control])]
        for name in named:
            if name not in self.variants:
                raise ConfigError(f"{name!r} is not a variant; variants are {', '.join(self.variants)}")

    def _check_metrics(self) -> None:
        names = [one.name for one in self.metric]
        _refuse_repeated(names, "metric")
        primary = [one.name for one in self.metric if one.role == "primary"]
        if len(primary) != 1:
            raise ConfigError(f"exactly one metric must be primary, here {', '.join(primary) or 'none'} is")
        if self.money is not None and self.money.metric not in names:
            raise ConfigError(f"money.metric is {self.money.metric!r}; metrics are {', '.join(names)}")

    @property
    def control_variant(self) -> str:
        """The variant that the others are held against."""
        if self.control is not None:
            return self.control
        return "control" if "control" in self.variants else next(iter(self.variants))

    @property
    def treatments(self) -> tuple[str, ...]:
        """The variants that are held against the control."""
        return tuple(name for name in self.variants if name != self.control_variant)

    @cached_property
    def variant_ends(self) -> tuple[float, ...]:
        """Where each variant ends in [0, 1), to 12 places; the last one ends at 1, whatever the shares' sum is."""
        return tuple(round(end, 12) for end in accumulate(self.variants.values()))

    @cached_property
    def layer_ends(self) -> tuple[float, float]:
        """Where the experiment begins and ends in its layer; 0.1 + 0.2 is 0.3 there, or neighbours would overlap."""
        return round(self.layer_from, 12), round(self.layer_from + self.share, 12)

    @property
    def code_type(self) -> Literal["int8", "int16"]:
        """Name of the integers that hold the place of a variant, and -1."""
        return "int8" if len(self.variants) < 128 else "int16"

    @property
    def primary(self) -> MetricSpec:
        """The metric that decides."""
        return next(one for one in self.metric if one.role == "primary")

    @property
    def salt_text(self) -> str:
        """What the assignment is salted with."""
        return self.name if self.salt is None else self.salt


def load_spec(path: str | Path) -> ExperimentSpec:
    """The experiment of a TOML file.

    Raises:
        ConfigError: no such file, not TOML, or an experiment that cannot be run; names the path of the fault.
    """
    return load_toml(path, ExperimentSpec)
