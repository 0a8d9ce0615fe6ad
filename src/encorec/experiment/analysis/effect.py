"""What a variant does to a metric, as far as it can be known."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.classical import Inference, welch

__all__ = ["Effect", "between"]


@dataclass(frozen=True)
class Effect:
    """One variant against the control in one metric. What cannot be said is none, and a note says why.

    Args:
        control: value of the metric there.
        treatment: value of the metric there.
        effect: treatment - control.
        error: standard error of the effect.
        ci95: interval of the effect.
        relative: treatment / control - 1, a share.
        relative_ci95: its interval.
        p: two-sided.
        freedom: degrees of freedom of the error; infinite where it is normal.
        method: of the test, in words.
        theta: coefficients of the covariates.
        units: of control and treatment.
        cap: at which values were capped.
        notes: why something is none, or is to be read with care.

    Example:
        >>> Effect.unknown("t test", (1, 9), "one unit in an arm").notes
        ('one unit in an arm',)
    """

    control: float | None
    treatment: float | None
    effect: float | None
    error: float | None
    ci95: tuple[float, float] | None
    relative: float | None
    relative_ci95: tuple[float, float] | None
    p: float | None
    freedom: float
    method: str
    theta: tuple[float, ...]
    units: tuple[int, int]
    cap: float | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, method: str, units: tuple[int, int], why: str) -> "Effect":
        """Nothing can be said."""
        return cls(None, None, None, None, None, None, None, None, float("inf"), method, (), units, None, (why,))

    def noting(self, *notes: str, **changed: Any) -> "Effect":
        """The same with more notes, maybe with other fields changed."""
        return replace(self, notes=(*self.notes, *notes), **changed)

    def figures(self) -> dict[str, Any]:
        """As for JSON, without the names of the arms."""
        return {
            "control": self.control,
            "treatment": self.treatment,
            "effect": self.effect,
            "se": self.error,
            "ci95": self.ci95,
            "relative": self.relative,
            "relative_ci95": self.relative_ci95,
            "p": self.p,
            "method": self.method,
            "theta": list(self.theta),
            "cap": self.cap,
            "notes": list(self.notes),
        }

    def bound(self, alpha: float) -> tuple[float, float] | None:
        """Ends that the effect passes with the chance ``alpha`` each: one-sided limits, low and high."""
        from scipy.special import ndtri, stdtrit

        if self.effect is None or self.error is None or self.p is None:
            return None
        reach = stdtrit(self.freedom, 1 - alpha) if np.isfinite(self.freedom) else ndtri(1 - alpha)
        return self.effect - float(reach) * self.error, self.effect + float(reach) * self.error


def between(control: ArmMean, treatment: ArmMean, method: str, theta: tuple[float, ...] = ()) -> Effect:
    """Two arms by their values and errors: Welch.

    Args:
        control: value and variance.
        treatment: value and variance.
        method: in words.
        theta: coefficients of the covariates.

    Raises:
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> found = between(ArmMean(100, 10.0, 4.0), ArmMean(100, 11.0, 4.0), "Welch")
        >>> found.effect, round(found.relative, 3), round(found.p, 5)
        (1.0, 0.1, 0.00051)
        >>> between(ArmMean(100, -2.0, 4.0), ArmMean(100, 1.0, 4.0), "Welch").relative is None
        True
    """
    units = control.count, treatment.count
    error = float(np.hypot(control.error, treatment.error))
    known = Effect(
        *(control.mean, treatment.mean, treatment.mean - control.mean, error, None),
        *(None, None, None, float("inf"), method, theta, units),
    )
    if min(units) < 2:
        return known.noting(
            "an arm has one unit: its variance is unknown, so there is no interval and no p", error=None
        )
    if error == 0:
        return _with_relative(
            known.noting("no unit differs from another in either arm: there is no interval and no p", error=None),
            Inference(None, None, None, None, 1.0),
        )
    found = welch(control, treatment)
    ends = (found.low, found.high) if found.low is not None and found.high is not None else None
    known = replace(known, ci95=ends, p=found.p, freedom=_freedom(control, treatment))
    return _with_relative(_careful(known, control), found)


def _with_relative(known: Effect, found: Inference) -> Effect:
    """The relative effect, or why there is none."""
    control, treatment = known.control, known.treatment
    if control is None or treatment is None or control <= 0:
        state = "0" if control == 0 else "negative"
        return known.noting(f"the control's value is {state}: there is no relative effect")
    known = replace(known, relative=treatment / control - 1)
    if found.relative_low is None or found.relative_high is None:
        if known.p is None:
            return known
        return known.noting("the log of treatment / control is not known: there is no relative interval")
    if not np.isfinite([found.relative_low, found.relative_high]).all():
        return known.noting("the relative interval has no end")
    return replace(known, relative_ci95=(found.relative_low, found.relative_high))


def _careful(known: Effect, control: ArmMean) -> Effect:
    if 0 < control.mean < 2 * control.error:
        return known.noting("the control is within two standard errors of 0: read the relative effect with care")
    return known


def _freedom(control: ArmMean, treatment: ArmMean) -> float:
    parts = np.array([control.variance / control.count, treatment.variance / treatment.count])
    counts = np.array([control.count, treatment.count])
    shares = parts / parts.max() / (parts / parts.max()).sum()
    return float(1 / (np.square(shares) / (counts - 1)).sum())  # welch1947
