"""Layers whose numbers are drawn from a generator that is passed in, never from torch's own."""

import math
from collections.abc import Callable

import numpy as np

from encorec.nn.torch_package import torch

__all__ = ["Dropout", "Linear", "Norm", "Residual", "embedding", "sum_rows"]

Tensor = torch.Tensor
Parameter = torch.nn.Parameter


class Linear(torch.nn.Module):
    """``x @ weight + bias``; the weight is (inputs, outputs), as numpy will read it.

    Args:
        inputs: numbers in.
        outputs: numbers out.
        rng: of the starting weights, glorot2010.

    Example:
        >>> Linear(3, 2, np.random.default_rng(0))(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        reach = math.sqrt(6 / (inputs + outputs))  # glorot2010, equation 16
        self.weight = Parameter(_tensor(rng.uniform(-reach, reach, (inputs, outputs))))
        self.bias = Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return x @ self.weight + self.bias


class Norm(torch.nn.Module):
    """Layer normalisation, ba2016: every row to mean 0 and variance 1, then scaled and shifted.

    Example:
        >>> Norm(2)(torch.tensor([[0.0, 2.0]])).round().tolist()
        [[-1.0, 1.0]]
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale, self.shift = Parameter(torch.ones(size)), Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        """(..., size) -> the same shape."""
        return torch.nn.functional.layer_norm(x, self.scale.shape, self.scale, self.shift, 1e-5)


class Dropout(torch.nn.Module):
    """Numbers are zeroed by chance in training, srivastava2014, from a generator of its own.

    Args:
        share: of the numbers, in [0, 1).
        generator: of the chance; it lives on the device that is trained on.

    Example:
        >>> Dropout(0.5, torch.Generator().manual_seed(0)).eval()(torch.ones(3)).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        """The same shape; what is left is scaled up to keep the sum."""
        if not self.training or self.share == 0:
            return x
        kept = torch.empty(x.shape, device=x.device, dtype=x.dtype)
        return x * kept.bernoulli_(1 - self.share, generator=self.generator).div_(1 - self.share)


class Residual(torch.nn.Module):
    """``x + second(relu(first(norm(x))))``: a layer adds to what it is given, he2016.

    Example:
        >>> Residual(4, np.random.default_rng(0), lambda x: x)(torch.ones(2, 4)).shape
        torch.Size([2, 4])
    """

    def __init__(self, size: int, rng: np.random.Generator, dropout: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.norm, self.dropout = Norm(size), dropout
        self.first, self.second = Linear(size, size, rng), Linear(size, size, rng)

    def forward(self, x: Tensor) -> Tensor:
        """(m, size) -> (m, size)."""
        return x + self.dropout(self.second(torch.relu(self.first(self.norm(x)))))


def embedding(rows: int, size: int, rng: np.random.Generator, spread: float = 0.02) -> Parameter:
    """(rows, size) float32 numbers to be learnt, normal with this standard deviation.

    Example:
        >>> embedding(3, 2, np.random.default_rng(0)).shape
        torch.Size([3, 2])
    """
    return Parameter(_tensor(rng.normal(0, spread, (rows, size))))


def sum_rows(table: Tensor, row: Tensor, offset: Tensor, weight: Tensor | None = None) -> Tensor:
    """(n, size) weighted sums of rows of ``table``, ragged, without ever making a dense one-hot row.

    Args:
        table: (rows, size).
        row: (m,) int64.
        offset: (n,) int64 where each sum begins.
        weight: (m,) of each row; none = 1.

    Example:
        >>> sum_rows(torch.eye(2), torch.tensor([0, 1, 1]), torch.tensor([0, 0])).tolist()
        [[0.0, 0.0], [1.0, 2.0]]
    """
    return torch.nn.functional.embedding_bag(row, table, offset, mode="sum", per_sample_weights=weight)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
