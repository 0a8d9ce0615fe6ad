"""How much each event of a history counts, learnt: a softmax over the events of ragged histories."""

import math

from encorec.nn.torch_package import torch

__all__ = ["HistoryAttention"]

Tensor = torch.Tensor


class HistoryAttention(torch.nn.Module):
    """Shares of the events: a softmax of how an item speaks to a learnt query, and of how many events ago it was.

    Source: yang2016, equations 6 and 7, on the vectors themselves. It begins as the weights by recency.

    Args:
        size: numbers per vector.
        last: newest events of a history that are read.
        decay: weight of an event for each newer one, to begin with.

    Example:
        >>> attention = HistoryAttention(size=2, last=3, decay=0.5)
        >>> with torch.no_grad():
        ...     attention(torch.eye(2), torch.tensor([0, 1, 1]), torch.tensor([0, 2, 2])).mul(3).round().tolist()
        [1.0, 2.0, 3.0]
    """

    def __init__(self, size: int, last: int, decay: float) -> None:
        super().__init__()
        self.query = torch.nn.Parameter(torch.zeros(size))
        self.ago = torch.nn.Parameter(torch.arange(last, dtype=torch.float32) * math.log(decay))

    def forward(self, table: Tensor, item: Tensor, offset: Tensor) -> Tensor:
        """(e,) shares of the events; those of a history sum to 1.

        Args:
            table: (items, size) vectors of the items in a history.
            item: (e,) int64 items of the histories, each at most ``last`` long and oldest first.
            offset: (m,) int64 where each history begins.
        """
        length = torch.diff(offset, append=offset.new_tensor([len(item)]))
        owner = torch.repeat_interleave(length)
        ago = (offset + length - 1)[owner] - torch.arange(len(item), device=item.device)
        strength = self.spoken(table).index_select(0, item) + self.ago.index_select(0, ago)
        highest = strength.new_full((len(offset),), -torch.inf).scatter_reduce(0, owner, strength.detach(), "amax")
        raised = torch.exp(strength - highest[owner])
        return raised / raised.new_zeros(len(offset)).index_add(0, owner, raised).index_select(0, owner)

    def spoken(self, table: Tensor) -> Tensor:
        """(items,) inner products of the vectors (items, size) with the query."""
        return table @ self.query
