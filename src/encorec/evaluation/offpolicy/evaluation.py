"""What would another policy have earned? ``evaluate_policy("log.csv", "policy.csv")``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.evaluation.frames.inputs import TableLike
from encorec.evaluation.offpolicy import estimators as rowwise
from encorec.evaluation.offpolicy import slates
from encorec.evaluation.offpolicy.diagnostics import Diagnostics, effective_size
from encorec.evaluation.offpolicy.intervals import intervals
from encorec.evaluation.offpolicy.log_table import LogTable, read_log
from encorec.evaluation.offpolicy.policy_table import TargetPolicy, read_policy, recovered_policy
from encorec.evaluation.offpolicy.rows import ModelValues, SlateGrid, model_values, slate_grid
from encorec.evaluation.offpolicy.settings import OffPolicyConfig
from encorec.evaluation.offpolicy.terms import Terms, Totals
from encorec.evaluation.offpolicy.tuning import tuned
from encorec.types import FloatVector

__all__ = ["Evaluation", "evaluate_policy"]

_DEFAULT = OffPolicyConfig()


@dataclass(frozen=True)
class Evaluation:
    """What the log tells of the target policy.

    Args:
        estimators: name -> ``value``, ``ci95``, ``relative`` (times what the log earned), ``per`` (``row`` or
            ``slate``), the hyperparameter if there is one, and ``refused`` where it is refused for itself.
        logged_value: mean reward of a row of the log.
        logged_slate_value: mean reward of a slate, where there are slates.
        diagnostics: of the weights.
        refused: why nothing is said, or none.
        warnings: what to know beside the estimates.

    Example:
        >>> import polars as pl
        >>> rows = pl.DataFrame({"action": ["a", "b"], "reward": [1, 0], "propensity": [0.5, 0.5]})
        >>> found = evaluate_policy(rows, pl.DataFrame({"action": ["a", "b"], "probability": [0.9, 0.1]}))
        >>> found.refused
        'the effective sample size (ESS) is 1.2 of 2 rows, below 100: ...'
    """

    estimators: dict[str, dict[str, Any]]
    logged_value: float
    logged_slate_value: float | None
    diagnostics: Diagnostics
    refused: str | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        slate = {} if self.logged_slate_value is None else {"logged_slate_value": self.logged_slate_value}
        return {
            "estimators": self.estimators,
            "logged_value": self.logged_value,
            **slate,
            "diagnostics": self.diagnostics.as_dict(),
            "refused": self.refused,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class _Estimate:
    """One estimator before its interval is known."""

    totals: Totals
    per: str = "row"
    hyper: dict[str, float] | None = None
    refused: str | None = None


def evaluate_policy(
    log: TableLike,
    policy: TableLike | None = None,
    *,
    config: OffPolicyConfig = _DEFAULT,
    context: Sequence[str] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Estimate what a policy would have earned, from the log of another one, or refuse to.

    Args:
        log: path or frame with ``action``, ``reward``, ``propensity``; see ``read_log``.
        policy: path or frame, see ``read_policy``; none = the column ``target_probability`` of the log.
        config: floors, hyperparameters, intervals, reward model.
        context: columns of the log that tell contexts apart; none = all that have no other meaning.
        seed: of folds and resamples.

    Raises:
        DataError: a table that cannot be right, or no target policy, or two.

    Example:
        >>> import polars as pl
        >>> rows = {"action": ["a", "b"] * 400, "reward": [1, 0] * 400, "propensity": [0.5] * 800}
        >>> target = pl.DataFrame({"action": ["a", "b"], "probability": [0.75, 0.25]})
        >>> found = evaluate_policy(pl.DataFrame(rows), target)
        >>> found.estimators["ips"]["value"], found.estimators["ips"]["relative"], found.diagnostics.ess
        (0.75, 1.5, 640.0)
    """
    table = read_log(log, context)
    target = _target(table, policy)
    weight = _weights(table, target)
    rng = np.random.default_rng(seed)
    unseen = None if target is None else target.unseen
    diagnostics = Diagnostics.of(weight, table.reward, table.position, unseen)
    refused = diagnostics.refusal(config.min_ess, config.max_unseen)
    if refused and target is not None and target.complaint and target.unseen > config.max_unseen:
        refused = f"{refused}; {target.complaint}"
    grid = slate_grid(table)
    warned = diagnostics.warnings()
    found = _estimates(table, target, weight, grid, config, rng, warned)
    logged = float(table.reward.mean())
    slate_value = None if grid is None else float(table.reward.sum() / grid.shape[0])
    hidden = refused is not None and not config.force
    told = _told(found, logged, slate_value, hidden, config, rng)
    return Evaluation(told, logged, slate_value, diagnostics, refused, tuple(warned))


def _target(log: LogTable, policy: TableLike | None) -> TargetPolicy | None:
    """The whole target policy; none if it is known of the logged actions only."""
    if policy is None:
        if log.target is None:
            raise DataError(
                f"{log.where}: no target policy: give a policy (action, probability), or the column "
                "'target_probability' with the target's probability of the logged action"
            )
        return recovered_policy(log)
    if log.target is not None:
        raise DataError(f"{log.where}: column 'target_probability' and a policy are given; drop one of them")
    return read_policy(policy, log)


def _weights(log: LogTable, target: TargetPolicy | None) -> FloatVector:
    logged = log.target if log.target is not None or target is None else target.logged
    return np.zeros(len(log)) if logged is None else logged / log.propensity


def _estimates(
    log: LogTable,
    target: TargetPolicy | None,
    weight: FloatVector,
    grid: SlateGrid | None,
    config: OffPolicyConfig,
    rng: np.random.Generator,
    warned: list[str],
) -> dict[str, _Estimate]:
    """Every estimator that the log allows."""
    reward, cluster = log.reward, log.cluster
    found = {
        "ips": _Estimate(rowwise.ips(weight, reward).totals(cluster)),
        "clipped_ips": _chosen(log, weight, config, "clip", lambda clip: rowwise.clipped_ips(weight, reward, clip)),
        "snips": _Estimate(rowwise.snips(weight, reward).totals(cluster)),
    }
    model = _model(log, target, config, rng, warned)
    if model is not None:
        found |= _with_model(log, weight, model, config)
    if config.reward_model is not None and log.q is None:
        squared = weight * (1 - log.propensity) / log.propensity  # farajtabar2018
        robust = model_values(config.reward_model, log, target, rng, weight=squared)
        found["mrdr"] = _Estimate(rowwise.doubly_robust(weight, reward, robust.q, robust.v).totals(cluster))
    if grid is not None:
        found |= _of_slates(log, target, weight, grid, config, rng, warned)
    return found


def _model(
    log: LogTable, target: TargetPolicy | None, config: OffPolicyConfig, rng: np.random.Generator, warned: list[str]
) -> ModelValues | None:
    if log.q is not None and log.v is not None:
        return ModelValues(log.q, log.v)
    if config.reward_model is None:
        return None
    if target is None:
        warned.append(
            "the target is known of the logged actions only, so the reward model tells contexts apart but not actions: "
            "it corrects, and there is no direct method; give a policy to have one"
        )
    return model_values(config.reward_model, log, target, rng)


def _with_model(
    log: LogTable, weight: FloatVector, model: ModelValues, config: OffPolicyConfig
) -> dict[str, _Estimate]:
    given = (weight, log.reward, model.q, model.v)
    found = {} if not model.knows_actions else {"dm": _Estimate(rowwise.direct(model.v).totals(log.cluster))}
    return found | {
        "dr": _Estimate(rowwise.doubly_robust(*given).totals(log.cluster)),
        "sndr": _Estimate(rowwise.self_normalised_dr(*given).totals(log.cluster)),
        "switch_dr": _chosen(log, weight, config, "tau", lambda tau: rowwise.switch_dr(*given, tau)),
        "dros": _chosen(log, weight, config, "lam", lambda lam: rowwise.dros(*given, lam)),
    }


def _chosen(
    log: LogTable, weight: FloatVector, config: OffPolicyConfig, name: str, terms: Callable[[float], Terms]
) -> _Estimate:
    """With the given hyperparameter, else with the one that the data choose."""
    value = getattr(config, name)
    if value is None:
        value, totals = tuned(terms, weight, log.cluster, power=2 if name == "lam" else 1, rule=config.tuning)
    else:
        totals = terms(value).totals(log.cluster)
    return _Estimate(totals, hyper={"lambda" if name == "lam" else name: value})


def _of_slates(
    log: LogTable,
    target: TargetPolicy | None,
    weight: FloatVector,
    grid: SlateGrid,
    config: OffPolicyConfig,
    rng: np.random.Generator,
    warned: list[str],
) -> dict[str, _Estimate]:
    table, reward = grid.laid_out(weight, 1.0), grid.laid_out(log.reward, 0.0)
    alone = table if log.marginal is None else grid.laid_out(log.marginal, 1.0)
    if log.marginal is None:
        warned.append(
            "iips takes the probabilities as those of item and position alone; where they depend on the items above, "
            "give item_propensity and item_target_probability"
        )
    found = {
        "sips": slates.standard_ips(table, reward),
        "iips": slates.independent_ips(alone, reward),
        "rips": slates.reward_interaction_ips(table, reward),
    }
    rest = None
    if log.q is not None and log.v is not None:
        rest = ModelValues(log.q, log.v)
    elif config.reward_model is not None and target is not None:
        rest = model_values(config.reward_model, log, target, rng, with_rest=True)
    if rest is not None:
        found["cascade_dr"] = slates.cascade_dr(table, reward, grid.laid_out(rest.q, 0.0), grid.laid_out(rest.v, 0.0))
    whole = effective_size(table.prod(axis=1))
    sizes = dict.fromkeys(found, whole) | {"iips": min(effective_size(column) for column in alone.T)}
    return {
        name: _Estimate(one.totals(), "slate", refused=_too_small(sizes[name], config)) for name, one in found.items()
    }


def _too_small(size: float, config: OffPolicyConfig) -> str | None:
    if size >= config.min_ess:
        return None
    return f"the effective sample size (ESS) of its weights is {size:.1f}, below {config.min_ess:g}"


def _told(
    found: dict[str, _Estimate],
    logged: float,
    slate_value: float | None,
    hidden: bool,
    config: OffPolicyConfig,
    rng: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    """Values, intervals and ratios; none where they are refused."""
    told: dict[str, dict[str, Any]] = {}
    shown = {name: one for name, one in found.items() if not hidden and (config.force or one.refused is None)}
    ends: dict[str, tuple[float, float]] = {}
    for per in ("row", "slate"):
        part = {name: one.totals for name, one in shown.items() if one.per == per}
        if part:
            ends |= intervals(part, rng, kind=config.interval, resamples=config.resamples)
    for name, one in found.items():
        entry: dict[str, Any] = {"value": None, "ci95": None, "relative": None}
        if name in shown:
            base, value = logged if one.per == "row" else slate_value, one.totals.value
            entry = {"value": _plain(value), "ci95": [_plain(end) for end in ends[name]]}
            entry["relative"] = _plain(value / base) if base else None
        entry |= {"per": one.per, **({name: _plain(value) for name, value in (one.hyper or {}).items()})}
        told[name] = entry | ({"refused": one.refused} if one.refused else {})
    return told


def _plain(value: float) -> float | None:
    """For JSON, which has no infinity; an infinite hyperparameter is none."""
    return float(value) if np.isfinite(value) else None
