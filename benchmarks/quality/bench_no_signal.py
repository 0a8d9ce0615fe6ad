"""Where there is nothing to learn, does the verdict say so? A small log whose items are exchanged at random, 100 times.

    python -m benchmarks.quality.bench_no_signal [--seeds N]

Items are exchanged between users, so every user keeps his number of events and their times, and every item keeps its
number of users: nothing but popularity is left, and no user takes an item twice. Each seed is a whole run: the exam,
the verdict, the refit on all data, and the order that the artifact would serve.
"""

import csv
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
from benchmarks.record import RESULTS, circumstances

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.sources import Table
from encorec.data.splits import LastN
from encorec.pipeline.eligibility import fold_queries
from encorec.pipeline.fit import CandidatesConfig, TrainingConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.item_knn import ItemKNNConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.verdict import EvaluationConfig, single_lists
from encorec.workflow import RunConfig, examine, refit

USERS, ITEMS, DAYS = 400, 200, 60
FILE = RESULTS / "no_signal.csv"


def run(seed: int) -> RunConfig:
    """Three retrievers and the ranker with its default settings."""
    return RunConfig(
        name="no signal",
        data=Table(path="log.csv"),
        split=LastN(),
        seed=seed,
        retrievers={"steps": CovisitationConfig(), "knn": ItemKNNConfig(), "popular": PopularityConfig()},
        candidates=CandidatesConfig(per_source=40),
        training=TrainingConfig(folds=3, negatives=30),
        evaluation=EvaluationConfig(explain=False),
    )


def shuffled_log(seed: int) -> Dataset:
    """A log of users with tastes, whose items are then exchanged between users until nothing is left of the tastes."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(6, 25, USERS)
    user = np.repeat(np.arange(USERS), lengths)
    chance = 1 / (5 + np.arange(ITEMS))
    rows = [rng.choice(ITEMS, length, replace=False, p=chance / chance.sum()) for length in lengths]
    item = exchanged(user, np.concatenate(rows), rng)
    second = rng.integers(0, DAYS * 86_400, len(user)) + 20_000 * 86_400
    return Dataset.of(Interactions.of(user, item, second, users=USERS, items=ITEMS), "no-signal")


def exchanged(user: Any, item: Any, rng: np.random.Generator, rounds: int = 30) -> Any:
    """(m,) the items after many exchanges between two users each; none that would give a user an item twice.

    Exchanges hold both margins and reach every table of that kind: ryser1957.
    """
    item, width = item.copy(), int(item.max()) + 1
    has = set((user.astype(np.int64) * width + item).tolist())
    for first, second in rng.integers(0, len(item), (rounds * len(item), 2)).tolist():
        one, other, own, theirs = user[first], user[second], item[first], item[second]
        new = int(one) * width + int(theirs), int(other) * width + int(own)
        if one == other or new[0] in has or new[1] in has:
            continue
        has -= {int(one) * width + int(own), int(other) * width + int(theirs)}
        has |= set(new)
        item[first], item[second] = theirs, own
    return item


def judged(seed: int) -> dict[str, Any]:
    """One seed: what the verdict says, and whether the pipeline that would be served is the best retriever alone."""
    begin = time.perf_counter()
    data, config = shuffled_log(seed), run(seed)
    exam = examine(config, data)
    served = refit(config, data, exam)
    verdict = exam.report["verdict"]
    gain = exam.report["comparisons"][verdict["best_retriever"]]
    return {
        "seed": seed,
        "win": verdict["win"],
        "best": verdict["best_retriever"],
        "gain": gain["mean"],
        "gain_low": gain["ci95"][0],
        "gain_high": gain["ci95"][1],
        "falls_back": falls_back(served, exam.test, verdict["best_retriever"]),
        "seconds": round(time.perf_counter() - begin, 2),
    }


def falls_back(served: Any, fold: Any, best: str) -> bool:
    """Whether the lists served are those of the best retriever alone."""
    queries = fold_queries(fold)
    alone = single_lists(served.first.retrievers[best], queries, 10)
    return served.ranker is None and bool((served.recommend(queries, 10).item == alone).all())


def seeds(count: int) -> Iterator[dict[str, Any]]:
    """Every seed, said aloud."""
    for seed in range(count):
        found = judged(seed)
        print({name: round(one, 4) if isinstance(one, float) else one for name, one in found.items()}, flush=True)
        yield found


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    rows = list(seeds(parser.parse_args().seeds))
    same = [row for row in rows if not row["win"]]
    fallen = sum(row["falls_back"] for row in same)
    print(f"no better: {len(same)} of {len(rows)}; the best retriever's order is served in {fallen} of these")
    print(f"{median(row['seconds'] for row in rows):.1f} s per seed")
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [*rows[0], *circumstances()], lineterminator="\n")
        table.writeheader()
        table.writerows({**row, **circumstances()} for row in rows)


if __name__ == "__main__":
    main()
