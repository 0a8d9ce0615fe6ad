"""The network against plain loops over its formulas, and that nothing looks ahead."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from encorec.errors import ConfigError
from encorec.nn.feature_bag import FeatureBag
from encorec.nn.layers import Dropout, Linear, Norm, Residual
from encorec.nn.transformer import Transformer
from encorec.nn.transformer_config import TransformerConfig

RNG = np.random.default_rng(8)
CONFIG = TransformerConfig(embedding_size=6, heads=3, last=5, blocks=2, time_gaps=True)


def network(config: TransformerConfig = CONFIG, parts=None, items: int = 9) -> Transformer:
    known = np.arange(items) != 4
    made = Transformer(config, parts, known, np.random.default_rng(0), torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for one in made.parameters():
            one.add_(torch.tensor(RNG.normal(0, 0.3, tuple(one.shape)), dtype=torch.float32))
    return made


def attended(layer: Any, x: Any, gap: Any) -> Any:
    """vaswani2017, equation 1, event by event and head by head, in float64."""
    own = {name: value.detach().double().numpy() for name, value in layer.named_parameters()}
    t, size = x.shape
    width = size // layer.heads
    mean, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    normed = (x - mean) / np.sqrt(spread**2 + 1e-5) * own["norm.scale"] + own["norm.shift"]
    parts = normed @ own["qkv.weight"] + own["qkv.bias"]
    mixed = np.zeros((t, size))
    for head in range(layer.heads):
        query, key, value = (parts[:, at * size + head * width :][:, :width] for at in range(3))
        for now in range(t):
            strength = [
                query[now] @ key[then] / math.sqrt(width)
                + own["steps"][head, now - then]
                + own["gaps"][head, gap[now, then]]
                for then in range(now + 1)
            ]
            weight = np.exp(strength) / np.exp(strength).sum()
            mixed[now, head * width : (head + 1) * width] = weight @ value[: now + 1]
    return mixed @ own["out.weight"] + own["out.bias"]


def test_attention_is_its_formula() -> None:
    layer, x = network().attention[0], RNG.normal(size=(2, 5, 6))
    gap = RNG.integers(0, 32, (2, 5, 5))
    found = layer(torch.tensor(x, dtype=torch.float32), torch.tensor(gap)).detach().numpy()
    for row in range(2):
        assert found[row] == pytest.approx(attended(layer, x[row], gap[row]), abs=1e-5)


def test_no_state_depends_on_what_comes_later() -> None:
    net, item = network(), torch.tensor([[1, 2, 3, 5, 6]])
    gap = torch.tensor(RNG.integers(0, 32, (1, 5, 5)))
    states = net(item, net.items(), gap)
    for cut in range(1, 5):
        changed = item.clone()
        changed[0, cut:] = 8
        assert torch.equal(net(changed, net.items(), gap)[:, :cut], states[:, :cut])
        alone = net(item[:, :cut], net.items(), gap[:, :cut, :cut])
        assert torch.allclose(alone, states[:, :cut], atol=1e-6)
    assert not torch.allclose(net(changed, net.items(), gap)[:, 4:], states[:, 4:])


def test_where_a_history_begins_does_not_matter_to_what_it_says() -> None:
    """Only how long ago things were is read, so padding to the right of one of two changes nothing."""
    net = network(TransformerConfig(embedding_size=6, heads=3, last=5, blocks=1))
    both = torch.tensor([[1, 2, 3], [7, 9, 9]])
    assert torch.allclose(net(both, net.items(), None)[1, :1], net(both[1:, :1], net.items(), None)[0], atol=1e-6)


def test_an_item_that_nobody_took_is_its_features() -> None:
    parts = sparse.csr_array(np.array([[1, 0, 2]] * 9, np.float32))
    net = network(parts=parts)
    assert net.features is not None
    table = net.features.table.detach()
    assert torch.allclose(net.items()[4], table[0] + 2 * table[2], atol=1e-6)
    assert torch.allclose(net.items()[5], net.table[5] + table[0] + 2 * table[2], atol=1e-6)


def test_a_bag_of_features_is_a_sparse_product() -> None:
    parts = sparse.random_array((30, 12), density=0.2, rng=np.random.default_rng(0), dtype=np.float32).tocsr()
    bag = FeatureBag(sparse.csr_array(parts), 5, np.random.default_rng(1))
    entity = RNG.integers(0, 30, 50)
    expected = (parts @ bag.table.detach().numpy())[entity]
    assert bag(torch.tensor(entity)).detach().numpy() == pytest.approx(expected, abs=1e-6)


def test_dropout_drops_its_share_keeps_the_mean_and_rests_when_asked() -> None:
    layer, x = Dropout(0.3, torch.Generator().manual_seed(1)), torch.ones(200, 500)
    dropped = layer(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert not torch.equal(layer(x), dropped)
    assert torch.equal(layer.eval()(x), x)


def test_layers_are_those_of_torch() -> None:
    layer, x = Linear(4, 3, RNG), torch.tensor(RNG.normal(size=(7, 4)), dtype=torch.float32)
    assert torch.allclose(layer(x), torch.nn.functional.linear(x, layer.weight.T, layer.bias))
    assert torch.allclose(Norm(4)(x), torch.nn.LayerNorm(4)(x), atol=1e-6)
    block = Residual(4, RNG, lambda x: x)
    inner = torch.relu(block.first(block.norm(x)))
    assert torch.allclose(block(x), x + block.second(inner))


def test_heads_that_do_not_divide_the_size_are_refused() -> None:
    with pytest.raises(ConfigError, match="heads is 3, which does not divide embedding_size 64"):
        TransformerConfig(heads=3)
