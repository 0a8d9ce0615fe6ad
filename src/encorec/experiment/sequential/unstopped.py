"""The density of an experiment that no look has stopped yet, carried from look to look by numerical integration."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from encorec.types import FloatVector

__all__ = ["Unstopped"]

_FAR = 9.0  # standard deviations beyond which a normal density is nothing
_STEP = 32  # nodes are rounded up to a multiple, so that few rules are computed


@dataclass(frozen=True)
class Unstopped:
    """A Brownian motion with drift at one moment, where it has not crossed before; armitage1969.

    Args:
        time: share of the planned information.
        place: (m,) nodes of a Gauss-Legendre rule, in units of z at information 1.
        mass: (m,) density times weight of each node; the sum is the chance to come here uncrossed.
        drift: expected place at information 1.

    Example:
        >>> later = Unstopped.start().step(0.5, 1.96)
        >>> round(float(later.mass.sum()), 4), round(later.beyond(1.0, 1.96), 4)
        (0.95, 0.0331)
    """

    time: float
    place: FloatVector
    mass: FloatVector
    drift: float = 0.0

    @classmethod
    def start(cls, drift: float = 0.0) -> Self:
        """Everything at 0, before the first look."""
        return cls(0.0, np.zeros(1), np.ones(1), drift)

    def beyond(self, time: float, bound: float, *, one_sided: bool = False) -> float:
        """Chance to be uncrossed until now and beyond the bound at the next look.

        Args:
            time: of that look.
            bound: of z there.
            one_sided: the upper bound alone.
        """
        from scipy.special import ndtr

        gap = time - self.time
        centre, edge, wide = self.place + self.drift * gap, bound * time**0.5, gap**0.5
        found = float(self.mass @ ndtr((centre - edge) / wide))
        return found if one_sided else found + float(self.mass @ ndtr((-edge - centre) / wide))

    def step(self, time: float, bound: float, following: float | None = None, *, one_sided: bool = False) -> Self:
        """The density after a look that was not crossed.

        Args:
            time: of that look.
            bound: of z there.
            following: information until the next look, where it is known; the nodes are fine enough for it.
            one_sided: there is no lower bound.
        """
        gap, middle, far = time - self.time, self.drift * time, _FAR * time**0.5
        edge = bound * time**0.5
        high = min(edge, middle + far)
        low = middle - far if one_sided else max(-edge, middle - far)
        if low >= high:
            return type(self)(time, np.zeros(1), np.zeros(1), self.drift)
        scale = min(gap, gap if following is None else following) ** 0.5
        node, weight = _rule(int(min((high - low) / scale + _STEP, 1500)) // _STEP + 1)
        place = (high + low) / 2 + (high - low) / 2 * node
        kernel = np.exp(-np.square(place[:, None] - self.place - self.drift * gap) / (2 * gap))
        density = kernel @ self.mass / np.sqrt(2 * np.pi * gap)
        return type(self)(time, place, density * weight * (high - low) / 2, self.drift)


@lru_cache(maxsize=32)
def _rule(steps: int) -> tuple[FloatVector, FloatVector]:
    node, weight = np.polynomial.legendre.leggauss(steps * _STEP)
    return node, weight
