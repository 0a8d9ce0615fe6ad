"""What a retriever that takes in new interactions must still be: the one that learnt everything at once."""

from typing import Any, cast

import numpy as np

from encorec.data.dataset import Dataset
from encorec.protocols import Updatable
from encorec.testing.contract import differing, same_candidates
from encorec.testing.questions import everybody, first_of
from encorec.testing.retriever_case import PLACES, RetrieverCase
from encorec.types import IntVector

SHARES = (0.5, 0.75, 0.9, 1.0)


def updates_equal_a_refit(case: RetrieverCase) -> None:
    """Where there is ``update``: the log in random parts, users and items growing, gives the scores of one fit."""
    if not isinstance(case.model, Updatable):
        return
    part = _parts(case)
    data = _part(case, part, 0)
    model: Any = case.fit(data)
    for step in range(1, len(SHARES)):
        new = _part(case, part, step)
        data = data.joined(new.interactions, new)
        model = model.update(data, new.interactions)
    queries = everybody(data)
    scores, wanted = case.table(model, queries), case.table(case.fit(data), queries)
    moved, allowed = np.abs(scores - wanted).max(initial=0), case.tolerance * np.abs(wanted).max(initial=0)
    told = f"scores after {len(SHARES) - 1} updates are {moved:.2g} from those of one fit, allowed is {allowed:.2g}"
    case.require(moved <= allowed, f"{told}; leave update out where it cannot be equal")


def update_leaves_the_old_one(case: RetrieverCase) -> None:
    """Where there is ``update``: it makes a new retriever; the old one learns nothing, and no event changes nothing."""
    if not isinstance(case.model, Updatable):
        return
    part = _parts(case)
    data, new = _part(case, part, 0), _part(case, part, len(SHARES) - 1)
    model, queries = case.fit(data), everybody(data)
    before, learnt = case.answer(queries, PLACES, model), {name: one.copy() for name, one in model.arrays().items()}
    cast(Updatable, model).update(data.joined(new.interactions, new), new.interactions)
    differs = differing(learnt, model.arrays())
    case.require(not differs, f"update changed {differs} of the old retriever; make a new one")
    idle: Any = cast(Updatable, model).update(data, data.interactions.take(np.empty(0, np.int64)))
    same = same_candidates(before, case.answer(queries, PLACES, idle))
    case.require(same, "answers differently after an update without events; allowed is the same answer")


def _parts(case: RetrieverCase) -> IntVector:
    """(m,) the step at which each interaction becomes known: at random, but not before its user and its item."""
    table = case.data.interactions
    drawn = np.random.default_rng(case.seed).integers(0, len(SHARES), len(table))
    users, items = _sizes(table.users), _sizes(table.items)
    known = np.maximum(np.searchsorted(users, table.user, "right"), np.searchsorted(items, table.item, "right"))
    return np.maximum(drawn, known)


def _part(case: RetrieverCase, part: IntVector, step: int) -> Dataset:
    """What becomes known at one step, of the users and items known then."""
    table = case.data.interactions
    return first_of(case.data.restrict(part == step), _sizes(table.users)[step], _sizes(table.items)[step])


def _sizes(size: int) -> list[int]:
    return [int(np.ceil(share * size)) for share in SHARES]
