"""Metrics of 100,000 users x 10 items against RecTools ``calc_metrics`` and RePlay ``OfflineMetrics``.

The values are compared too: they must agree to 1e-9. RecTools takes pandas, RePlay is given Polars, which it is fastest
with, and Encorec is measured with either and with its own arrays, without intervals (which the others do not have) and
with them. All lists are full, since RecTools divides the serendipity of a
shorter one by its length and Encorec by k. Intra-list diversity is compared apart, for 20,000 users.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import versions
from benchmarks.peers.zipf import distinct_draws, interactions
from benchmarks.record import Measurement, in_turns, ratio, write

from encorec.data.features import FeatureTable, Tags
from encorec.data.interactions import Interactions
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.frames.measure import metrics
from encorec.types import IntMatrix, ItemLists

USERS, ITEMS, ROWS, K = 100_000, 15_706, 5_480_000, 10
DIVERSE_USERS, GENRES = 20_000, 30
ACCURACY = ("precision", "recall", "hit_rate", "map", "mrr", "ndcg")
NOVELTY = ("miuf", "serendipity", "avg_popularity", "coverage")
SEED, ROUNDS, TOLERANCE = 7, 5, 1e-9


@dataclass(frozen=True)
class Tables:
    """The same lists, truth, training interactions and features as arrays of Encorec and as frames.

    Args:
        recommended: (n, K) items.
        truth: of the n users.
        train: what the lists were learnt from.
        features: genres of the items.
        frames: by name: recommended, truth, train, features.
        pandas: the same frames of pandas.
    """

    recommended: IntMatrix
    truth: ItemLists
    train: Interactions
    features: FeatureTable
    frames: Mapping[str, pl.DataFrame]
    pandas: Mapping[str, Any]


def drawn() -> Tables:
    """Lists of 10 items, 3 relevant ones per user, 5.48 M training interactions, up to 3 genres per item."""
    rng = np.random.default_rng(SEED)
    log = interactions(10 * USERS, ITEMS, ROWS, rng)
    train = Interactions.of(*(log[name].to_numpy() for name in ("user_id", "item_id", "timestamp")), items=ITEMS)
    recommended, truth = distinct_draws(USERS, ITEMS, K, rng), distinct_draws(USERS, ITEMS, 3, rng)
    genres = distinct_draws(ITEMS, GENRES, 3, rng)
    kept = [one[: 1 + place % 3].tolist() for place, one in enumerate(genres)]
    tags = Tags.of([[f"genre {genre:02}" for genre in one] for one in kept])
    frames = {
        "recommended": long(recommended, rank=True),
        "truth": long(truth),
        "train": log.select("user_id", "item_id"),
        "features": dense(tags),
    }
    pandas = {name: frame.to_pandas() for name, frame in frames.items()}
    return Tables(recommended, as_lists(truth), train, FeatureTable(ITEMS, tags={"genre": tags}), frames, pandas)


def long(lists: IntMatrix, *, rank: bool = False) -> pl.DataFrame:
    """One row per filled place."""
    user, place = np.nonzero(lists >= 0)
    ranks = {"rank": place + 1} if rank else {}
    return pl.DataFrame({"user_id": user, "item_id": lists[user, place].astype(np.int64), **ranks})


def as_lists(matrix: IntMatrix) -> ItemLists:
    return ItemLists(np.arange(0, matrix.size + 1, matrix.shape[1]), matrix.ravel())


def dense(tags: Tags) -> pl.DataFrame:
    """The genres as columns of 0 and 1."""
    columns = np.zeros((ITEMS, len(tags.values)), np.int64)
    columns[tags.lists.owner, tags.lists.item] = 1
    return pl.DataFrame({"item_id": np.arange(ITEMS)}).hstack(pl.DataFrame(columns, schema=list(tags.values)))


class Answers:
    """Runs a side once; keeps what it said and returns its seconds."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, float]] = {}

    def of_peer(self, name: str, peer: Peer, call: str, **arguments: Any) -> Callable[[], float]:
        """A side that runs in a driver."""

        def run() -> float:
            answer = peer.ask(call, **arguments)
            self.values[name] = answer["values"]
            return answer["seconds"]

        return run

    def of_encorec(self, name: str, judged: Callable[[], Mapping[str, float]]) -> Callable[[], float]:
        """A side that runs here."""

        def run() -> float:
            began = time.perf_counter()
            values = judged()
            seconds = time.perf_counter() - began
            self.values[name] = {metric.partition("@")[0]: value for metric, value in values.items()}
            return seconds

        return run

    def check(self, reference: str) -> None:
        """Every value that another library gives must be that of ``reference``."""
        for name, values in self.values.items():
            for metric, value in values.items():
                expected = self.values[reference][metric]
                if abs(value - expected) > TOLERANCE * max(1, abs(expected)):
                    raise SystemExit(f"{metric}: {name} says {value!r}, {reference} says {expected!r}")


def accuracy_and_novelty(tables: Tables, rectools: Peer, replay: Peer) -> list[Measurement]:
    """All ten metrics; RePlay has the accuracy metrics, surprisal in place of MIUF, and coverage."""
    answers, names = Answers(), [f"{name}@{K}" for name in (*ACCURACY, *NOVELTY)]
    fewer = [f"{name}@{K}" for name in (*ACCURACY, "miuf", "coverage")]

    def arrays() -> Mapping[str, float]:
        train = replace(tables.train)  # a new one, so that nothing counted in an earlier round is remembered
        return evaluate(tables.recommended, tables.truth, names, train=train).means

    def of_frames(wanted: list[str], frames: Mapping[str, Any], resamples: int = 1) -> Mapping[str, float]:
        recommended, truth, train = (frames[name] for name in ("recommended", "truth", "train"))
        return metrics(recommended, truth, wanted, train=train, resamples=resamples).means

    sides = {
        "RecTools": answers.of_peer("RecTools", rectools, "accuracy_and_novelty", k=K),
        "RePlay, 8 metrics": answers.of_peer("RePlay, 8 metrics", replay, "accuracy_and_novelty", k=K),
        **{
            f"encorec, {name}": answers.of_encorec(name, judged)
            for name, judged in {
                "arrays": arrays,
                "pandas": partial(of_frames, names, tables.pandas),
                "Polars": partial(of_frames, names, tables.frames),
                "Polars, 8 metrics": partial(of_frames, fewer, tables.frames),
                "Polars, with intervals": partial(of_frames, names, tables.frames, 1000),
            }.items()
        },
    }
    seconds = in_turns(sides, ROUNDS)
    answers.values["RePlay, 8 metrics"].pop("map")  # divides by the smaller of k and the relevant: another definition
    answers.check("RecTools")
    ours = ("arrays", "pandas", "Polars", "Polars, with intervals")
    pairs = [("RecTools", f"encorec, {name}") for name in ours]
    pairs.append(("RePlay, 8 metrics", "encorec, Polars, 8 metrics"))
    return rows(f"accuracy and novelty, {USERS} users", seconds, pairs)


def diversity(tables: Tables, rectools: Peer) -> list[Measurement]:
    """Intra-list diversity by genres, Hamming."""
    answers, names = Answers(), [f"ild@{K}"]
    lists, truth = tables.recommended[:DIVERSE_USERS], tables.truth.take(slice(0, DIVERSE_USERS))

    def of_frames(frames: Mapping[str, Any]) -> Mapping[str, float]:
        recommended, judged = (head(frames[name]) for name in ("recommended", "truth"))
        return metrics(recommended, judged, names, items=frames["features"], resamples=1).means

    sides = {
        "RecTools": answers.of_peer("RecTools", rectools, "diversity", k=K, users=DIVERSE_USERS),
        "encorec, arrays": answers.of_encorec(
            "arrays", lambda: evaluate(lists, truth, names, item_features=tables.features).means
        ),
        "encorec, pandas": answers.of_encorec("pandas", partial(of_frames, tables.pandas)),
        "encorec, Polars": answers.of_encorec("Polars", partial(of_frames, tables.frames)),
    }
    seconds = in_turns(sides, ROUNDS)
    answers.check("RecTools")
    pairs = [("RecTools", name) for name in sides if name != "RecTools"]
    return rows(f"intra-list diversity, {DIVERSE_USERS} users", seconds, pairs)


def head(frame: Any) -> Any:
    """The rows of the first users, of a frame of either kind."""
    rows = np.asarray(frame["user_id"]) < DIVERSE_USERS
    return frame.filter(rows) if isinstance(frame, pl.DataFrame) else frame[rows]


def rows(case: str, seconds: Mapping[str, list[float]], pairs: list[tuple[str, str]]) -> list[Measurement]:
    """Seconds of every side, and the ratio of each pair."""
    measured = [Measurement(f"{case}: {name}", "s", values, SEED) for name, values in seconds.items()]
    return measured + [
        ratio(f"{case}: {theirs} / {ours}", seconds[theirs], seconds[ours], SEED) for theirs, ours in pairs
    ]


def main() -> None:
    tables = drawn()
    with (
        tempfile.TemporaryDirectory() as folder,
        Peer("rectools_metrics") as rectools,
        Peer("replay_metrics") as replay,
    ):
        for name, frame in tables.frames.items():
            frame.write_parquet(Path(folder, f"{name}.parquet"))
        rectools.ask("load", folder=folder, items=ITEMS)
        replay.ask("load", folder=folder)
        measured = [*accuracy_and_novelty(tables, rectools, replay), *diversity(tables, rectools)]
    write("metrics", measured, peers=versions())


if __name__ == "__main__":
    main()
