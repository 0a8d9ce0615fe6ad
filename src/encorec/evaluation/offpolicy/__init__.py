"""What would another policy have earned? Told from the log of the one that was there, or refused."""

from encorec.evaluation.offpolicy.evaluation import Evaluation, evaluate_policy
from encorec.evaluation.offpolicy.impressions import log_of
from encorec.evaluation.offpolicy.open_bandit import OpenBandit, load_open_bandit
from encorec.evaluation.offpolicy.reward_model import RewardModelConfig
from encorec.evaluation.offpolicy.settings import OffPolicyConfig

__all__ = [
    "Evaluation",
    "OffPolicyConfig",
    "OpenBandit",
    "RewardModelConfig",
    "evaluate_policy",
    "load_open_bandit",
    "log_of",
]
