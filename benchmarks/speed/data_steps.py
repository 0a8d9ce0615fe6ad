"""Steps from nothing to a data set and its exams, for ``fresh.measure``. Every one tells its interactions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
from benchmarks.peers.zipf import distinct_draws
from benchmarks.speed import prepared
from benchmarks.speed.size import SEED, Size

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.sources import Kion, load, load_frame
from encorec.data.synthetic.world import World
from encorec.evaluation.evaluate import evaluate
from encorec.types import ItemLists

__all__ = ["build", "fold", "generate", "judge", "load_folder", "load_zip", "number", "untouched"]

METRICS = ("precision", "recall", "hit_rate", "map", "mrr", "ndcg", "miuf", "serendipity", "avg_popularity", "coverage")
K, RELEVANT, JUDGED = 10, 3, 100_000


def generate(share: float) -> Callable[[], int]:
    """The world itself."""
    world = Size(share).world
    return lambda: len(World.of(world).views.item)


def load_zip(share: float) -> Callable[[], int]:
    """KION's zip into a data set."""
    source = Kion(path=str(prepared.kion_zip(share)))
    return lambda: len(load(source).interactions)


def load_folder(share: float) -> Callable[[], int]:
    """KION's CSV files, unpacked, into a data set."""
    source = Kion(path=str(prepared.kion_folder(share)))
    return lambda: len(load(source).interactions)


def build(share: float) -> Callable[[], int]:
    """Arrays of row numbers in any order into a data set."""
    table = prepared.data(share).interactions
    order = np.random.default_rng(SEED).permutation(len(table))
    columns = table.user[order], table.item[order], table.time[order]
    return lambda: len(Dataset.of(Interactions.of(*columns, users=table.users, items=table.items)).interactions)


def number(share: float) -> Callable[[], int]:
    """A frame of ids in any order into a data set."""
    whole = prepared.data(share)
    table = whole.interactions
    ids = {"user_id": whole.users.ids[table.user], "item_id": whole.items.ids[table.item], "timestamp": table.time}
    frame = pl.DataFrame(ids).sample(fraction=1, shuffle=True, seed=SEED)
    return lambda: len(load_frame(frame).interactions)


def fold(share: float) -> Callable[[], int]:
    """The exam of the reference run."""
    whole, split = prepared.data(share), prepared.config().split
    return lambda: len(split.folds(untouched(whole))[-1].past.interactions)


def judge(share: float) -> Callable[[], int]:
    """Ten metrics of lists of ten for 100,000 users at scale 1, with the interactions that novelty is counted from."""
    whole, rng = prepared.data(share), np.random.default_rng(SEED)
    users, items = round(JUDGED * share), len(whole.items)
    lists, wanted = distinct_draws(users, items, K, rng), distinct_draws(users, items, RELEVANT, rng)
    truth = ItemLists(np.arange(0, wanted.size + 1, RELEVANT), wanted.ravel())
    names = [f"{name}@{K}" for name in METRICS]

    def run() -> int:
        train = untouched(whole).interactions
        evaluate(lists, truth, names, train=train)
        return len(train)

    return run


def untouched(whole: Dataset) -> Dataset:
    """The same data with nothing counted yet."""
    return replace(whole, interactions=replace(whole.interactions))
