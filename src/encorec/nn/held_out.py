"""The newest events of some users, kept aside to judge every epoch by."""

import numpy as np

from encorec.data.interactions import Interactions
from encorec.nn.torch_package import torch
from encorec.nn.training_config import TrainingConfig
from encorec.types import BoolMatrix, IntVector

__all__ = ["barred_items", "held_out_users", "mean_ndcg"]

K = 10
FEWEST = 3  # events of a user whose newest one is kept aside: two are left to learn from


def held_out_users(
    table: Interactions, order: IntVector, config: TrainingConfig, rng: np.random.Generator
) -> IntVector:
    """(v,) users whose newest event is kept from the training, drawn among those with three events or more.

    Args:
        table: of all interactions.
        order: (n,) users with interactions, in an order that does not depend on their numbers.
        config: how many, at most.
        rng: of the draw.

    Example:
        >>> table = Interactions.of([0, 0, 0, 1], [1, 2, 3, 1], [1, 2, 3, 4])
        >>> config = TrainingConfig(validation_share=0.5)
        >>> held_out_users(table, np.array([1, 0]), config, np.random.default_rng(0)).tolist()
        [0]
    """
    able = order[table.user_counts[order] >= FEWEST]
    count = min(config.validation_users, int(config.validation_share * len(order)))
    return able[np.sort(rng.permutation(len(able))[:count])]


def mean_ndcg(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(m,) NDCG@10 of one wanted item each in a full ranking: ``1 / log2(1 + rank)``, 0 beyond the tenth place.

    Equal scores count against the wanted item, so that a network that tells nothing apart earns nothing.

    Args:
        scores: (m, items), ``-inf`` where an item may not be shown.
        target: (m,) int64 wanted items.

    Example:
        >>> mean_ndcg(torch.tensor([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0]]), torch.tensor([0, 0])).tolist()[0]
        1.0
    """
    own = scores.gather(1, target[:, None])
    rank = (scores >= own).sum(dim=1)
    gain = 1 / torch.log2(1 + rank.to(torch.float32))  # jarvelin2002
    return torch.where(rank <= K, gain, torch.zeros_like(gain))


def barred_items(table: Interactions, users: IntVector, target: IntVector) -> BoolMatrix:
    """(v, items) what may not be shown when the newest event is to be foretold.

    That is what the user took before and is not the wanted item, and what nobody took.

    Args:
        table: of all interactions.
        users: (v,).
        target: (v,) wanted items.

    Example:
        >>> table = Interactions.of([0, 0], [1, 2], [1, 2], items=4)
        >>> barred_items(table, np.array([0]), np.array([2])).tolist()
        [[True, True, False, True]]
    """
    barred = np.broadcast_to(table.item_counts == 0, (len(users), table.items)).copy()
    for row, user in enumerate(users):
        barred[row, table.item[table.indptr[user] : table.indptr[user + 1]]] = True
    barred[np.arange(len(users)), target] = False
    return barred
