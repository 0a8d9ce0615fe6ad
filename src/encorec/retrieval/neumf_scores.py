"""What a neural factorisation thinks of any items for n queries: each pair computed alone, in one fixed order."""

from dataclasses import dataclass

import numpy as np

from encorec.compiled import BOOL, FLOAT32, INT32, compiled, read, write
from encorec.errors import ArtifactError
from encorec.protocols import Arrays, Lists
from encorec.retrieval.selection import select_top
from encorec.types import BoolMatrix, BoolVector, FloatMatrix, FloatVector, IntVector

__all__ = ["NeuMFScores", "refuse_unfit"]

CELLS_PER_BLOCK = 1_000_000
SHAPES = {
    "taken": ("items",),
    "product_history": ("items", "size"),
    "product_item": ("items", "size"),
    "perceptron_history": ("items", "size"),
    "hidden_item": ("items", "hidden"),
    "second_weight": ("hidden", "raised"),
    "out_weight": ("raised",),
    "out_bias": ("1",),
}


@dataclass(frozen=True, slots=True)
class NeuMFScores:
    """``log(1 + exp(logit))`` of a pair, he2017: positive, so that it stands above the order of popularity.

    That order, in [-1, 0], is the score of items that nobody took, and of all items for a query without a history.

    Args:
        product: (n, size) float32 of the queries.
        hidden: (n, hidden) float32 the queries' share of the perceptron's first layer.
        known: (n,) whether the query has a history.
        learnt: arrays as ``NeuMF.arrays`` holds them.

    Example:
        >>> f32 = np.float32
        >>> learnt = {"product_item": np.array([[0], [1]], f32), "hidden_item": np.zeros((2, 2), f32)}
        >>> learnt |= {"second_weight": np.zeros((2, 1), f32), "second_bias": np.zeros(1, f32)}
        >>> learnt |= {"out_weight": np.zeros(1, f32), "out_bias": np.zeros(1, f32)}
        >>> learnt |= {"taken": np.ones(2, bool), "prior": np.zeros(2, f32)}
        >>> scored = NeuMFScores(np.ones((1, 1), f32), np.zeros((1, 2), f32), np.ones(1, bool), learnt)
        >>> scored.best(np.ones((1, 2), bool), 2)[1].round(3).tolist()
        [[1.312999963760376, 0.6930000185966492]]
    """

    product: FloatMatrix
    hidden: FloatMatrix
    known: BoolVector
    learnt: Arrays

    def best(self, eligible: BoolMatrix, k: int) -> Lists:
        """The k best eligible items of every query, best first; equal scores in catalogue order."""
        n, items = len(self.product), len(self.learnt["prior"])
        item, score = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
        step = max(1, CELLS_PER_BLOCK // max(items, 1))
        for first in range(0, n, step):
            block = slice(first, min(first + step, n))
            rules = np.broadcast_to(eligible if len(eligible) == 1 else eligible[block], (block.stop - first, items))
            row, column = np.nonzero(rules)
            matrix = np.zeros(rules.shape, np.float32)
            matrix[row, column] = self.at((row + first).astype(np.int32), column.astype(np.int32))
            select_top(matrix, np.ascontiguousarray(rules), item[block], score[block])
        return item, score

    def at(self, query: IntVector, item: IntVector) -> FloatVector:
        """(m,) scores of the items for the queries."""
        learnt, out = self.learnt, np.empty(len(item), np.float32)
        names = ("product_item", "hidden_item", "second_weight", "second_bias", "out_weight", "out_bias")
        pairs = np.ascontiguousarray(query, np.int32), np.ascontiguousarray(item, np.int32)
        given = (*pairs, self.product, self.hidden, self.known, *(learnt[name] for name in names))
        _score_pairs(*given, learnt["taken"], learnt["prior"], out)  # pyright: ignore[reportCallIssue]
        return out


def refuse_unfit(learnt: Arrays) -> None:
    """Refuse arrays of unlike sizes: the compiled loop would read beyond them.

    Args:
        learnt: arrays as ``NeuMF.arrays`` holds them.

    Raises:
        ArtifactError: names the array.

    Example:
        >>> refuse_unfit({"prior": np.zeros(2)})
        Traceback (most recent call last):
        ...
        encorec.errors.ArtifactError: neumf: there is no array hidden_user; train again
    """
    for name in ("prior", "hidden_user", "second_bias", *SHAPES):
        if name not in learnt:
            raise ArtifactError(f"neumf: there is no array {name}; train again")
    (size, hidden), raised = learnt["hidden_user"].shape, len(learnt["second_bias"])
    sizes = {"items": len(learnt["prior"]), "size": size, "hidden": hidden, "raised": raised, "1": 1}
    for name, parts in SHAPES.items():
        wanted = tuple(sizes[part] for part in parts)
        if learnt[name].shape != wanted:
            raise ArtifactError(f"neumf: {name} has shape {learnt[name].shape}, wanted is {wanted}; train again")


@compiled(
    read(INT32), read(INT32), read(FLOAT32, 2), read(FLOAT32, 2), read(BOOL), read(FLOAT32, 2), read(FLOAT32, 2),
    read(FLOAT32, 2), read(FLOAT32), read(FLOAT32), read(FLOAT32), read(BOOL), read(FLOAT32), write(FLOAT32),
)  # fmt: skip
def _score_pairs(
    query: IntVector,
    item: IntVector,
    product: FloatMatrix,
    hidden: FloatMatrix,
    known: BoolVector,
    product_item: FloatMatrix,
    hidden_item: FloatMatrix,
    second_weight: FloatMatrix,
    second_bias: FloatVector,
    out_weight: FloatVector,
    out_bias: FloatVector,
    taken: BoolVector,
    prior: FloatVector,
    out: FloatVector,
) -> None:
    """``NeuMFScores.at``; ``out`` (m,) is written."""
    raised = np.empty(len(second_bias), np.float32)
    for pair in range(len(item)):
        one, asked = item[pair], query[pair]
        if not (known[asked] and taken[one]):
            out[pair] = prior[one]
            continue
        total = out_bias[0]
        for place in range(product.shape[1]):
            total += product[asked, place] * product_item[one, place]
        raised[:] = second_bias
        for unit in range(hidden.shape[1]):
            value = hidden[asked, unit] + hidden_item[one, unit]
            if value > 0:
                for place in range(len(raised)):
                    raised[place] += value * second_weight[unit, place]
        for place in range(len(raised)):
            if raised[place] > 0:
                total += raised[place] * out_weight[place]
        out[pair] = max(total, np.float32(0)) + np.log1p(np.exp(-abs(total)))
