"""What an effect earns: population times effect times value, less the cost."""

from typing import Any

from encorec.experiment.analysis.effect import Effect
from encorec.experiment.analysis.winners_curse import shrunk
from encorec.experiment.spec import MoneySpec

__all__ = ["break_even_effect", "money_line", "net_of"]

METHOD = (
    "net = population x effect x value per unit x (1 + decay + ... over the horizon) - cost x periods; ends of the "
    "interval are those of the effect, so they hold for the stated decay, population and value; the shrunk figure is "
    "what is left when only significant effects are reported (expectation given significance, solved for the effect)"
)


def net_of(effect: float, money: MoneySpec, *, periods: int | None = None) -> float:
    """Money over a number of periods.

    Args:
        effect: absolute, per unit and period.
        money: as registered.
        periods: none = the horizon.

    Example:
        >>> money = MoneySpec(
        ...     metric="m", value_per_unit=0.5, population=1000, cost=100, horizon_periods=2, decay=0.9
        ... )
        >>> round(net_of(1.0, money), 6), net_of(1.0, money, periods=1)
        (750.0, 400.0)
    """
    periods = money.horizon_periods if periods is None else periods
    return money.population * effect * money.value_per_unit * _effective(money, periods) - money.cost * periods


def break_even_effect(money: MoneySpec) -> float | None:
    """The effect at which the horizon earns its cost; none where no effect does.

    Example:
        >>> money = MoneySpec(metric="m", value_per_unit=0.5, population=1000, cost=100)
        >>> break_even_effect(money)
        0.2
    """
    earned = money.population * money.value_per_unit * _effective(money, money.horizon_periods)
    return money.cost * money.horizon_periods / earned if earned else None


def money_line(found: Effect, money: MoneySpec, alpha: float, *, ended: bool) -> dict[str, Any]:
    """What a variant earns, as for JSON.

    Args:
        found: effect on the money metric.
        money: as registered.
        alpha: by which effects are selected.
        ended: whether the planned end is reached; before it, what depends on a fixed horizon is none.

    Example:
        >>> money = MoneySpec(metric="m", value_per_unit=0.5, population=1000, cost=100)
        >>> from encorec.experiment.analysis.adjustment import ArmMean
        >>> from encorec.experiment.analysis.effect import between
        >>> found = between(ArmMean(100, 10.0, 4.0), ArmMean(100, 11.0, 4.0), "Welch")
        >>> line = money_line(found, money, 0.05, ended=True)
        >>> line["net"], [round(end, 1) for end in line["ci95"]], round(line["p_positive"], 4)
        (400.0, [121.1, 678.9], 0.9974)
    """
    effect, error = found.effect, found.error
    line: dict[str, Any] = {
        "net": None if effect is None else net_of(effect, money),
        "ci95": None,
        "p_positive": None,
        "break_even_effect": break_even_effect(money),
        "shrunk_net": None,
        "per_period": {"net": None if effect is None else net_of(effect, money, periods=1), "ci95": None},
        "note": "; ".join(found.notes) if effect is None or error is None else None,
    }
    if not ended or effect is None or error is None or found.ci95 is None:
        return line
    line["ci95"] = sorted(net_of(end, money) for end in found.ci95)
    line["per_period"]["ci95"] = sorted(net_of(end, money, periods=1) for end in found.ci95)
    if error > 0:
        line["p_positive"] = _chance_of_gain(found, effect, error, money)
        line["shrunk_net"] = net_of(shrunk(effect, error, alpha), money)
    return line


def _chance_of_gain(found: Effect, effect: float, error: float, money: MoneySpec) -> float | None:
    """Chance that the effect lies beyond the break-even, nothing having been known before."""
    from scipy.special import ndtr, stdtr

    limit = break_even_effect(money)
    if limit is None:
        return float(money.cost == 0) if net_of(effect, money) > 0 else 0.0
    z = (effect - limit) / error * (1 if money.value_per_unit > 0 else -1)
    return float(stdtr(found.freedom, z) if found.freedom < float("inf") else ndtr(z))


def _effective(money: MoneySpec, periods: int) -> float:
    """Periods with the full effect that are worth as much as these."""
    if money.decay == 1:
        return float(periods)
    return (1 - money.decay**periods) / (1 - money.decay)
