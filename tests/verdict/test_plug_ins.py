"""Systems of one's own: found by name, built on the past, and refused with the reason where they break the rules."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worlds import small_world

from encorec.data.dataset import Dataset
from encorec.data.splits import LastN
from encorec.errors import ConfigError, DataError
from encorec.evaluation.backtest.settings import SystemConfig
from encorec.pipeline.eligibility import fold_queries
from encorec.retrieval.popularity import Popularity, PopularityConfig
from encorec.types import Candidates, Queries, Slate
from encorec.verdict.plug_ins import plug_in_factories, plug_in_system

DATA = small_world()
FOLD = LastN().folds(DATA)[0]
QUERIES = fold_queries(FOLD)
RNG = np.random.default_rng(0)
MODULE = """
import numpy as np

class Newest:
    def __init__(self, past, back=0):
        table = past.interactions
        order = np.argsort(-table.time, kind="stable")
        self.items = table.item[order][back:]
    def recommend(self, queries, k):
        lists = np.full((len(queries), k), -1)
        for row, allowed in enumerate(queries.eligible.mask(len(queries))):
            found = list(dict.fromkeys(self.items[allowed[self.items]].tolist()))[:k]
            lists[row, :len(found)] = found
        return lists

def make(past, rng, back=0):
    return Newest(past, back)

number = 3
class inner:
    make = make
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_shop.py").write_text(MODULE)
    (tmp_path / "torn_shop.py").write_text("import nothing_of_the_sort")
    (tmp_path / "broken_shop.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_shop", raising=False)
    return "own_shop"


def asked(answer: Callable[[Queries, int], Any], k: int = 3, method: str = "recommend") -> np.ndarray:
    """Lists of a system whose only method is ``answer``."""
    made = type("Own", (), {method: staticmethod(answer)})()
    return plug_in_system("mine", lambda *_: made, DATA, RNG)(QUERIES, k)


def test_a_system_is_imported_and_given_its_options(shop: str) -> None:
    config = {"mine": SystemConfig(factory=f"{shop}:make", options={"back": 5})}
    system = plug_in_system("mine", plug_in_factories(config, None, {})["mine"], FOLD.past, RNG)
    lists = system(QUERIES, 4)
    assert lists.shape == (298, 4)
    assert QUERIES.eligible.mask(298)[np.arange(298)[:, None], lists].all()


def test_an_attribute_of_an_attribute_is_found(shop: str) -> None:
    assert callable(plug_in_factories({"mine": SystemConfig(factory=f"{shop}:inner.make")}, None, {})["mine"])


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        ("own_shop", "evaluation.systems.mine.factory is 'own_shop', allowed is package.module:attribute"),
        ("own_shop:", "allowed is package.module:attribute"),
        ("../own_shop:make", "allowed is package.module:attribute"),
        ("own_shp:make", "evaluation.systems.mine.factory: there is no module 'own_shp'; it is looked for in the"),
        ("own_shop.more:make", "there is no module 'own_shop.more'"),
        ("own_shop:mak", "unknown attribute of own_shop 'mak': did you mean 'make'?"),
        ("own_shop:number", "own_shop:number is int, wanted is a function of (past, rng)"),
        ("torn_shop:make", "torn_shop needs the module 'nothing_of_the_sort', which is not installed"),
        ("broken_shop:make", "importing broken_shop failed: ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_be_imported_is_named(shop: str, factory: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        plug_in_factories({"mine": SystemConfig(factory=factory)}, None, {})


@pytest.mark.parametrize("name", ["two-stage", "rrf", "als"])
def test_names_of_the_pipeline_are_taken(name: str) -> None:
    with pytest.raises(ConfigError, match=f"evaluation.systems: '{name}' is a system of the pipeline"):
        plug_in_factories({}, {name: lambda *_: None}, {"als": None})


def test_a_name_means_one_system(shop: str) -> None:
    with pytest.raises(ConfigError, match="'mine' is in the configuration too"):
        plug_in_factories({"mine": SystemConfig(factory=f"{shop}:make")}, {"mine": lambda *_: None}, {})
    with pytest.raises(ConfigError, match="'mine' is int, wanted is a function"):
        plug_in_factories({}, {"mine": 3}, {})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("made", "told"), [(3, "a int"), (None, "a NoneType"), (Popularity, "the class Popularity")])
def test_an_object_must_answer(made: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=f"evaluation.systems.mine: the factory returned {told}, wanted is an object"):
        plug_in_system("mine", lambda *_: made, DATA, RNG)


def test_a_retriever_of_the_package_is_a_system() -> None:
    def factory(past: Dataset, rng: np.random.Generator) -> Popularity:
        return Popularity(PopularityConfig()).fit(past, rng=rng)

    system = plug_in_system("mine", factory, FOLD.past, RNG)
    mask = QUERIES.eligible.mask(298)
    counts = FOLD.past.interactions.item_users
    for row, items in enumerate(system(QUERIES, 5).tolist()):
        best = sorted(np.flatnonzero(mask[row]), key=lambda item: (-counts[item], item))[:5]
        assert counts[items].tolist() == counts[best].tolist()


def candidates(query: Any, item: Any, rank: Any) -> Candidates:
    query, item, rank = np.array(query, int), np.array(item, int), np.array(rank, float)
    return Candidates(query, item, np.ones(rank.shape), rank, ("mine",) * (rank.shape[1] if rank.ndim > 1 else 1))


def free(row: int, count: int) -> list[int]:
    """The first items that may be shown to a query."""
    return np.flatnonzero(QUERIES.eligible.mask(298)[row])[:count].tolist()


def test_candidates_are_put_in_order_of_their_rank() -> None:
    one, two, three = free(5, 3)
    found = candidates([5, 5, 5], [one, two, three], [[2.0], [1.0], [3.0]])
    lists = asked(lambda *_: found, method="retrieve")
    assert lists[5].tolist() == [two, one, three]
    assert (np.delete(lists, 5, axis=0) == -1).all()


def test_a_slate_and_short_lists_are_taken_too() -> None:
    slate = Slate.empty(298, 2)
    slate.item[0] = free(0, 2)
    assert asked(lambda *_: slate)[0].tolist() == [*free(0, 2), -1]
    assert asked(lambda queries, _: np.full((len(queries), 1), -1)).shape == (298, 3)


def with_first(row: list[int]) -> Callable[[Queries, int], np.ndarray]:
    def answer(queries: Queries, k: int) -> np.ndarray:
        lists = np.full((len(queries), k), -1)
        lists[0] = row
        return lists

    return answer


SEEN = int(FOLD.history.items(0)[0])
BREACHES: dict[str, tuple[Callable[[Queries, int], Any], str]] = {
    "too few lists": (lambda _, k: np.zeros((3, k), int), "the lists have shape (3, 3), wanted is (298, 3)"),
    "too long": (lambda *_: np.zeros((298, 4), int), "the lists have shape (298, 4), wanted is (298, 3)"),
    "not numbers": (lambda _, k: [["a"] * k] * 298, "the lists have shape (298, 3) of <U1, wanted are"),
    "fractions": (lambda _, k: np.zeros((298, k)), "of float64, wanted are candidates, a slate or integers"),
    "nothing": (lambda *_: None, "the lists have shape () of object"),
    "no such item": (with_first([150, -1, -1]), "item 150 for user 0, allowed are the rows 0 to 149 and -1"),
    "below": (with_first([-2, -1, -1]), "item -2 for user 0"),
    "a gap": (with_first([-1, *free(0, 2)]), "the list for user 0 has an empty place before an item"),
    "twice": (with_first([free(0, 1)[0]] * 3), "the list for user 0 has an item twice"),
    "seen": (with_first([SEEN, -1, -1]), f"item {SEEN} at place 1 for user 0 may not be shown"),
    "never taken": (with_first([149, -1, -1]), "item 149 at place 1 for user 0 may not be shown"),
    "foreign query": (lambda *_: candidates([298], [1], [[1.0]]), "candidates of query 298, asked were 298"),
    "too many": (lambda *_: candidates([0] * 4, range(4), [[1.0]] * 4), "4 candidates for one query, asked"),
    "two sources": (lambda *_: candidates([0], [1], [[1.0, 2.0]]), "candidates of 2 sources or without rank"),
    "no rank": (lambda *_: candidates([0], [1], [[np.nan]]), "candidates of 1 sources or without rank"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_lists_that_break_the_rules_are_refused(breach: str) -> None:
    answer, told = BREACHES[breach]
    with pytest.raises(DataError, match=re.escape("evaluation.systems.mine: ") + ".*" + re.escape(told)):
        asked(answer)


def test_no_candidates_at_all_are_empty_lists() -> None:
    nothing = candidates([], [], np.empty((0, 1)))
    assert (asked(lambda *_: nothing, method="retrieve") == -1).all()
