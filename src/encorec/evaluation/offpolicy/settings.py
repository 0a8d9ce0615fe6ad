"""How a policy is judged off its own log: floors of refusal, hyperparameters, intervals."""

from encorec.config import Config, bounded
from encorec.errors import ConfigError
from encorec.evaluation.offpolicy.intervals import IntervalKind
from encorec.evaluation.offpolicy.reward_model import RewardModelConfig
from encorec.evaluation.offpolicy.tuning import TuningRule

__all__ = ["OffPolicyConfig"]


class OffPolicyConfig(Config):
    """Settings of ``evaluate_policy``.

    Args:
        min_ess: below this effective sample size, in all or at a position, the estimate is refused.
        max_unseen: share of the target's probability that may lie on actions that the log never shows.
        clip: of the weights in ``clipped_ips``; none = chosen by ``tuning``.
        tau: largest weight at which ``switch_dr`` still corrects; none = chosen.
        lam: shrinkage of ``dros``; none = chosen.
        tuning: ``mse``: the least bound of variance plus squared bias; ``slope``: SLOPE.
        interval: ``bca``, ``bootstrap``, ``bootstrap-t`` or ``delta``; see ``intervals``.
        resamples: of the bootstrap.
        reward_model: cross-fitted where the log has no ``q_logged``; none = no model.
        force: show the values of a refused estimate.

    Example:
        >>> OffPolicyConfig(clip=10.0).min_ess
        100.0
    """

    min_ess: float = 100.0
    max_unseen: float = 0.01
    clip: float | None = None
    tau: float | None = None
    lam: float | None = None
    tuning: TuningRule = "mse"
    interval: IntervalKind = "bca"
    resamples: int = 1000
    reward_model: RewardModelConfig | None = None
    force: bool = False

    def __post_init__(self) -> None:
        bounded(self, min_ess=(0, 1e18), max_unseen=(0, 1), resamples=(20, 100_000))
        for name in ("clip", "tau", "lam"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"OffPolicyConfig.{name} is {value}, allowed is above 0, or none to have it chosen")
