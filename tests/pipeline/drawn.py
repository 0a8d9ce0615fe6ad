"""Small data sets and questions drawn by hypothesis, in plain Python for slow twins and as arrays for the code."""

from dataclasses import dataclass, replace
from math import nan

import numpy as np
from hypothesis import strategies as st

from encorec.data.dataset import Dataset
from encorec.data.features import Categories, FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.pipeline.candidate_features.context import Context
from encorec.types import Candidates, Eligibility, Histories, ItemLists, Queries

HOUR, DAY = 3_600, 86_400
START = 20_000 * DAY + 7 * HOUR
SOURCES = ("first", "second")

Event = tuple[int, int, float]
"""Item, second, weight."""


@dataclass(frozen=True)
class Asked:
    """One query: events by time, and candidates in catalogue order with each source's score and rank."""

    history: list[Event]
    now: int
    features: list[float]
    candidates: list[int]
    scores: list[list[float]]
    ranks: list[list[float]]


@dataclass(frozen=True)
class World:
    """What is learnt from, and what is asked."""

    rows: list[tuple[int, int, int, float]]
    years: list[float]
    kinds: list[str | None]
    genres: list[list[str]]
    ages: list[float]
    sexes: list[str | None]
    asked: list[Asked]

    @property
    def data(self) -> Dataset:
        users, items = len(self.ages), len(self.years)
        columns = [list(column) for column in zip(*self.rows, strict=True)]
        data = Dataset.of(Interactions.of(*columns, users=users, items=items))
        people = FeatureTable(users, {"age": np.array(self.ages, np.float32)}, {"sex": Categories.of(self.sexes)})
        year, kind = np.array(self.years, np.float32), Categories.of(self.kinds)
        shelf = FeatureTable(items, {"year": year}, {"kind": kind}, {"genres": Tags.of(self.genres)})
        return replace(data, user_features=people, item_features=shelf)

    def context(self, asked: list[Asked] | None = None) -> Context:
        """The questions (all of them if not told otherwise) as arrays."""
        chosen = self.asked if asked is None else asked
        queries = Queries(
            histories_of([one.history for one in chosen]),
            np.array([one.now for one in chosen]),
            Eligibility(np.ones(len(self.years), bool)),
            np.array([one.features for one in chosen], np.float32),
        )
        return Context(queries, candidates_of(chosen), {})


def histories_of(events: list[list[Event]]) -> Histories:
    plain = Histories.of([([item for item, _, _ in one], [time for _, time, _ in one]) for one in events])
    return replace(plain, weight=np.array([weight for one in events for _, _, weight in one], np.float32))


def candidates_of(asked: list[Asked]) -> Candidates:
    lists = ItemLists.of([one.candidates for one in asked])
    scores = np.array([row for one in asked for row in one.scores], np.float32)
    ranks = np.array([row for one in asked for row in one.ranks], np.float32)
    return Candidates(lists.owner.astype(np.int32), lists.item, scores, ranks, SOURCES)


def moments(days: int = 12) -> st.SearchStrategy[int]:
    """Seconds on whole hours, so that days begin and end at some of them."""
    return st.integers(0, 24 * days).map(lambda hours: START + HOUR * hours)


@st.composite
def questions(draw: st.DrawFn, world_items: int, sexes: list[str | None]) -> Asked:
    item = st.integers(0, world_items - 1)
    weight = st.sampled_from([1.0, 2.0, 0.5])
    now = draw(moments(days=80))
    time = st.integers(0, 24 * 80).map(lambda hours: now - HOUR * hours - 1)
    history = sorted(draw(st.lists(st.tuples(item, time, weight), max_size=9)), key=lambda event: event[1])
    chosen = sorted(draw(st.sets(item, min_size=1)))
    score = st.one_of(st.just(nan), st.floats(-4, 4, width=32))
    rank = st.one_of(st.just(nan), st.integers(1, 99).map(float))
    known = len({sex for sex in sexes if sex is not None})
    code = st.sampled_from([nan, *map(float, range(known))])
    return Asked(
        history,
        now,
        [draw(st.sampled_from([nan, 20.0, 45.5])), draw(code)],
        chosen,
        [[draw(score) for _ in SOURCES] for _ in chosen],
        [draw(st.tuples(rank, rank).filter(lambda pair: pair != (nan, nan)).map(list)) for _ in chosen],
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    users, items = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    row = st.tuples(st.integers(0, users - 1), st.integers(0, items - 1), moments(), st.sampled_from([1.0, 3.0]))
    sexes = draw(st.lists(st.sampled_from([None, "F", "M"]), min_size=users, max_size=users))
    kinds = st.lists(st.sampled_from([None, "film", "series"]), min_size=items, max_size=items)
    genres = st.lists(st.lists(st.sampled_from(["drama", "space", "war"]), unique=True), min_size=items, max_size=items)
    years = st.lists(st.sampled_from([nan, 1977.0, 1995.0, 2020.0]), min_size=items, max_size=items)
    return World(
        rows=draw(st.lists(row, min_size=1, max_size=30)),
        years=draw(years),
        kinds=draw(kinds),
        genres=draw(genres),
        ages=draw(st.lists(st.sampled_from([nan, 20.0, 45.5]), min_size=users, max_size=users)),
        sexes=sexes,
        asked=draw(st.lists(questions(items, sexes), min_size=1, max_size=4)),
    )
