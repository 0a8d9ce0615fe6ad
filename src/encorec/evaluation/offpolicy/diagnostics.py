"""Can this log tell anything about that policy? Weights, support, and when an estimate is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.types import FloatVector, IntVector

__all__ = ["Diagnostics", "effective_size"]

_Z, _Z_SUPPORT = 1.959964, 4.0
_TOP, _ROWS = 0.01, 30


def effective_size(weight: FloatVector) -> float:
    """How many rows of equal weight tell as much: the squared sum of the weights over the sum of their squares.

    Args:
        weight: (n,) float64, not negative.

    Example:
        >>> effective_size(np.array([1.0, 1.0, 0.0])), effective_size(np.array([0.0]))
        (2.0, 0.0)
    """
    squares = float(np.sum(weight**2))
    return float(weight.sum()) ** 2 / squares if squares else 0.0  # kish1965


@dataclass(frozen=True)
class Diagnostics:
    """What the weights of a log tell of its worth.

    Args:
        n: rows.
        ess: effective sample size.
        mean_weight: 1 but for chance, where the propensities are right and the log shows all that the target shows.
        mean_weight_ci95: normal interval of it.
        max_weight: the largest.
        top_share: share of the value (the sum of weight times reward) that comes from the 1 % of rows with the largest
            weights; none where the value is 0.
        support: share of logged actions that the target could take.
        unseen: the target's mass on actions that the log never shows there; none where the target is known of the
            logged actions only.
        positions: position -> effective sample size of its rows; empty where there are no positions.

    Example:
        >>> found = Diagnostics.of(np.array([2.0, 0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]))
        >>> found.n, round(found.ess, 2), found.mean_weight, found.support, round(found.top_share, 2)
        (4, 2.67, 1.0, 0.75, 0.67)
    """

    n: int
    ess: float
    mean_weight: float
    mean_weight_ci95: tuple[float, float]
    max_weight: float
    top_share: float | None
    support: float
    unseen: float | None
    positions: Mapping[str, float]

    @classmethod
    def of(
        cls,
        weight: FloatVector,
        reward: FloatVector,
        position: IntVector | None = None,
        unseen: float | None = None,
    ) -> "Diagnostics":
        """Of the weights (n,) float64 and rewards (n,) float64 of a log, its positions (n,) int64 where it has some."""
        rows, mean = len(weight), float(weight.mean())
        error = float(weight.std(ddof=1) / np.sqrt(rows)) if rows > 1 else 0.0
        places = [] if position is None else np.unique(position).tolist()
        return cls(
            rows,
            effective_size(weight),
            mean,
            (mean - _Z * error, mean + _Z * error),
            float(weight.max()),
            _top_share(weight, reward),
            float(np.mean(weight > 0)),
            unseen,
            {str(one): effective_size(weight[position == one]) for one in places},
        )

    def refusal(self, min_ess: float, max_unseen: float) -> str | None:
        """Why nothing may be said of the target, or none.

        Args:
            min_ess: floor of the effective sample size, in all and at each position.
            max_unseen: share of the target's mass that may lie on actions that the log never shows.
        """
        if self.ess < min_ess:
            return (
                f"the effective sample size (ESS) is {self.ess:.1f} of {self.n:,} rows, below {min_ess:g}: the log "
                "hardly shows what the target policy would do; log more, or explore more"
            )
        worst = min(self.positions, key=lambda one: self.positions[one], default=None)
        if worst is not None and self.positions[worst] < min_ess:
            return (
                f"the effective sample size (ESS) at position {worst} is {self.positions[worst]:.1f}, below "
                f"{min_ess:g} (all {self.n:,} rows: {self.ess:.1f}); every position is a policy of its own: "
                "log more, or explore more"
            )
        if self.unseen is not None and self.unseen > max_unseen:
            return (
                f"support is violated: {100 * self.unseen:.3g} % of the target's probability lies on actions that the "
                f"log never shows there, at most {100 * max_unseen:g} % may; nothing can be known of them "
                f"(ESS {self.ess:.1f})"
            )
        return self._wrong_mean()

    def _wrong_mean(self) -> str | None:
        """The weights of a log with full support and right propensities average 1."""
        error = (self.mean_weight_ci95[1] - self.mean_weight) / _Z
        if self.n < _ROWS or abs(self.mean_weight - 1) <= _Z_SUPPORT * error + 1e-9:
            return None
        apart = abs(self.mean_weight - 1) / error if error else np.inf
        cause = (
            "support is violated: the target shows what the log never does, or the propensities are too large"
            if self.mean_weight < 1
            else "the propensities are too small for what was shown, or the target's probabilities too large"
        )
        return (
            f"the weights average {self.mean_weight:.4g} and not 1, {apart:.3g} standard errors away "
            f"(ESS {self.ess:.1f}): {cause}"
        )  # bottou2013

    def warnings(self) -> list[str]:
        """What to know beside an estimate that is given."""
        said = []
        low, high = self.mean_weight_ci95
        if not low <= 1 <= high:
            said.append(
                f"the weights average {self.mean_weight:.4g} [{low:.4g}, {high:.4g}], which leaves out 1: chance, "
                "missing support or wrong propensities"
            )
        if self.unseen:
            said.append(
                f"{100 * self.unseen:.3g} % of the target's probability lies on actions that the log never shows"
            )
        if self.top_share is not None and self.top_share > 0.5:
            said.append(
                f"{100 * self.top_share:.0f} % of the value comes from the 1 % of rows with the largest weights"
            )
        return said

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{name: value for name, value in vars(self).items() if name not in ("mean_weight_ci95", "positions")},
            "mean_weight_ci95": list(self.mean_weight_ci95),
            "positions": dict(self.positions) or None,
        }


def _top_share(weight: FloatVector, reward: FloatVector) -> float | None:
    """Rows of equal weight at the border count by their mean."""
    value = weight * reward
    total = float(value.sum())
    if not total:
        return None
    places = -(-len(weight) * _TOP // 1)
    border = np.partition(weight, len(weight) - int(places))[len(weight) - int(places)]
    above, at = weight > border, weight == border
    return float((value[above].sum() + (places - above.sum()) * value[at].mean()) / total)
