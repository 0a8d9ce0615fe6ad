"""SASRec: a causal transformer reads the history, its last state is the vector of the query; served by numpy alone."""

import math

import numpy as np

from encorec.data.dataset import Dataset
from encorec.nn.epoch import Watch
from encorec.nn.time_gaps import gap_bucket
from encorec.nn.transformer_config import TransformerConfig
from encorec.protocols import Arrays
from encorec.retrieval.dense_layers import normed, residual, softmax
from encorec.retrieval.feature_parts import feature_parts
from encorec.retrieval.index import IndexConfig
from encorec.retrieval.scoring import popularity_prior
from encorec.retrieval.user_order import order_by_deeds
from encorec.retrieval.vectors import VectorRetriever
from encorec.types import FloatMatrix, FloatVector, IntMatrix, IntVector, Queries

__all__ = ["SASRec", "SASRecConfig", "last_state"]


class SASRecConfig(TransformerConfig, tag="sasrec", tag_field="kind"):
    """Size of the transformer, how it is trained, and how the items are searched.

    Args:
        index: how the items are searched. The other fields are those of ``TransformerConfig``.

    Example:
        >>> SASRecConfig(last=100).embedding_size
        64
    """

    index: IndexConfig = IndexConfig()


class SASRec(VectorRetriever):
    """What comes next, from the order of what came before.

    Source: kang2018, with the loss of jean2015 or petrov2023. Trained by torch, which a fitted model needs no more.
    It has no ``update``: new events move every vector.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.nn.training_config import TrainingConfig
        >>> from encorec.types import Eligibility, Histories
        >>> user, item = np.repeat(np.arange(30), 3), np.tile([0, 1, 2], 30)
        >>> data = Dataset.of(Interactions.of(user, item, np.arange(90)))
        >>> config = SASRecConfig(embedding_size=8, dropout=0, training=TrainingConfig(epochs=20, learning_rate=0.01))
        >>> model = SASRec(config).fit(data, rng=np.random.default_rng(0))
        >>> queries = Queries(Histories.of([([0], [7])]), np.array([9]), Eligibility(np.array([False, True, True])))
        >>> model.retrieve(queries, 2).item.tolist()
        [1, 2]
    """

    Settings = SASRecConfig
    watch: Watch | None = None  # told of every epoch of a fit as it ends

    def learn(self, data: Dataset, rng: np.random.Generator) -> Arrays:
        """``factors`` (size, items), the weights of the blocks, stacked, and the order of popularity."""
        from encorec.nn.sasrec import train_sasrec

        table = data.interactions
        parts = feature_parts(data.item_features, self.config.item_features, "sasrec: item_features")
        learnt = train_sasrec(table, order_by_deeds(table), parts, self.config, rng, watch=self.watch)
        if parts is None:
            learnt["factors"][:, table.item_counts == 0] = 0
        return {**learnt, "prior": popularity_prior(data)}

    def encode(self, queries: Queries) -> FloatMatrix:
        """(n, size) float32 last states; zeros where the history holds no item that anything is known of."""
        learnt, row = self.arrays(), self.vectors.row
        known, history = self._once("known", lambda: self.known), queries.history
        out = np.zeros((len(queries), len(learnt["factors"])), np.float32)
        for query in range(len(queries)):
            events = slice(int(history.starts[query]), int(history.stops[query]))
            kept = np.flatnonzero(known[history.item[events]])[-self.config.last :] + events.start
            if len(kept):
                asked = np.append(history.time[kept[1:]] + 1, queries.now[query])
                out[query] = last_state(row[history.item[kept], :-1], history.time[kept], asked, learnt)
        return out


def last_state(vectors: FloatMatrix, time: IntVector, asked: IntVector, learnt: Arrays) -> FloatVector:
    """(size,) float32 state of a causal transformer after the last event of one history.

    Only what the last state depends on is computed: the last block reads all events but moves the last one alone.

    Args:
        vectors: (t, size) float32 of the items, oldest first.
        time: (t,) int64 seconds of the events; read where the model learnt from time gaps.
        asked: (t,) int64 seconds at which what follows each event is asked for; the last is now.
        learnt: weights of the blocks, stacked, as ``SASRec.arrays`` holds them.

    Example:
        >>> learnt = {"norm_scale": np.ones(2, np.float32), "norm_shift": np.zeros(2, np.float32)}
        >>> learnt["attention_steps"] = np.zeros((0, 1, 5), np.float32)
        >>> last_state(np.array([[1, 3]], np.float32), np.array([7]), np.array([9]), learnt).round(3).tolist()
        [-1.0, 1.0]
    """
    x = vectors * np.float32(math.sqrt(vectors.shape[1]))
    gap = None
    if "wait" in learnt:
        gap = gap_bucket(asked[:, None] - time)
        x = x + learnt["wait"][gap.diagonal()]
    blocks = len(learnt["attention_steps"])
    for block in range(blocks):
        moved = 1 if block == blocks - 1 else len(x)
        x = x[len(x) - moved :] + _attended(x, gap, learnt, block, moved)
        x = residual(x, learnt, "feed", block)
    return normed(x[-1:], learnt["norm_scale"], learnt["norm_shift"])[0]


def _attended(x: FloatMatrix, gap: IntMatrix | None, learnt: Arrays, block: int, moved: int) -> FloatMatrix:
    """(moved, size) what attention adds to the last events: vaswani2017, equation 1."""
    t, size = x.shape
    weight, bias = learnt["attention_qkv_weight"][block], learnt["attention_qkv_bias"][block]
    x = normed(x, learnt["attention_norm_scale"][block], learnt["attention_norm_shift"][block])
    heads = len(learnt["attention_steps"][block])
    width = size // heads
    query = (x[t - moved :] @ weight[:, :size] + bias[:size]).reshape(moved, heads, width).transpose(1, 0, 2)
    both = (x @ weight[:, size:] + bias[size:]).reshape(t, 2, heads, width)
    key, value = both[:, 0].transpose(1, 2, 0), both[:, 1].transpose(1, 0, 2)
    strength = query @ key * np.float32(1 / math.sqrt(width)) + _bias(t, gap, learnt, block, moved)
    mixed = (softmax(strength) @ value).transpose(1, 0, 2).reshape(moved, size)
    return mixed @ learnt["attention_out_weight"][block] + learnt["attention_out_bias"][block]


def _bias(t: int, gap: IntMatrix | None, learnt: Arrays, block: int, moved: int) -> FloatVector:
    """(heads, moved, t) float32 learnt numbers of how many events, and how long, ago; ``-inf`` for what lies ahead."""
    place = np.arange(t)
    ago = place[t - moved :, None] - place
    bias = learnt["attention_steps"][block][:, np.maximum(ago, 0)]
    if gap is not None:
        bias = bias + learnt["attention_gaps"][block][:, gap[t - moved :]]
    return np.where(ago < 0, np.float32(-np.inf), bias)
