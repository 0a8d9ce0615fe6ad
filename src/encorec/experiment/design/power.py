"""Units, effect and power of two arms: any one of them from the other two, by a formula that is called by its name."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from encorec.errors import ConfigError, unknown_name
from encorec.experiment.sequential.group_sequential import Side

__all__ = ["Formula", "TwoArms", "share_formulas"]

Formula: TypeAlias = Literal["z", "z-pooled", "z-baseline", "arcsine", "t"]

_FORMULAS = ("arcsine", "t", "z", "z-baseline", "z-pooled")
_OF_SHARES = ("z", "z-pooled", "z-baseline", "arcsine")
_TINY, _HUGE = 1e-100, 1e100
_MOST_UNITS = 1e15
_LEAST, _MOST = 0.5, 2.0


@dataclass(frozen=True)
class TwoArms:
    """A treatment held against a control.

    Args:
        baseline: value of the metric in the control.
        std: of one unit: the metric over n units has the variance std^2 / n. After covariates, where there are some.
        share: the metric is a share: its variance moves with the effect, and ``std`` is that of the baseline, which
            may be smaller than that of its own where covariates explain a part.
        grows: the std of the treatment moves with its value, as where every unit's value is multiplied; between half
            and twice that of the control. Of a baseline above 0 that is no share.
        ratio: units of the treatment per unit of the control.
        alpha: share of false positives.
        side: of the test; ``greater`` and ``less`` are one-sided.
        null: the effect that is tested against; minus the margin for non-inferiority of a metric that should rise.
        formula: ``z``: normal, every arm its own variance. Of shares alone: ``z-pooled``: the null with the pooled
            share (fleiss2003); ``z-baseline``: the null with the variance of the baseline in both arms (miller2010);
            ``arcsine``: the transformed difference (cohen1988). ``t``: non-central t, Welch's degrees of freedom.

    Raises:
        ConfigError: an unknown formula, a formula of shares for another metric, numbers out of bounds.

    Example:
        >>> from math import ceil
        >>> arms = TwoArms(baseline=0.10, std=0.30, share=True)
        >>> ceil(arms.units(0.01, 0.8)), round(arms.power(0.01, 14_749), 4), round(arms.effect(14_749, 0.8), 5)
        (14749, 0.8, 0.01)
    """

    baseline: float
    std: float
    share: bool = False
    grows: bool = False
    ratio: float = 1.0
    alpha: float = 0.05
    side: Side = "two"
    null: float = 0.0
    formula: Formula = "z"

    def __post_init__(self) -> None:
        if self.formula not in _FORMULAS:
            raise ConfigError(unknown_name("formula", self.formula, _FORMULAS))
        if self.formula not in ("z", "t") and not self.share:
            raise ConfigError(f"formula {self.formula!r} is one of shares; other metrics take z or t")
        if not (0 < self.std < float("inf") and 0 < self.ratio < float("inf")):
            raise ConfigError(f"std {self.std} and ratio {self.ratio} must be above 0 and finite")
        if not (_TINY < self.std < _HUGE and abs(self.baseline) < _HUGE):
            raise ConfigError(
                f"baseline {self.baseline} with std {self.std}: allowed are values up to {_HUGE:g} and a std above "
                f"{_TINY:g}; use another unit"
            )
        if not 0 < self.alpha < (1 if self.side == "two" else 0.5):
            raise ConfigError(f"alpha is {self.alpha}, allowed is above 0 and below {1 if self.side == 'two' else 0.5}")
        if self.grows and (self.share or self.baseline <= 0):
            raise ConfigError(f"baseline {self.baseline}: a std grows with values above 0 that are no share")
        if self.share and not 0 < self.baseline < 1:
            raise ConfigError(f"the baseline of a share is {self.baseline}, allowed is above 0 and below 1")

    def power(self, effect: float, units: float) -> float:
        """Chance that the test finds the effect.

        Args:
            effect: absolute.
            units: of the control.

        Raises:
            ConfigError: a share that would leave 0 to 1, no units.
        """
        from scipy.stats import norm

        if not units > 0:
            raise ConfigError(f"{units} units, at least one is needed")
        if self.formula == "t":
            return self._power_t(effect, units)
        z, spread = self._standing(effect, units)
        edge = float(norm.isf(self.alpha / 2 if self.side == "two" else self.alpha)) * spread
        if self.side == "two":
            return float(norm.sf(edge - z) + norm.cdf(-edge - z))
        return float(norm.sf(edge - (z if self.side == "greater" else -z)))

    def units(self, effect: float, power: float) -> float:
        """Units of the control that find the effect with that power, not rounded; of the treatment, ``ratio`` times.

        Args:
            effect: absolute.
            power: wanted.

        Raises:
            ConfigError: an effect that no number of units finds, power out of bounds.
        """
        from scipy.optimize import brentq

        self._refuse_power(power)
        if self.power(effect, _MOST_UNITS) < power:
            raise ConfigError(f"no number of units finds an effect of {effect:g} against {self.null:g}; state a larger")
        low, high = (3.0 if self.formula == "t" else 1e-9), 4.0
        while self.power(effect, high) < power:
            low, high = high, high * 4
        if self.power(effect, low) >= power:
            return low
        return float(brentq(lambda n: self.power(effect, n) - power, low, high, xtol=1e-9))  # type: ignore[arg-type]

    def effect(self, units: float, power: float, *, down: bool = False) -> float:
        """The smallest effect, away from ``null`` towards the side, that is found with that power.

        Args:
            units: of the control.
            power: wanted.
            down: which way, where there are two sides.

        Raises:
            ConfigError: units that find none, power out of bounds.
        """
        from scipy.optimize import brentq

        self._refuse_power(power)
        way = -1.0 if self.side == "less" or (self.side == "two" and down) else 1.0
        largest = self._largest(way)
        step = min(self.std * (1 / units + 1 / units / self.ratio) ** 0.5, largest)
        while self.power(self.null + way * step, units) < power:
            if step >= largest:
                raise ConfigError(f"{units:g} units find no effect at power {power:g}; more units are needed")
            step = min(2 * step, largest)
        found = brentq(lambda d: self.power(self.null + way * d, units) - power, 0.0, step, xtol=1e-14)
        return self.null + way * float(found)  # type: ignore[arg-type]

    def _standing(self, effect: float, units: float) -> tuple[float, float]:
        """The expected z of the effect, and the error under the null over that under the effect."""
        if self.formula == "arcsine":
            from math import asin, sqrt

            angle = 2 * asin(sqrt(self._moved(effect))) - 2 * asin(sqrt(self._moved(self.null)))  # cohen1988
            left = self.std / (self.baseline * (1 - self.baseline)) ** 0.5
            return angle * (units * self.ratio / (1 + self.ratio)) ** 0.5 / left, 1.0
        own = self._error(self._variance(0.0), self._variance(effect), units)
        pooled = self._variance(effect * self.ratio / (1 + self.ratio))
        null = {
            "z-pooled": self._error(pooled, pooled, units),  # fleiss2003
            "z-baseline": self._error(self.std**2, self.std**2, units),  # miller2010
        }.get(self.formula, own)
        return (effect - self.null) / own, null / own

    def _power_t(self, effect: float, units: float) -> float:
        from scipy.stats import nct, t

        control, treatment = self._variance(0.0) / units, self._variance(effect) / units / self.ratio
        if min(units, units * self.ratio) <= 1:
            return 0.0
        freedom = (control + treatment) ** 2 / (
            control**2 / (units - 1) + treatment**2 / (units * self.ratio - 1)
        )  # welch1947
        z = (effect - self.null) / (control + treatment) ** 0.5
        if freedom > 1e6:
            return replace(self, formula="z").power(effect, units)
        edge = float(t.isf(self.alpha / 2 if self.side == "two" else self.alpha, freedom))
        if self.side == "two":
            return float(nct.sf(edge, freedom, z) + nct.cdf(-edge, freedom, z))
        return float(nct.sf(edge, freedom, z if self.side == "greater" else -z))

    def _variance(self, effect: float) -> float:
        """Of one unit; that of a share moves with it, in proportion where covariates explain a part."""
        if self.grows:
            return self.std**2 * min(max(1 + effect / self.baseline, _LEAST), _MOST) ** 2
        if not self.share:
            return self.std**2
        value = self._moved(effect)
        return self.std**2 * value * (1 - value) / (self.baseline * (1 - self.baseline))

    def _moved(self, effect: float) -> float:
        value = self.baseline + effect
        if not 0 <= value <= 1:
            raise ConfigError(f"a share of {self.baseline:g} cannot change by {effect:+g}: it would leave 0 to 1")
        return value

    def _error(self, control: float, treatment: float, units: float) -> float:
        return (control / units + treatment / units / self.ratio) ** 0.5

    def _largest(self, way: float) -> float:
        if not self.share:
            return 1e12 * self.std
        room = 1 - self.baseline if way > 0 else self.baseline
        return (room - way * self.null) * (1 - 1e-9)

    def _refuse_power(self, power: float) -> None:
        if not self.alpha < power < 1:
            raise ConfigError(f"power is {power}, allowed is above alpha, {self.alpha:g}, and below 1")


def share_formulas(arms: TwoArms, effect: float, power: float) -> dict[Formula, float]:
    """Units of the control by each of the formulas in use for a share; they differ by a few per cent.

    Args:
        arms: of a share.
        effect: absolute.
        power: wanted.

    Raises:
        ConfigError: as in ``TwoArms``.

    Example:
        >>> from math import ceil
        >>> found = share_formulas(TwoArms(0.10, 0.30, share=True), 0.01, 0.8)
        >>> {name: ceil(units) for name, units in found.items()}
        {'z': 14749, 'z-pooled': 14751, 'z-baseline': 14313, 'arcsine': 14745}
    """
    return {name: replace(arms, formula=name).units(effect, power) for name in _OF_SHARES}
