"""Neural models beside RecTools': SASRec, how good and how long to train, and DSSM, samples per second of training.

    python -m benchmarks.quality.bench_peer_neural [PART ...] [--movielens-1m FOLDER]

Parts: movielens-100k, movielens-1m (SASRec, leave-last-out, full ranking; both sides on one thread, RecTools with the
size and the epochs of its noted run), dssm (two towers of the same width on the generated cinema, all its
items and some 30,000 of its users, all cores, the sides in turns). A part that is not run keeps its rows.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import FOLDER, versions
from benchmarks.quality.neural_exams import NeuralExam, whole_exam
from benchmarks.quality.neural_rows import Row, kept_rows, shown, told, write_rows
from benchmarks.quality.peer_data import DATA
from benchmarks.quality.peer_tables import write_tables
from benchmarks.record import RESULTS, circumstances, in_turns
from benchmarks.speed.size import SEED, Size

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.sources import load
from encorec.data.splits import LastN
from encorec.evaluation.evaluate import evaluate
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.sasrec import SASRecConfig
from encorec.retrieval.two_tower import TwoTower, TwoTowerConfig

FILE = RESULTS / "peer_neural.csv"
HOME = FOLDER / "neural"
METRIC, K = "ndcg@10", 10
BY_NAME = {one.name: one for one in DATA}
OURS = {"movielens-100k": 12, "movielens-1m": 6}  # epochs
THEIRS = {"n_blocks": 2, "n_heads": 2, "n_factors": 64, "session_max_len": 100, "batch_size": 32, "dropout_rate": 0.2}
THEIR_EPOCHS = {"movielens-100k": 40, "movielens-1m": 15}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
USERS, EPOCHS, BATCH, SIZE = 20_000, 5, 1024, 64  # 5 epochs are the default of DSSM
THREADS = os.cpu_count() or 1
THEIR_DSSM = "dssm"


def sasrec(name: str, data: Dataset) -> Iterator[Row]:
    """Co-visitation, our SASRec and theirs, at one exam; gains are over theirs."""
    torch.set_num_threads(1)
    fold = LastN(n=1).folds(data)[0]
    exam = whole_exam(name, fold)
    with tempfile.TemporaryDirectory() as folder, Peer("rectools_neural", ONE_THREAD, HOME) as peer:
        write_tables(Path(folder), {"test": (fold.past, fold.user)})
        peer.ask("load", folder=folder, name="test", threads=1)
        answer = peer.ask("sasrec", epochs=THEIR_EPOCHS[name], settings=THEIRS, k=K, out=Path(folder, "lists.npy"))
        lists = np.load(Path(folder, "lists.npy"))
    theirs = evaluate(lists, fold.truth, [METRIC]).per_user[METRIC]
    yield {"exam": name, "library": "rectools", "model": "sasrec", **told(theirs, theirs), "seconds": answer["fit"]}
    for model, config in {
        "sasrec": our_sasrec(OURS[name]),
        "covisitation": CovisitationConfig(last=5, decay=0.7),
    }.items():
        values, seconds = judged(exam, config)
        row = {"exam": name, "library": "encorec", "model": model, **told(values, theirs), "seconds": seconds}
        yield {**row, "share": seconds / answer["fit"]}


def our_sasrec(epochs: int) -> SASRecConfig:
    """Chosen on the validation fold of MovieLens-100K; epochs for a third of the time that RecTools takes."""
    training = TrainingConfig(epochs=epochs, batch_size=32, learning_rate=2e-3, validation_users=0)
    return SASRecConfig(last=30, dropout=0.3, time_gaps=True, training=training)


def judged(exam: NeuralExam, config: Config) -> tuple[np.ndarray, float]:
    """NDCG@10 of every user, and the seconds of the fit."""
    began = time.perf_counter()
    model = exam.fitted(config, SEED)
    seconds = time.perf_counter() - began
    return exam.judged(model)[METRIC], seconds


def few_users_of_kion() -> Dataset:
    """Interactions of 20,000 users of the generated cinema, and of one more for every item, so that none is missing."""
    data = load(Size(1).world)
    table = data.interactions
    _, first = np.unique(table.item, return_index=True)
    drawn = np.random.default_rng(SEED).choice(table.users, USERS, replace=False)
    return data.restrict(np.isin(table.user, np.union1d(drawn, table.user[first])))


def dssm() -> Iterator[Row]:
    """Whole fits of five epochs, the sides in turns: samples per second, and pairs of a taken and another item."""
    data = few_users_of_kion()
    table = data.interactions
    known: dict[str, Any] = {
        "user_features": data.user_features.dense_names,
        "item_features": ("genres", "content_type"),
    }
    losses: dict[str, tuple[int, dict[str, Any]]] = {
        "triplet": (4096, {"loss": "triplet", "negatives": 1}),
        "softmax": (BATCH, {"loss": "softmax"}),
    }
    sides = {
        f"two-tower, {loss}": TwoTowerConfig(
            embedding_size=SIZE,
            training=TrainingConfig(epochs=EPOCHS, batch_size=batch, validation_users=0, precision="single"),
            **settings,
            **known,
        )
        for loss, (batch, settings) in losses.items()
    }
    others = {THEIR_DSSM: 1, "two-tower, triplet": 1, "two-tower, softmax": BATCH - 1}

    def ours(config: TwoTowerConfig) -> float:
        began = time.perf_counter()
        TwoTower(config).fit(data, rng=np.random.default_rng(SEED))
        return EPOCHS * len(table) / (time.perf_counter() - began)

    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder, Peer("rectools_neural", {}, HOME) as peer:
        write_tables(Path(folder), {"all": (data, np.flatnonzero(table.user_counts))})
        peer.ask("load", folder=folder, name="all", threads=THREADS)

        def theirs() -> float:
            answer = peer.ask("dssm", epochs=EPOCHS, batch=BATCH, size=SIZE)
            return answer["samples"] / answer["seconds"]

        measured = {side: lambda config=config: ours(config) for side, config in sides.items()}
        rates = in_turns({THEIR_DSSM: theirs, **measured}, rounds=3)
    base = statistics.median(rates[THEIR_DSSM])
    exam = f"{int((table.user_counts > 0).sum()):,} users, {int((table.item_counts > 0).sum()):,} items"
    for side, values in rates.items():
        rate = statistics.median(values)
        yield {
            "exam": exam,
            "library": "rectools" if side == THEIR_DSSM else "encorec",
            "model": side,
            "samples/s": rate,
            "times": rate / base,
            "pairs/s": rate * others[side],
        }


def rows_of(part: str, folder: Path | None) -> Iterator[Row]:
    """The rows of a part."""
    if part == "dssm":
        yield from dssm()
        return
    one = BY_NAME[part]
    if one.variable and folder is None:
        print(f"{part}: left out, its files are not given")
        return
    yield from sasrec(part, one.load(one.run(), folder))


PARTS = (*OURS, "dssm")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="only these: " + ", ".join(PARTS))
    given = os.environ.get("MOVIELENS_1M")
    parser.add_argument("--movielens-1m", type=Path, default=given and Path(given))
    found = parser.parse_args()
    if unknown := set(found.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    return found


def main() -> None:
    given = arguments()
    parts = given.parts or list(PARTS)
    rows = kept_rows(FILE, parts)
    peers = " ".join(f"{name}={number}" for name, number in versions(HOME, ("rectools", "torch", "numpy")).items())
    for part in parts:
        for row in rows_of(part, given.movielens_1m):
            print(" ".join(f"{name}={shown(value)}" for name, value in row.items()), flush=True)
            rows.append({"part": part, **row, "seed": SEED, **circumstances(), "peers": peers})
            write_rows(FILE, rows)


if __name__ == "__main__":
    main()
