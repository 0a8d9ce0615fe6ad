"""Which items a taken one is compared with: drawn evenly or by popularity, and of those the hardest."""

from dataclasses import dataclass

import numpy as np

from encorec.errors import ConfigError
from encorec.nn.torch_package import torch
from encorec.types import FloatVector, IntVector

__all__ = ["ItemSampler", "hardest", "hide_taken", "sampled_negatives"]

ALL_ITEMS, SAMPLED = 10_000, 1024


@dataclass(frozen=True)
class ItemSampler:
    """Draws items with fixed probabilities.

    Args:
        cumulative: (items,) float64 probability of an item or one before it; the last is 1.

    Example:
        >>> sampler = ItemSampler.by_popularity(np.array([0, 1, 4]), alpha=0.5)
        >>> np.exp(sampler.log_q).round(3)
        array([0.   , 0.333, 0.667], dtype=float32)
        >>> sorted(set(sampler.draw(100, np.random.default_rng(0)).tolist()))
        [1, 2]
    """

    cumulative: FloatVector

    @classmethod
    def by_popularity(cls, counts: IntVector, alpha: float) -> "ItemSampler":
        """Probability in proportion to ``counts ** alpha``; items that nobody took are not drawn.

        Args:
            counts: (items,) how often each item was taken.
            alpha: 0 = evenly, 1 = as often as taken, .75 as in mikolov2013.

        Raises:
            ConfigError: nothing was taken at all.
        """
        weight = np.where(counts > 0, np.maximum(counts, 1).astype(np.float64) ** alpha, 0)
        if not weight.any():
            raise ConfigError("no item was ever taken, so there is none to sample: train on at least one interaction")
        cumulative = np.cumsum(weight / weight.sum())
        return cls(cumulative / cumulative[-1])

    def draw(self, size: int | tuple[int, ...], rng: np.random.Generator) -> IntVector:
        """int64 items of this shape, drawn independently."""
        return np.searchsorted(self.cumulative, rng.random(size), side="right")

    @property
    def log_q(self) -> FloatVector:
        """(items,) float32 logarithm of the probability that a draw is the item; ``-inf`` where it never is."""
        with np.errstate(divide="ignore"):
            return np.log(np.diff(self.cumulative, prepend=0)).astype(np.float32)


def sampled_negatives(wanted: int | None, items: int) -> int | None:
    """How many items every step is to sample; none = it takes all of them.

    Args:
        wanted: as configured; none = all of a catalogue of at most 10,000, else 1024.
        items: that anybody took.

    Example:
        >>> sampled_negatives(None, 3000), sampled_negatives(None, 15_706), sampled_negatives(64, 3000)
        (None, 1024, 64)
    """
    return SAMPLED if wanted is None and items > ALL_ITEMS else wanted


def hide_taken(others: torch.Tensor, other: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
    """The scores of sampled items, ``-inf`` where the sampled item is the taken one.

    Args:
        others: (m, n) scores.
        other: (n,) or (m, n) sampled items.
        item: (m,) taken items.

    Example:
        >>> hide_taken(torch.zeros(2, 1), torch.tensor([7]), torch.tensor([7, 8])).tolist()
        [[-inf], [0.0]]
    """
    return others.masked_fill(other == item[:, None], -torch.inf)


def hardest(others: torch.Tensor, k: int) -> torch.Tensor:
    """(m, k) the highest of (m, n) scores of sampled items: the negatives that are hardest to tell from taken ones.

    Example:
        >>> hardest(torch.tensor([[0.1, 0.9, 0.5]]), 2)[0].tolist() == torch.tensor([0.9, 0.5]).tolist()
        True
    """
    return others.topk(min(k, others.shape[1]), dim=1).values
