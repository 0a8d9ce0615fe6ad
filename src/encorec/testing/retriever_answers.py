"""What an answer may depend on, and that its parts agree with each other."""

from copy import deepcopy
from dataclasses import replace

import numpy as np

from encorec.protocols import Arrays, Explainer, ItemSimilarity, is_scorer
from encorec.testing.contract import differing, same_bits, same_candidates
from encorec.testing.questions import everybody, guests, known_users, mixed_rules
from encorec.testing.retriever_case import PLACES, RetrieverCase
from encorec.types import Candidates, Histories, Queries


def asked_user_does_not_matter(case: RetrieverCase) -> None:
    """The answer follows from history, features and time; ``queries.user`` is for logs."""
    queries = known_users(case.data)
    answer = case.answer(queries, PLACES)
    for user in (None, np.full(len(queries), -1, np.int32)):
        same = same_candidates(answer, case.answer(replace(queries, user=user), PLACES))
        case.require(
            same, "answers depend on queries.user; use the history, so that a new user is served like any other"
        )


def leaves_queries_as_they_are(case: RetrieverCase) -> None:
    """Answering changes nothing in the queries: their arrays may be shared and read-only."""
    queries = mixed_rules(guests(case.data))
    given = deepcopy(queries)
    case.answer(given, PLACES)
    differs = differing(_columns(queries), _columns(given))
    case.require(not differs, f"retrieve changed {differs} of the queries; work on a copy")


def cut_history_equals_its_copy(case: RetrieverCase) -> None:
    """A history cut before a time is a view with later events behind it: nobody looks at those."""
    queries = known_users(case.data)
    history = queries.history
    middle = np.array([_middle(history, row) for row in range(len(history))], np.int64)
    view = history.before(middle)
    same = same_candidates(
        case.answer(queries.with_history(view), PLACES), case.answer(queries.with_history(view.compact()), PLACES)
    )
    case.require(
        same, "answers depend on events behind the cut of a history; read it from starts to stops, or compact it"
    )


def batch_equals_one_by_one(case: RetrieverCase) -> None:
    """Each query asked alone gets, to the last bit, what it gets among others."""
    queries = everybody(case.data)
    for asked, n in ((queries, queries.items), (mixed_rules(queries), PLACES)):
        together = case.answer(asked, n)
        for row in range(len(asked)):
            same = same_candidates(_of_query(together, row), case.answer(asked.take(np.array([row])), n))
            case.require(same, f"query {row} is answered differently alone and among others; sum in one fixed order")


def scores_agree_with_candidates(case: RetrieverCase) -> None:
    """Where the whole catalogue is scored, candidates carry these scores and are the best of them."""
    model, queries = case.model, mixed_rules(everybody(case.data))
    if not is_scorer(model):
        return
    scores, found = model.scores(queries), case.answer(queries, PLACES)
    allowed = (len(queries), queries.items)
    case.require(scores.shape == allowed, f"scores have the shape {scores.shape}, allowed is {allowed}")
    case.require(not np.isnan(scores).any(), "scores hold NaN; allowed is a number for every item")
    carried = same_bits(scores[found.query, found.item], found.score[:, 0])
    case.require(carried, "candidates carry other scores than scores() gives their items")
    rest = np.where(queries.eligible.mask(len(queries)), scores, -np.inf)
    rest[found.query, found.item] = -np.inf
    missed = rest.max(axis=1, initial=-np.inf)[found.query] > found.score[:, 0]
    case.require(not missed.any(), "an eligible item scores above a candidate and is none; propose the best")


def similarities_are_numbers(case: RetrieverCase) -> None:
    """Where items are compared, each is compared with all: one row of finite numbers per item asked."""
    model, items = case.model, np.arange(min(3, case.data.interactions.items))
    if not isinstance(model, ItemSimilarity):
        return
    found = model.similar(items)
    allowed = (len(items), case.data.interactions.items)
    case.require(found.shape == allowed, f"similar gives the shape {found.shape}, allowed is {allowed}")
    case.require(np.isfinite(found).all(), "similar gives NaN or infinity; allowed are finite numbers")


def reasons_are_of_the_history(case: RetrieverCase) -> None:
    """Where answers are explained: items of the history, each once, with finite shares that do not rise."""
    model, queries = case.model, everybody(case.data)
    if not isinstance(model, Explainer):
        return
    found = case.answer(queries, 1)
    asked = np.zeros(len(queries), np.int32)
    asked[found.query] = found.item
    reasons = model.explain(queries, asked)
    offsets = reasons.indptr
    fits = len(offsets) == len(queries) + 1 and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
    fits = fits and offsets[-1] == len(reasons.item) == len(reasons.share)
    case.require(fits, "reasons have offsets that do not fit; allowed are (n + 1,) from 0 to the number of reasons")
    case.require(np.isfinite(reasons.share).all(), "reasons hold NaN or infinity; allowed are finite shares")
    for row in range(len(queries)):
        one = slice(offsets[row], offsets[row + 1])
        item, share = reasons.item[one], reasons.share[one]
        strange = set(item.tolist()) - set(queries.history.items(row).tolist())
        case.require(not strange, f"reasons of query {row} hold {sorted(strange)}; allowed are items of its history")
        case.require(len(set(item.tolist())) == len(item), f"reasons of query {row} name an item twice; add them up")
        case.require((np.diff(share) <= 0).all(), f"reasons of query {row} rise; put the strongest first")
        alone = model.explain(queries.take(slice(row, row + 1)), asked[row : row + 1])
        same = same_bits(alone.item, item) and same_bits(alone.share, share)
        case.require(same, f"reasons of query {row} differ when it is asked alone; compute each query for itself")


def _middle(history: Histories, row: int) -> int:
    times = history.time[history.starts[row] : history.stops[row]]
    return int(times[len(times) // 2]) if len(times) else 0


def _columns(queries: Queries) -> Arrays:
    rule, history = queries.eligible, queries.history
    parts = {
        "now": queries.now,
        "user": queries.user,
        "user_features": queries.user_features,
        "catalogue": rule.catalogue,
        "exclude": rule.exclude and rule.exclude.item,
        "allow": rule.allow and rule.allow.item,
        "restricted": rule.restricted,
        "history.item": history.item,
        "history.time": history.time,
        "history.weight": history.weight,
        "history.indptr": history.indptr,
    }
    return {name: column for name, column in parts.items() if column is not None}


def _of_query(found: Candidates, row: int) -> Candidates:
    """The candidates of one query, as the only query."""
    inside = found.query == row
    return Candidates(
        np.zeros_like(found.query[inside]), found.item[inside], found.score[inside], found.rank[inside], found.sources
    )
