"""Layers whose numbers are drawn from a generator that is passed in, never from torch's own."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from encorec.nn.torch_package import torch

__all__ = ["Dropout", "Linear", "Norm", "Residual", "Table", "embedding", "kept_by_chance", "sum_rows"]

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
        return x * kept_by_chance(x, self.share, self.generator)


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


class Table(torch.nn.Module):
    """Vectors of many entities, to be learnt.

    Args:
        rows: entities.
        size: numbers per vector.
        rng: of the starting vectors.
        spread: their standard deviation.
        lazy: whether a step moves only the vectors that it reads: no gradient of the whole table is ever made.

    Example:
        >>> Table(5, 2, np.random.default_rng(0), 0.1, lazy=True)(torch.tensor([4, 0, 4])).shape
        torch.Size([3, 2])
    """

    def __init__(self, rows: int, size: int, rng: np.random.Generator, spread: float, *, lazy: bool) -> None:
        super().__init__()
        self.weight, self.lazy = embedding(rows, size, rng, spread), lazy

    def forward(self, row: Tensor) -> Tensor:
        """(...) int64 entities -> (..., size)."""
        return torch.nn.functional.embedding(row, self.weight, sparse=self.lazy)


def embedding(rows: int, size: int, rng: np.random.Generator, spread: float = 0.02) -> Parameter:
    """(rows, size) float32 numbers to be learnt, normal with this standard deviation.

    Example:
        >>> embedding(3, 2, np.random.default_rng(0)).shape
        torch.Size([3, 2])
    """
    return Parameter(_tensor(rng.normal(0, spread, (rows, size))))


def kept_by_chance(like: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Of the shape and kind of ``like``: 0 for about this share of the numbers, drawn; the others keep the sum.

    One byte is drawn a number, so ``share`` is met to the next 256th, and never 1.

    Args:
        like: any shape.
        share: of the numbers, in [0, 1).
        generator: of the chance; it lives on the device of ``like``.

    Example:
        >>> kept = kept_by_chance(torch.zeros(1000), 0.5, torch.Generator().manual_seed(0))
        >>> sorted(set(kept.tolist())), bool(abs(kept.mean() - 1) < 0.1)
        ([0.0, 2.0], True)
    """
    count, dropped = like.numel(), min(round(256 * share), 255)
    words = torch.empty(-(-count // 8), dtype=torch.int64, device=like.device)
    words.random_(-(2**63), None, generator=generator)  # 8 bytes at once: a draw each takes longer than all the rest
    kept = words.view(torch.uint8)[:count].view(like.shape) >= dropped
    return kept.to(like.dtype).mul_(256 / (256 - dropped))


def sum_rows(table: Tensor, row: Tensor, offset: Tensor, weight: Tensor) -> Tensor:
    """(n, size) weighted sums of rows of ``table``, ragged, without ever making a dense one-hot row.

    Args:
        table: (rows, size).
        row: (m,) int64.
        offset: (n,) int64 where each sum begins.
        weight: (m,) float32 of each row; it may be learnt.

    Example:
        >>> rows, offset = torch.tensor([0, 1, 1]), torch.tensor([0, 0])
        >>> sum_rows(torch.eye(2), rows, offset, torch.ones(3)).tolist()
        [[0.0, 0.0], [1.0, 2.0]]
    """
    if weight.requires_grad:
        return _bags(row, table, offset, weight)
    total: Tensor = _SumRows.apply(table, row, offset, weight)  # pyright: ignore[reportUnknownMemberType]
    return total


class _SumRows(torch.autograd.Function):
    """Sums whose gradient is again sums, over the same numbers sorted by row."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        table, row, offset, weight = given
        ctx.rows = len(table)
        ctx.save_for_backward(row, offset, weight)
        return _bags(row, table, offset, weight)

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor, None, None, None]:
        row, offset, weight = ctx.saved_tensors
        owner = torch.repeat_interleave(torch.diff(offset, append=offset.new_tensor([len(row)])))
        order = torch.argsort(row, stable=True)
        counts = torch.bincount(row, minlength=ctx.rows)
        begins = torch.cumsum(counts, 0) - counts
        return _bags(owner[order], given[0], begins, weight[order]), None, None, None


def _bags(row: Tensor, table: Tensor, offset: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.embedding_bag(row, table, offset, mode="sum", per_sample_weights=weight.to(table.dtype))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
