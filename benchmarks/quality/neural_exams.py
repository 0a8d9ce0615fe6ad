"""What the neural retrievers are asked: whole exams, users with few events, items that nobody took, and 99 others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.data.splits import Fold
from encorec.evaluation.evaluate import evaluate
from encorec.pipeline.eligibility import fold_queries, seen_items
from encorec.retrieval.registry import RETRIEVERS
from encorec.retrieval.scored import scored_by
from encorec.retrieval.scoring import ScoringRetriever
from encorec.types import Eligibility, FloatVector, Histories, ItemLists, Queries
from encorec.verdict import single_lists

__all__ = ["NeuralExam", "cold_items_exam", "few_events_exam", "hit_rate_of_hundred", "whole_exam"]

K, METRICS = 10, ("ndcg@10", "recall@10", "hit_rate@10")
FEW = 3
HELD_OUT_SHARE = 0.1
OTHERS = 99


@dataclass(frozen=True)
class NeuralExam:
    """What is known and what is asked.

    Args:
        name: in tables.
        past: to learn from.
        queries: of n users.
        truth: of the n users.
    """

    name: str
    past: Dataset
    queries: Queries
    truth: ItemLists

    def fitted(self, config: Config, seed: int) -> ScoringRetriever:
        """The retriever of this config, fitted on the past."""
        return RETRIEVERS[type(config)](config).fit(self.past, rng=np.random.default_rng(seed))

    def judged(self, model: ScoringRetriever) -> Mapping[str, FloatVector]:
        """Metric -> (n,) of the users, in a full ranking of what each may be shown."""
        return evaluate(single_lists(model, self.queries, K), self.truth, METRICS).per_user


def whole_exam(name: str, fold: Fold) -> NeuralExam:
    """Everybody whom the fold asks."""
    return NeuralExam(name, fold.past, fold_queries(fold), fold.truth)


def few_events_exam(name: str, fold: Fold) -> NeuralExam:
    """Those who have at most three events when they are asked."""
    few = np.flatnonzero(fold.history.lengths <= FEW)
    return NeuralExam(f"{name}, at most {FEW} events", fold.past, fold_queries(fold).take(few), fold.truth.take(few))


def cold_items_exam(name: str, data: Dataset, seed: int) -> Iterator[NeuralExam]:
    """A tenth of the items is taken out of the past: which of them, and which of all, will a user take?

    Items are numbered anew by chance first: in MovieLens low numbers are well-known films, and equal scores, such as
    the popularity of what nobody took, go by number.
    """
    data = renumbered(data, np.random.default_rng(seed))
    table = data.interactions
    taken = np.flatnonzero(table.item_counts)
    drawn = np.random.default_rng(seed).permutation(taken)[: round(HELD_OUT_SHARE * len(taken))]
    cold = np.zeros(table.items, bool)
    cold[drawn] = True
    past = data.restrict(~cold[table.item])
    truth = [np.unique(table.item[table.indptr[user] : table.indptr[user + 1]]) for user in range(table.users)]
    truth = [one[cold[one]] for one in truth]
    asked = np.array([user for user, one in enumerate(truth) if len(one) and past.interactions.user_counts[user]])
    history: Histories = past.interactions.histories.take(asked)
    features = data.user_features.dense()[asked] if data.user_features.dense_names else None
    for among, catalogue in (("cold items", cold), ("all items", table.item_counts > 0)):
        rule = Eligibility(catalogue, seen_items(history))
        queries = Queries(history, np.full(len(asked), table.end, np.int64), rule, features)
        wanted = ItemLists.of([truth[user] for user in asked])
        yield NeuralExam(f"{name}, held-out items among {among}", past, queries, wanted)


def renumbered(data: Dataset, rng: np.random.Generator) -> Dataset:
    """The same interactions and features, the items in an order that ``rng`` draws; without ids and titles."""
    table, known = data.interactions, data.item_features
    order = rng.permutation(table.items)
    sizes = {"users": table.users, "items": table.items}
    drawn = Interactions.of(table.user, np.argsort(order)[table.item], table.time, table.weight, **sizes)
    features = FeatureTable(
        table.items,
        {name: column[order] for name, column in known.numeric.items()},
        {name: Categories(column.code[order], column.values) for name, column in known.categorical.items()},
        {name: Tags(column.lists.take(order), column.values) for name, column in known.tags.items()},
    )
    return replace(Dataset.of(drawn, data.name), user_features=data.user_features, item_features=features)


def hit_rate_of_hundred(exam: NeuralExam, model: ScoringRetriever, seed: int) -> FloatVector:
    """(n,) whether the wanted item is among the ten best of itself and 99 others: he2017, section 4.1.

    The others are drawn evenly among items that the user did not take. A protocol of old: it flatters, and says little
    of a full ranking (krichene2020).
    """
    rng, found = np.random.default_rng(seed), np.zeros(len(exam.truth))
    allowed = exam.queries.eligible.mask(len(exam.queries))
    scored = scored_by(model, exam.queries)
    for user in range(len(exam.truth)):
        wanted = int(exam.truth.row(user)[0])
        others = np.setdiff1d(np.flatnonzero(allowed[user]), [wanted])
        item = np.append(rng.choice(others, min(OTHERS, len(others)), replace=False), wanted).astype(np.int32)
        score = scored.at(np.full(len(item), user, np.int32), item)
        found[user] = (score[:-1] >= score[-1]).sum() < K
    return found
