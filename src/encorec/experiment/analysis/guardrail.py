"""Non-inferiority: has a guardrail lost more than its margin?"""

from dataclasses import dataclass
from typing import Any, Literal

from encorec.experiment.analysis.effect import Effect
from encorec.experiment.spec import MetricSpec

__all__ = ["Guardrail", "guard"]

State = Literal["holds", "unproven", "violated", "unknown"]


@dataclass(frozen=True)
class Guardrail:
    """What a guardrail says of a variant.

    Args:
        state: ``holds``: the loss is shown to be below the margin, one-sided at alpha; ``violated``: there is a loss,
            one-sided at alpha, and the estimate of it exceeds the margin; ``unproven``: neither; ``unknown``: no error.
        loss: estimate, in units of the metric; negative = a gain.
        worst: one-sided limit of the loss.
        p: of the hypothesis that the loss is the margin or more.
        margin: as registered.

    Example:
        >>> Guardrail("holds", -0.1, 0.05, 0.001, 0.1).as_dict()["state"]
        'holds'
    """

    state: State
    loss: float | None
    worst: float | None
    p: float | None
    margin: float

    def as_dict(self) -> dict[str, Any]:
        """As for JSON."""
        return {name: getattr(self, name) for name in ("state", "loss", "worst", "p", "margin")}


def guard(metric: MetricSpec, found: Effect, alpha: float) -> Guardrail:
    """Hold an effect against the margin of its guardrail.

    Args:
        metric: a guardrail.
        found: effect on it.
        alpha: of the one-sided tests.

    Example:
        >>> from encorec.experiment.analysis.adjustment import ArmMean
        >>> from encorec.experiment.analysis.effect import between
        >>> metric = MetricSpec(name="m", value="m", role="guardrail", margin=0.5)
        >>> found = between(ArmMean(1000, 10.0, 4.0), ArmMean(1000, 10.1, 4.0), "Welch")
        >>> guard(metric, found, 0.05).state, guard(metric, found, 0.05).p < 1e-9
        ('holds', True)
    """
    from scipy.special import ndtr, stdtr

    margin = metric.margin or 0.0
    ends = found.bound(alpha)
    if found.effect is None or found.error is None or ends is None:
        return Guardrail("unknown", None if found.effect is None else _loss(metric, found.effect), None, None, margin)
    loss, error = _loss(metric, found.effect), found.error
    best, worst = sorted(_loss(metric, end) for end in ends)
    if error > 0:
        z = (loss - margin) / error
        p = float(stdtr(found.freedom, z) if found.freedom < float("inf") else ndtr(z))
    else:
        p = float(loss >= margin)
    if worst < margin:
        return Guardrail("holds", loss, worst, p, margin)
    violated = best > 0 and loss > margin
    return Guardrail("violated" if violated else "unproven", loss, worst, p, margin)


def _loss(metric: MetricSpec, effect: float) -> float:
    return -effect if metric.direction == "up" else effect
