"""What a retriever may learn from, and that all it learnt can be saved."""

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from encorec.data.dataset import Dataset
from encorec.errors import NotFitted
from encorec.protocols import Arrays
from encorec.testing.contract import differing, same_candidates, through_json
from encorec.testing.questions import everybody, known_users, renumbered
from encorec.testing.retriever_case import PLACES, RetrieverCase


def refuses_before_fit(case: RetrieverCase) -> None:
    """An unfitted retriever says so instead of guessing."""
    told = "answers before fit; allowed is NotFitted"
    try:
        case.make().retrieve(known_users(case.data), PLACES)
    except NotFitted:
        return
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        told = f"fails before fit with {type(error).__name__}; raise NotFitted instead"
    case.require(False, told)


def same_seed_gives_same_answers(case: RetrieverCase) -> None:
    """Two fits under one seed learn the same arrays and propose the same items."""
    second = case.fit(case.data)
    differs = differing(case.model.arrays(), second.arrays())
    case.require(
        not differs, f"two fits under one seed learn different {differs}; draw from the rng given and nothing else"
    )
    queries = known_users(case.data)
    same = same_candidates(case.answer(queries, PLACES), case.answer(queries, PLACES, second))
    case.require(same, "two fits under one seed answer differently; keep all that is learnt in arrays()")


def leaves_data_as_they_are(case: RetrieverCase) -> None:
    """Learning changes nothing in the data set."""
    given = deepcopy(case.data)
    case.make().fit(given, rng=np.random.default_rng(case.seed))
    differs = differing(_columns(given), _columns(case.data))
    case.require(not differs, f"fit changed {differs} of the data it was given; work on a copy")


def user_numbers_do_not_matter(case: RetrieverCase) -> None:
    """Users numbered anew are the same users: nothing is learnt from a number."""
    row = np.random.default_rng(case.seed).permutation(case.data.interactions.users)
    queries = everybody(case.data)
    scores, again = case.table(case.model, queries), case.table(case.fit(renumbered(case.data, row)), queries)
    moved, allowed = np.abs(scores - again).max(initial=0), case.tolerance * np.abs(scores).max(initial=0)
    told = f"scores move by {moved:.2g} when users are numbered anew, allowed is {allowed:.2g}"
    case.require(moved <= allowed, f"{told}; learn from what users did, not from their numbers")


def loaded_equals_saved(case: RetrieverCase) -> None:
    """Arrays through files, memory-mapped and read-only, and the configuration through JSON: the same answers."""
    queries = everybody(case.data)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        loaded = type(case.model).from_arrays(through_json(case.model.config), _saved_and_loaded(case, Path(folder)))
        same = same_candidates(case.answer(queries, PLACES), case.answer(queries, PLACES, loaded))
        case.require(same, "answers differently after save and load; keep all that is learnt in arrays()")
        differs = differing(case.model.arrays(), loaded.arrays())
        case.require(not differs, f"has different {differs} after save and load")


def _saved_and_loaded(case: RetrieverCase, folder: Path) -> Arrays:
    loaded = {}
    for name, array in case.model.arrays().items():
        plain = isinstance(array, np.ndarray) and not array.dtype.hasobject
        case.require(
            plain,
            f"arrays() holds {name!r} of type {type(array).__name__}; allowed are arrays of plain numbers or text",
        )
        np.save(folder / name, np.ascontiguousarray(array), allow_pickle=False)
        loaded[name] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
    return loaded


def _columns(data: Dataset) -> Arrays:
    names = ("user", "item", "time", "weight", "indptr", "user_counts", "item_counts", "item_users")
    features = {"user_features": data.user_features.dense(), "item_features": data.item_features.dense()}
    return {**{name: getattr(data.interactions, name) for name in names}, **features}
