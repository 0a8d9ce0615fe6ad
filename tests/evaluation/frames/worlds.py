"""Small tables of lists, truth, training data and items, in any order of rows, and what a slow twin says of them."""

from dataclasses import dataclass
from math import log2

import polars as pl
from hypothesis import strategies as st

Pair = tuple[int, int]


@dataclass(frozen=True)
class Tables:
    """Plain Python, as a slow twin reads it: user -> items, best first; user -> wanted items."""

    shown: dict[int, list[int]]
    wanted: dict[int, set[int]]
    seen: list[Pair]
    genres: dict[int, list[str]]

    @property
    def recs(self) -> pl.DataFrame:
        rows = [(user, item, rank) for user, items in self.shown.items() for rank, item in enumerate(items, 1)]
        return pl.DataFrame(rows, schema={"user_id": pl.Int64, "item_id": pl.Int64, "rank": pl.Int64}, orient="row")

    @property
    def truth(self) -> pl.DataFrame:
        return _pairs([(user, item) for user, items in self.wanted.items() for item in items])

    @property
    def train(self) -> pl.DataFrame:
        return _pairs(self.seen)

    @property
    def items(self) -> pl.DataFrame:
        return pl.DataFrame(
            {"item_id": list(self.genres), "genres": [", ".join(one) for one in self.genres.values()]},
            schema={"item_id": pl.Int64, "genres": pl.String},
        )


def _pairs(rows: list[Pair]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"user_id": pl.Int64, "item_id": pl.Int64}, orient="row")


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    user, item = st.integers(-3, 12), st.integers(-2, 9)
    lists = st.lists(item, unique=True, min_size=1, max_size=7)
    wanted = draw(st.dictionaries(user, st.sets(item, min_size=1, max_size=6), min_size=1, max_size=6))
    shown = draw(st.dictionaries(user, lists, max_size=6))
    shown[next(iter(wanted))] = draw(lists)
    pairs = st.lists(st.tuples(user, item), min_size=1, max_size=20)
    genre = st.lists(st.sampled_from(["drama", "war", "comedy"]), unique=True, min_size=1)
    genres = draw(st.dictionaries(item, genre, min_size=1))
    if not any(len(one) > 1 for one in genres.values()):
        genres[20] = ["drama", "war"]
    return Tables(shown, wanted, draw(pairs), genres)


def slow_metrics(shown: list[int], wanted: set[int], k: int) -> dict[str, float]:
    """One user, word for word from the definitions."""
    cut = shown[:k]
    hits = [item in wanted for item in cut]
    found = sum(hits)
    precisions = [sum(hits[: place + 1]) / (place + 1) for place in range(len(cut))]
    gained = sum(1 / log2(place + 2) for place, hit in enumerate(hits) if hit)
    return {
        f"precision@{k}": found / k,
        f"recall@{k}": found / len(wanted),
        f"hit_rate@{k}": float(found > 0),
        f"mrr@{k}": 1 / (hits.index(True) + 1) if found else 0.0,
        f"map@{k}": sum(one for one, hit in zip(precisions, hits, strict=True) if hit) / len(wanted),
        f"ndcg@{k}": gained / sum(1 / log2(place + 2) for place in range(min(k, len(wanted)))),
    }
