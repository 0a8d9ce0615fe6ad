"""What items or users consist of besides themselves: ragged weighted parts, each with a vector that is learnt."""

from typing import Any

import numpy as np
from scipy import sparse

from encorec.nn.layers import embedding, sum_rows
from encorec.nn.torch_package import torch

__all__ = ["FeatureBag"]


class FeatureBag(torch.nn.Module):
    """The summed vectors of the parts of entities.

    Args:
        parts: (entities, values) float32 weight of each value in each entity.
        size: numbers per vector.
        rng: of the starting vectors.

    Example:
        >>> bag = FeatureBag(sparse.csr_array(np.eye(3, 2, dtype=np.float32)), 4, np.random.default_rng(0))
        >>> bag(torch.tensor([2, 0])).abs().sum(dim=1).gt(0).tolist()
        [False, True]
    """

    def __init__(self, parts: sparse.csr_array, size: int, rng: np.random.Generator) -> None:
        super().__init__()
        shape: Any = parts.shape
        self.table = embedding(max(shape[1], 1), size, rng)
        for name, part in (("indptr", parts.indptr), ("value", parts.indices), ("weight", parts.data)):
            kind = np.float32 if name == "weight" else np.int64
            self.register_buffer(name, torch.from_numpy(np.asarray(part, kind)), persistent=False)

    def forward(self, entity: torch.Tensor) -> torch.Tensor:
        """(m,) int64 entities -> (m, size)."""
        indptr: torch.Tensor = self.get_buffer("indptr")
        start, length = indptr[entity], indptr[entity + 1] - indptr[entity]
        offset = torch.cumsum(length, 0) - length
        place = torch.arange(int(length.sum()), device=entity.device)
        place = place + torch.repeat_interleave(start - offset, length)
        return sum_rows(self.table, self.get_buffer("value")[place], offset, self.get_buffer("weight")[place])
