"""The classical tests, through tea-tasting: the one place that knows it."""

import importlib
import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from encorec.errors import MissingExtra
from encorec.experiment.analysis.adjustment import ArmMean

__all__ = ["Inference", "share_test", "versions", "welch"]

ShareMethod = Literal["norm", "boschloo", "fisher"]

_VALUE = "value"
_FAR = 1e30
_STEEPEST = 600  # the largest exponent; floats end at 709


@dataclass(frozen=True)
class Inference:
    """What a test says.

    Args:
        low: of the interval of the absolute effect; none where the method has no interval.
        high: of the same.
        relative_low: of the interval of treatment / control - 1.
        relative_high: of the same.
        p: two-sided.

    Example:
        >>> Inference(0.1, 0.3, None, None, 0.01).p
        0.01
    """

    low: float | None
    high: float | None
    relative_low: float | None
    relative_high: float | None
    p: float


def welch(control: ArmMean, treatment: ArmMean, *, level: float = 0.95) -> Inference:
    """Two means with variances of their own; the relative interval by the delta method on the log of their ratio.

    Args:
        control: at least two units.
        treatment: at least two units; one of the arms varies.
        level: of the intervals.

    Raises:
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> found = welch(ArmMean(100, 10.0, 4.0), ArmMean(100, 11.0, 4.0))
        >>> round(found.low, 3), round(found.high, 3), round(found.relative_low, 3), round(found.p, 5)
        (0.442, 1.558, 0.043, 0.00051)
    """
    size = max(abs(control.mean), abs(treatment.mean), control.error, treatment.error)
    if size > 0 and not 1 / _FAR < size < _FAR:  # squares of variances would leave the range of floats
        unit = math.ldexp(1.0, math.frexp(size)[1])
        found = welch(_in_units(control, unit), _in_units(treatment, unit), level=level)
        low, high = (None if end is None else end * unit for end in (found.low, found.high))
        return replace(found, low=low, high=high)
    if min(control.mean, treatment.mean) <= 0 or not _tame(control, treatment, level):
        return _welch_absolute(control, treatment, level)
    found = _mean(level).analyze_aggregates(_aggregates(control), _aggregates(treatment))
    return Inference(
        float(found.effect_size_ci_lower),
        float(found.effect_size_ci_upper),
        float(found.rel_effect_size_ci_lower),
        float(found.rel_effect_size_ci_upper),
        float(found.pvalue),
    )


def share_test(control: ArmMean, treatment: ArmMean, *, method: ShareMethod = "norm", level: float = 0.95) -> Inference:
    """Two shares of units.

    Args:
        control: mean = share of successes.
        treatment: as well.
        method: ``norm``: z with the pooled variance for the test and variances of their own for the intervals, without
            a correction for continuity; ``boschloo``, ``fisher``: the exact tests, without intervals.
        level: of the intervals.

    Raises:
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> found = share_test(ArmMean(1000, 0.10, 0.0), ArmMean(1000, 0.13, 0.0))
        >>> round(found.p, 4), round(found.low, 4), round(found.high, 4)
        (0.0355, 0.0021, 0.0579)
    """
    proportion = _part("metrics").Proportion
    settings: dict[str, Any] = {"alternative": "two-sided", "confidence_level": level, "correction": False}
    arms = _aggregates(control), _aggregates(treatment)
    tested = proportion(_VALUE, method=method, equal_var=True, **settings).analyze_aggregates(*arms)
    if method != "norm":
        return Inference(None, None, None, None, min(float(tested.pvalue), 1.0))
    shown = proportion(_VALUE, method=method, equal_var=False, **settings).analyze_aggregates(*arms)
    return Inference(
        float(shown.effect_size_ci_lower),
        float(shown.effect_size_ci_upper),
        float(shown.rel_effect_size_ci_lower),
        float(shown.rel_effect_size_ci_upper),
        float(tested.pvalue),
    )


def versions() -> dict[str, str]:
    """Versions of the packages that an analysis rests on.

    Example:
        >>> list(versions())
        ['encorec', 'tea-tasting', 'numpy', 'scipy']
    """
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in ("encorec", "tea-tasting", "numpy", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"tea_tasting.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtra("tea-tasting", "ab") from error


def _mean(level: float) -> Any:
    settings: dict[str, Any] = {"alternative": "two-sided", "equal_var": False, "use_t": True}
    return _part("metrics").Mean(_VALUE, confidence_level=level, **settings)


def _aggregates(arm: ArmMean) -> Any:
    return _part("aggr").Aggregates(arm.count, {_VALUE: arm.mean}, {_VALUE: arm.variance}, {})


def _tame(control: ArmMean, treatment: ArmMean, level: float) -> bool:
    """Whether the log of the ratio is known to within a few powers of ten, and its interval ends within floats."""
    from scipy.special import stdtrit

    widest = float(stdtrit(min(control.count, treatment.count) - 1, (1 + level) / 2))
    off = math.hypot(control.error / control.mean, treatment.error / treatment.mean)
    return control.error < 100 * control.mean and treatment.error < 100 * treatment.mean and widest * off < _STEEPEST


def _in_units(arm: ArmMean, unit: float) -> ArmMean:
    return ArmMean(arm.count, arm.mean / unit, arm.variance / unit / unit)


def _welch_absolute(control: ArmMean, treatment: ArmMean, level: float) -> Inference:
    """The absolute effect where there is no relative one: moving both arms alike does not change it."""
    moved = 100 * (control.error + treatment.error) + abs(treatment.mean - control.mean)
    moved -= min(control.mean, treatment.mean)
    first = ArmMean(control.count, control.mean + moved, control.variance)
    second = ArmMean(treatment.count, treatment.mean + moved, treatment.variance)
    found = _mean(level).analyze_aggregates(_aggregates(first), _aggregates(second))
    return Inference(
        float(found.effect_size_ci_lower), float(found.effect_size_ci_upper), None, None, float(found.pvalue)
    )
