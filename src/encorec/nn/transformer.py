"""A causal transformer over the items of a history: every state foretells the next item from those before it."""

import math

import numpy as np
from scipy import sparse

from encorec.nn.export import module_arrays, stacked_arrays
from encorec.nn.feature_bag import FeatureBag
from encorec.nn.layers import Dropout, Linear, Norm, Residual, embedding
from encorec.nn.time_gaps import GAP_BUCKETS
from encorec.nn.torch_package import torch
from encorec.nn.transformer_config import TransformerConfig
from encorec.protocols import Arrays

__all__ = ["Attention", "Transformer"]

Tensor = torch.Tensor


class Attention(torch.nn.Module):
    """Causal attention whose strength depends on how many events, and how long, ago an event was.

    Source: vaswani2017, equation 1, with the learnt numbers of shaw2018 and raffel2020 in place of positions: nothing
    depends on where a history begins, so a window of it says the same as the whole.

    Args:
        config: sizes.
        rng: of the starting weights.

    Example:
        >>> layer = Attention(TransformerConfig(embedding_size=4, heads=2), np.random.default_rng(0))
        >>> layer(torch.zeros(1, 3, 4), None).shape
        torch.Size([1, 3, 4])
    """

    def __init__(self, config: TransformerConfig, rng: np.random.Generator) -> None:
        super().__init__()
        size, self.heads = config.embedding_size, config.heads
        self.norm, self.qkv, self.out = Norm(size), Linear(size, 3 * size, rng), Linear(size, size, rng)
        self.steps = torch.nn.Parameter(torch.zeros(self.heads, config.last))
        if config.time_gaps:
            self.gaps = torch.nn.Parameter(torch.zeros(self.heads, GAP_BUCKETS))

    def forward(self, x: Tensor, gap: Tensor | None) -> Tensor:
        """(b, t, size), and (b, t, t) int64 buckets of time where they are read -> (b, t, size)."""
        b, t, size = x.shape
        parts = self.qkv(self.norm(x)).view(b, t, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        strength = query @ key.transpose(-1, -2) / math.sqrt(size // self.heads) + self._bias(t, gap)
        mixed = torch.softmax(strength, dim=-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(b, t, size))

    def _bias(self, t: int, gap: Tensor | None) -> Tensor:
        """(1 or b, heads, t, t), ``-inf`` for what lies ahead."""
        place = torch.arange(t, device=self.steps.device)
        ago = place[:, None] - place[None, :]
        bias = self.steps[:, ago.clamp(min=0)]
        if gap is not None:
            bias = bias + torch.nn.functional.embedding(gap, self.gaps.T).permute(0, 3, 1, 2)
        else:
            bias = bias[None]
        return bias.masked_fill(ago < 0, -torch.inf)


class Transformer(torch.nn.Module):
    """Item vectors, blocks of attention and a layer each, and a last normalisation: kang2018.

    Args:
        config: sizes.
        parts: (items, values) features of the items; none = they are not read.
        known: (items,) 1 where an item has a vector of its own, 0 where nobody took it.
        rng: of the starting weights.
        generator: of what is dropped in training.

    Example:
        >>> config = TransformerConfig(embedding_size=4, blocks=1)
        >>> net = Transformer(config, None, np.ones(5), np.random.default_rng(0), torch.Generator())
        >>> net(torch.tensor([[3, 1]]), net.items(), None).shape
        torch.Size([1, 2, 4])
    """

    def __init__(
        self,
        config: TransformerConfig,
        parts: sparse.csr_array | None,
        known: np.ndarray,
        rng: np.random.Generator,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        size = config.embedding_size
        self.table = embedding(len(known), size, rng)
        self.register_buffer("known", torch.from_numpy(np.asarray(known, np.float32))[:, None], persistent=False)
        self.features = None if parts is None else FeatureBag(parts, size, rng)
        self.attention = torch.nn.ModuleList(Attention(config, rng) for _ in range(config.blocks))
        if config.time_gaps:
            self.wait = torch.nn.Parameter(torch.zeros(GAP_BUCKETS, size))
        self.dropout = Dropout(config.dropout, generator)
        self.feed = torch.nn.ModuleList(Residual(size, rng, self.dropout) for _ in range(config.blocks))
        self.norm = Norm(size)
        self.level = torch.nn.Parameter(torch.tensor(-math.log(max(len(known), 2))))  # of all scores; for gbce alone

    def items(self) -> Tensor:
        """(items, size) vectors: an item's own and those of its features."""
        own = self.table * self.get_buffer("known")
        if self.features is None:
            return own
        return own + self.features(torch.arange(len(own), device=own.device))

    def forward(self, item: Tensor, vectors: Tensor, gap: Tensor | None) -> Tensor:
        """States after every event.

        Args:
            item: (b, t) int64; the number of items stands where there is no event.
            vectors: (items, size) as ``items`` gives them.
            gap: (b, t, t) int64 buckets of the time from event j to what is asked after event i, where they are read.

        Returns:
            (b, t, size).
        """
        blank = torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])])
        x = torch.nn.functional.embedding(item, blank) * math.sqrt(vectors.shape[1])
        if gap is not None:
            x = x + torch.nn.functional.embedding(gap.diagonal(dim1=1, dim2=2), self.wait)
        x = self.dropout(x)
        for attention, feed in zip(self.attention, self.feed, strict=True):
            x = feed(x + self.dropout(attention(x, gap)))
        return self.norm(x)

    def arrays(self) -> Arrays:
        """``factors`` (size, items), and the weights of the blocks, stacked."""
        with torch.no_grad():
            vectors = self.items().cpu().numpy().astype(np.float32)
        return {
            "factors": np.ascontiguousarray(vectors.T),
            **stacked_arrays(self.attention, "attention"),
            **stacked_arrays(self.feed, "feed"),
            **module_arrays(self.norm, "norm"),
            **({"wait": self.wait.detach().to("cpu", torch.float32).numpy()} if hasattr(self, "wait") else {}),
        }
