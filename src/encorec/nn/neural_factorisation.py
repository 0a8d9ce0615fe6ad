"""Neural matrix factorisation: a product of vectors and a perceptron over them, added up."""

import math
from typing import Literal

import numpy as np

from encorec.nn.layers import Linear, embedding, sum_rows
from encorec.nn.neumf_config import FactorisationConfig
from encorec.nn.torch_package import torch
from encorec.protocols import Arrays

__all__ = ["NeuralFactorisation", "Part"]

Tensor = torch.Tensor
Part = Literal["product", "perceptron", "both"]


class NeuralFactorisation(torch.nn.Module):
    """Scores of pairs of a history and an item: he2017, equations 9 to 12.

    A user is the weighted mean of vectors of the history's items, as in he2018, so that nobody is looked up.

    Args:
        config: sizes.
        items: of the catalogue.
        part: what the score is made of.
        rng: of the starting weights.

    Example:
        >>> config = FactorisationConfig(embedding_size=4, hidden=6)
        >>> net = NeuralFactorisation(config, 5, "both", np.random.default_rng(0))
        >>> users = net.users(torch.tensor([0]), torch.tensor([3]), torch.ones(1))
        >>> net(users, torch.tensor([[0, 1, 2]])).shape
        torch.Size([1, 3])
    """

    def __init__(self, config: FactorisationConfig, items: int, part: Part, rng: np.random.Generator) -> None:
        super().__init__()
        size, self.part = config.embedding_size, part
        spread = 1 / math.sqrt(size)
        self.product_history, self.product_item = (embedding(items, size, rng, spread) for _ in range(2))
        self.perceptron_history, self.perceptron_item = (embedding(items, size, rng, spread) for _ in range(2))
        self.product_out = torch.nn.Parameter(torch.ones(size))
        self.first, self.second = Linear(2 * size, config.hidden, rng), Linear(config.hidden, config.hidden // 2, rng)
        self.out = Linear(config.hidden // 2, 1, rng)

    def users(self, offset: Tensor, item: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Two (m, size) vectors of m histories: of the product, of the perceptron.

        Args:
            offset: (m,) int64 where each history begins.
            item: (e,) int64 items of the histories.
            weight: (e,) of each; those of a history sum to 1.
        """
        tables = self.product_history, self.perceptron_history
        product, perceptron = (sum_rows(table, item, offset, weight) for table in tables)
        return product, perceptron

    def forward(self, users: tuple[Tensor, Tensor], item: Tensor) -> Tensor:
        """(m, n) scores of items (m, n) int64 for the users of ``users``; logits."""
        product, perceptron = users
        lookup, score = torch.nn.functional.embedding, self.out.bias
        if self.part != "perceptron":
            score = score + (product[:, None] * lookup(item, self.product_item)) @ self.product_out
        if self.part != "product":
            both = torch.cat(
                [perceptron[:, None].expand(-1, item.shape[1], -1), lookup(item, self.perceptron_item)], -1
            )
            raised = torch.relu(self.second(torch.relu(self.first(both))))
            score = score + raised @ self.out.weight[:, 0]
        return score

    def begin_from(self, product: "NeuralFactorisation", perceptron: "NeuralFactorisation") -> None:
        """Take over what each part learnt alone; both count half in the score: he2017, equation 13."""
        with torch.no_grad():
            for name, value in self.named_parameters():
                value.copy_(dict((product if name.startswith("product") else perceptron).named_parameters())[name])
            self.product_out.mul_(0.5)
            self.out.weight.mul_(0.5)
            self.out.bias.copy_((product.out.bias + perceptron.out.bias) / 2)

    def arrays(self) -> Arrays:
        """Tables of the history, and what the score is computed from with one layer already carried out for items.

        ``product_item`` (items, size) has the weights of the product in it; ``hidden_item`` (items, hidden) is the
        item's share of the first layer, its bias included; ``hidden_user`` (size, hidden) makes that of the user.
        """
        own = {name: value.detach().cpu().numpy().astype(np.float32) for name, value in self.named_parameters()}
        size = own["product_out"].shape[0]
        first = own["first.weight"]
        return {
            "product_history": own["product_history"],
            "product_item": own["product_item"] * own["product_out"],
            "perceptron_history": own["perceptron_history"],
            "hidden_user": np.ascontiguousarray(first[:size]),
            "hidden_item": own["perceptron_item"] @ first[size:] + own["first.bias"],
            "second_weight": own["second.weight"],
            "second_bias": own["second.bias"],
            "out_weight": np.ascontiguousarray(own["out.weight"][:, 0]),
            "out_bias": own["out.bias"],
        }
