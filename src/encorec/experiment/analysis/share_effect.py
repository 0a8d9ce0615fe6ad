"""Two shares of units, with exact tests where there are few of a kind."""

from dataclasses import replace

import numpy as np

from encorec.experiment.analysis.adjustment import ArmMean
from encorec.experiment.analysis.classical import Inference, ShareMethod, share_test
from encorec.experiment.analysis.effect import Effect

__all__ = ["Z_TEST", "between_shares", "expected_few", "newcombe"]

_FEW = 5
_BOSCHLOO_UNITS = 1000
Z_TEST = "z, pooled variance in the test"
_METHODS = {
    "norm": Z_TEST,
    "boschloo": "Boschloo's exact test, Newcombe's interval",
    "fisher": "Fisher's exact test, Newcombe's interval",
}


def between_shares(control: ArmMean, treatment: ArmMean) -> Effect:
    """Two shares: z where at least 5 units of each kind are expected in each arm.

    Below that Boschloo's exact test up to 1,000 units in both arms, Fisher's beyond (Boschloo's takes too long there);
    both with the interval of Newcombe, which needs no large numbers, and a standard error that counts one more unit
    with and one without in each arm, so that it is not 0 where nobody has it.

    Args:
        control: mean = share.
        treatment: mean = share.

    Raises:
        MissingExtra: tea-tasting is not installed.

    Example:
        >>> few = between_shares(ArmMean(20, 0.0, 0.0), ArmMean(20, 0.3, 0.0))
        >>> few.method, round(few.p, 3), few.relative is None
        ("Boschloo's exact test, Newcombe's interval", 0.01, True)
    """
    units = control.count, treatment.count
    pooled = (control.mean * units[0] + treatment.mean * units[1]) / sum(units)
    method: ShareMethod = "norm"
    if expected_few(control, treatment):
        method = "boschloo" if sum(units) <= _BOSCHLOO_UNITS else "fisher"
    arms = _with_variance(control), _with_variance(treatment)
    errors = [one.error if method == "norm" else _careful_error(one) for one in arms]
    error = float(np.hypot(errors[0], errors[1]))
    known = Effect(
        *(control.mean, treatment.mean, treatment.mean - control.mean, error, None),
        *(None, None, None, float("inf"), _METHODS[method], (), units),
    )
    if pooled in (0.0, 1.0):
        what = "no unit" if pooled == 0 else "every unit"
        relative = 0.0 if pooled else None
        return replace(known, ci95=newcombe(*arms), p=1.0, relative=relative).noting(f"{what} of either arm has it")
    found = share_test(control, treatment, method=method)
    if method != "norm" or found.low is None or found.high is None:
        return _relative(replace(known, ci95=newcombe(*arms), p=found.p), _katz(*arms))
    return _relative(replace(known, ci95=(found.low, found.high), p=found.p), found)


def expected_few(control: ArmMean, treatment: ArmMean) -> bool:
    """Whether an arm is expected to have fewer than 5 units with, or without: too few for z.

    Args:
        control: mean = share.
        treatment: mean = share.

    Example:
        >>> expected_few(ArmMean(100, 0.05, 0.0), ArmMean(100, 0.04, 0.0))
        True
    """
    counts = control.count, treatment.count
    pooled = (control.mean * counts[0] + treatment.mean * counts[1]) / sum(counts)
    return min(counts) * min(pooled, 1 - pooled) < _FEW


def newcombe(control: ArmMean, treatment: ArmMean, z: float = 1.959963984540054) -> tuple[float, float]:
    """Interval of a difference of shares, from Wilson's intervals of both.

    Args:
        control: mean = share.
        treatment: mean = share.
        z: half-width in standard errors.

    Example:
        >>> low, high = newcombe(ArmMean(80, 48 / 80, 0.0), ArmMean(70, 56 / 70, 0.0))
        >>> round(low, 4), round(high, 4)
        (0.0524, 0.3339)
    """
    (low_1, high_1), (low_2, high_2) = _wilson(control, z), _wilson(treatment, z)
    effect = treatment.mean - control.mean
    down = np.hypot(treatment.mean - low_2, high_1 - control.mean)  # newcombe1998, method 10
    up = np.hypot(high_2 - treatment.mean, control.mean - low_1)
    return float(effect - down), float(effect + up)


def _with_variance(arm: ArmMean) -> ArmMean:
    return ArmMean(arm.count, arm.mean, arm.mean * (1 - arm.mean))


def _careful_error(arm: ArmMean) -> float:
    share = (arm.mean * arm.count + 1) / (arm.count + 2)
    return float(np.sqrt(share * (1 - share) / (arm.count + 2)))  # agresti2000


def _wilson(arm: ArmMean, z: float) -> tuple[float, float]:
    share, count = arm.mean, arm.count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return float(max(centre - half, 0)), float(min(centre + half, 1))


def _katz(control: ArmMean, treatment: ArmMean, z: float = 1.959963984540054) -> Inference:
    """The log interval of the ratio of two shares."""
    if min(control.mean, treatment.mean) == 0:
        return Inference(None, None, None, None, 1.0)
    ratio = treatment.mean / control.mean
    wide = float(np.exp(z * np.hypot(control.error / control.mean, treatment.error / treatment.mean)))  # katz1978
    return Inference(None, None, ratio / wide - 1, ratio * wide - 1, 1.0)


def _relative(known: Effect, found: Inference) -> Effect:
    if not known.control or known.treatment is None:
        return known.noting("no unit of the control has it: there is no relative effect")
    known = replace(known, relative=known.treatment / known.control - 1)
    if not known.treatment or found.relative_low is None or found.relative_high is None:
        return known.noting("no unit of the treatment has it: there is no relative interval")
    return replace(known, relative_ci95=(found.relative_low, found.relative_high))
