"""The bootstrap over users: n users drawn from n with replacement, B times, whatever is measured of them.

It is the exact one of Efron, made fast in two ways. How many of the n draws fall into each block of users is drawn
first, from the multinomial distribution; within a block, which stays in the processor's cache, every draw is one
of its users. And a block whose users all have the same value needs no look at them.

Values are resampled in ascending order, each metric in its own. So an interval depends on the values, not on the
order of users, nor on what else is measured, nor on the number of threads.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from encorec.evaluation.uncertainty.bootstrap_loops import LANES, add_draws
from encorec.types import FloatMatrix, IntMatrix

__all__ = ["Resampling"]

_USERS_AT_ONCE = 1024
_DRAWS_WORTH_A_THREAD = 1 << 22


@dataclass(frozen=True)
class Resampling:
    """How often users are drawn; decided before anything is measured of them.

    Args:
        users: n.
        drawn: (resamples, blocks) int64 draws that fall into each block of users; every row sums to n.
        key: of the draws within blocks.

    Example:
        >>> resampling = Resampling.of(3, np.random.default_rng(0), resamples=4)
        >>> resampling.means(np.array([[1.0], [1.0], [1.0]])).ravel().tolist()
        [1.0, 1.0, 1.0, 1.0]
    """

    users: int
    drawn: IntMatrix
    key: int

    @classmethod
    def of(cls, users: int, rng: np.random.Generator, *, resamples: int) -> "Resampling":
        """B = ``resamples`` times n = ``users`` draws; ``rng`` is the only source of chance."""
        sizes = np.diff(np.append(np.arange(0, users, _USERS_AT_ONCE), users))
        drawn = rng.multinomial(users, sizes / users, size=resamples)
        return cls(users, drawn, int(rng.integers(1 << 62)))

    def means(self, values: FloatMatrix) -> FloatMatrix:
        """(resamples, columns) means of the users drawn.

        Args:
            values: (n, columns) float64, finite, in any order: each column is sorted.
        """
        lanes = _lanes(values)
        sums = np.zeros((len(self.drawn), len(lanes) * LANES))
        offsets = np.append(np.arange(0, self.users, _USERS_AT_ONCE), self.users)
        cuts = np.linspace(0, len(sums), 1 + self._threads(len(sums))).astype(np.int64)

        def add(part: int) -> None:
            add_draws(lanes, offsets, self.drawn, self.key, cuts[part], cuts[part + 1], sums)

        with ThreadPoolExecutor(len(cuts) - 1) as pool:
            list(pool.map(add, range(len(cuts) - 1)))
        return sums[:, : values.shape[1]] / self.users  # efron1979

    def _threads(self, resamples: int) -> int:
        worth = self.users * resamples // _DRAWS_WORTH_A_THREAD
        return max(1, min(os.cpu_count() or 1, worth, resamples))


def _lanes(values: FloatMatrix) -> FloatMatrix:
    """(groups, n, lanes) the sorted columns, side by side as many as are added up at once; 0 where there are fewer."""
    users, columns = values.shape
    lanes = np.zeros((-(-columns // LANES), users, LANES))
    for column in range(columns):
        group, lane = divmod(column, LANES)
        lanes[group, :, lane] = np.sort(values[:, column])
    return lanes
