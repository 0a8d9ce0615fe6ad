"""Small worlds for the laws of the metrics: a few users, their lists, what they wanted, what they did before."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from encorec.data.interactions import Interactions
from encorec.evaluation.metrics.lists import JudgedLists, judge
from encorec.types import IntMatrix, ItemLists


@dataclass(frozen=True)
class World:
    """Plain Python lists, as a slow twin reads them."""

    shown: list[list[int]]
    relevant: list[list[int]]
    seen: list[tuple[int, int]]
    items: int
    width: int

    @property
    def recommended(self) -> IntMatrix:
        padded = [[*row, *[-1] * (self.width - len(row))] for row in self.shown]
        return np.array(padded, np.int32).reshape(len(padded), self.width)

    @property
    def truth(self) -> ItemLists:
        return ItemLists.of(self.relevant)

    @property
    def lists(self) -> JudgedLists:
        return judge(self.recommended, self.truth)

    @property
    def train(self) -> Interactions:
        user, item = zip(*self.seen, strict=True)
        return Interactions.of(list(user), list(item), list(range(len(user))), users=9, items=self.items)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    items, users, width = draw(st.integers(1, 12)), draw(st.integers(1, 6)), draw(st.integers(0, 8))
    item = st.integers(0, items - 1)
    shown = st.lists(item, unique=True, max_size=min(width, items))
    relevant = st.lists(item, unique=True, min_size=1, max_size=items)
    return World(
        shown=[draw(shown) for _ in range(users)],
        relevant=[draw(relevant) for _ in range(users)],
        seen=draw(st.lists(st.tuples(st.integers(0, 8), item), min_size=1, max_size=25)),
        items=items,
        width=width,
    )
