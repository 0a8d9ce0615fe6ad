"""Adam for tables of which a step reads some rows only: the others stay as they are, their moments too."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from encorec.nn.torch_package import torch

__all__ = ["LazyAdam"]

FIRST, SECOND, SMALL = 0.9, 0.999, 1e-8  # kingma2015, section 2


class LazyAdam(torch.optim.Optimizer):
    """Adam, kingma2015, on the rows of a sparse gradient, as ``torch.optim.SparseAdam``, without its sparse sums.

    Args:
        tables: (rows, size) parameters whose gradients are sparse.
        lr: learning rate.

    Example:
        >>> table = torch.nn.Parameter(torch.zeros(3, 1))
        >>> optimiser = LazyAdam([table], lr=0.1)
        >>> torch.nn.functional.embedding(torch.tensor([1]), table, sparse=True).sum().backward()
        >>> optimiser.step()
        >>> [round(one, 3) for one in table[:, 0].tolist()]
        [0.0, -0.1, 0.0]
    """

    def __init__(self, tables: Iterable[torch.nn.Parameter], lr: float) -> None:
        super().__init__(tables, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move the rows that have a gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._move(table, self.state[table], group["lr"])

    def _move(self, table: torch.Tensor, state: dict[str, Any], rate: float) -> None:
        if not state:
            state.update(step=0, mean=torch.zeros_like(table), square=torch.zeros_like(table))
        state["step"] += 1
        gradient: Any = table.grad
        gradient = gradient.coalesce()
        row, value = gradient.indices()[0], gradient.values()
        mean = state["mean"].index_select(0, row).lerp_(value, 1 - FIRST)
        square = state["square"].index_select(0, row).mul_(SECOND).addcmul_(value, value, value=1 - SECOND)
        state["mean"].index_copy_(0, row, mean)
        state["square"].index_copy_(0, row, square)
        shrunk = math.sqrt(1 - SECOND ** state["step"])
        size = square.sqrt_().add_(SMALL * shrunk)
        table.index_add_(0, row, mean.div_(size), alpha=-rate * shrunk / (1 - FIRST ** state["step"]))
