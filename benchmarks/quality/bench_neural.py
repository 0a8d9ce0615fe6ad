"""Neural retrieval: how good it is, and how long it takes to train.

    python -m benchmarks.quality.bench_neural [PART ...] [--movielens-1m FOLDER] [--movietweetings FOLDER]

Parts: sequence (SASRec with several losses beside co-visitation, leave-last-out), towers (two-tower by softmax beside
the lecture's triplet and ALS with features, for everybody and for users with at most three events), neumf (his protocol
of 99 others beside full ranking), cold (items that nobody took). Every ranking is a full one but for the 99. Intervals
are over users, paired. A part that is not run keeps its rows. ``--trial`` trains one epoch and writes nothing.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from benchmarks.quality.neural_exams import (
    NeuralExam,
    cold_items_exam,
    few_events_exam,
    hit_rate_of_hundred,
    whole_exam,
)
from benchmarks.quality.neural_rows import Row, kept_rows, shown, told, write_rows
from benchmarks.quality.peer_data import DATA, PeerData
from benchmarks.record import RESULTS, circumstances
from benchmarks.speed.size import SEED

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.splits import Fold, LastN
from encorec.evaluation.backtest.exams import exams_of
from encorec.nn.training_config import TrainingConfig
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.content_knn import ContentKNNConfig
from encorec.retrieval.covisitation import CovisitationConfig
from encorec.retrieval.neumf import NeuMFConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.retrieval.sasrec import SASRecConfig
from encorec.retrieval.two_tower import TwoTowerConfig

FILE = RESULTS / "neural.csv"
METRIC = "ndcg@10"
BY_NAME = {one.name: one for one in DATA}


class Bench:
    """One run.

    Args:
        folders: data set -> folder of its files, where it needs one.
        trial: whether one epoch is enough.
    """

    def __init__(self, folders: Mapping[str, Path | None], trial: bool) -> None:
        self.folders, self.trial = folders, trial

    def load(self, name: str) -> Dataset | None:
        """The data set; none where its files are not given, which is said."""
        one: PeerData = BY_NAME[name]
        if one.variable and self.folders.get(name) is None:
            print(f"{name}: left out, its files are not given")
            return None
        return one.load(one.run(), self.folders.get(name))

    def fold(self, name: str, data: Dataset) -> Fold:
        """The newest exam of its configuration."""
        run = BY_NAME[name].run()
        *_, (_, fold) = exams_of(run.split, data, drop_seen=run.drop_seen)
        return fold

    def brief(self, config: Any) -> Config:
        """The config, or in a trial its first epoch."""
        if not self.trial or not hasattr(config, "training"):
            return config
        return msgspec.structs.replace(config, training=msgspec.structs.replace(config.training, epochs=1))

    def beside(self, exam: NeuralExam, configs: Mapping[str, Config]) -> Iterator[Row]:
        """One row per config, each compared with the first."""
        yield from self.beside_all((exam,), configs)

    def beside_all(self, exams: Sequence[NeuralExam], configs: Mapping[str, Config]) -> Iterator[Row]:
        """One row per config and exam, all of the same past; each is compared with the first config."""
        first: dict[str, np.ndarray] = {}
        for name, config in configs.items():
            began = time.perf_counter()
            model = exams[0].fitted(self.brief(config), SEED)
            seconds = time.perf_counter() - began
            for exam in exams:
                values = exam.judged(model)[METRIC]
                gain = told(values, first.setdefault(exam.name, values))
                yield {"exam": exam.name, "model": name, **gain, "fit seconds": seconds}

    def sequence(self) -> Iterator[Row]:
        """What SASRec gains from the time of the events, and from which loss, leave-last-out."""
        data = self.load("movielens-100k")
        if data is None:
            return
        training = TrainingConfig(epochs=18, batch_size=32, learning_rate=2e-3, validation_users=0)
        plain = SASRecConfig(last=30, dropout=0.3, time_gaps=False, training=training)
        timed = msgspec.structs.replace(plain, time_gaps=True)
        models = {
            "covisitation": CovisitationConfig(last=5, decay=0.7),
            "sasrec, softmax": plain,
            "sasrec, softmax, time gaps": timed,
            "sasrec, sampled softmax, time gaps": msgspec.structs.replace(timed, negatives=256),
            "sasrec, gbce, time gaps": msgspec.structs.replace(timed, loss="gbce", negatives=256),
        }
        yield from self.beside(whole_exam("movielens-100k", LastN(n=1).folds(data)[0]), models)

    def towers(self) -> Iterator[Row]:
        """Two towers for everybody and for those with few events."""
        for name in ("movietweetings", "synthetic-kion-tenth"):
            data = self.load(name)
            if data is None:
                continue
            fold = self.fold(name, data)
            items = tuple(one for one in ("genres", "content_type") if one in features_of(data))
            shared: dict[str, Any] = {"user_features": data.user_features.dense_names, "item_features": items}
            models = {
                "two-tower, softmax": TwoTowerConfig(**shared),
                "two-tower, triplet of the lecture": TwoTowerConfig(**shared, loss="triplet", negatives=1),
                "als with features": ALSConfig(**shared),
                "popularity": PopularityConfig(),
            }
            yield from self.beside_all((whole_exam(name, fold), few_events_exam(name, fold)), models)

    def neumf(self) -> Iterator[Row]:
        """The protocol of he2017, which has about .73 for NeuMF and .45 for popularity on the whole of MovieLens-1M."""
        for name in ("movielens-100k", "movielens-1m"):
            data = self.load(name)
            if data is None:
                continue
            exam = whole_exam(name, LastN(n=1).folds(data)[0])
            models = {
                "popularity": PopularityConfig(),
                "neumf": NeuMFConfig(),
                "neumf, pretrained": NeuMFConfig(pretraining=5),
            }
            first: dict[str, np.ndarray] = {}
            for model_name, config in models.items():
                began = time.perf_counter()
                model = exam.fitted(self.brief(config), SEED)
                seconds = time.perf_counter() - began
                found = {
                    f"{name}, hit rate among 100": hit_rate_of_hundred(exam, model, SEED),
                    f"{name}, hit rate among all": exam.judged(model)["hit_rate@10"],
                }
                for asked, values in found.items():
                    gain = told(values, first.setdefault(asked, values))
                    yield {"exam": asked, "model": model_name, **gain, "fit seconds": seconds}

    def cold(self) -> Iterator[Row]:
        """Items that nobody took, by their features."""
        for name in ("movielens-100k", "synthetic-kion-tenth"):
            data = self.load(name)
            if data is None:
                continue
            features = tuple(one for one in ("genres", "content_type", "release_year") if one in features_of(data))
            models: dict[str, Config] = {
                "popularity": PopularityConfig(),
                "content-knn": ContentKNNConfig(),
                "two-tower": TwoTowerConfig(item_features=features, id_dropout=0.3),
            }
            if name == "movielens-100k":  # on the other it trains for ten minutes and more
                models["sasrec"] = SASRecConfig(item_features=features)
            yield from self.beside_all(tuple(cold_items_exam(name, data, SEED)), models)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="only these: " + ", ".join(PARTS))
    parser.add_argument("--trial", action="store_true", help="one epoch, nothing is written")
    for one in DATA:
        if one.variable:
            given = os.environ.get(one.variable)
            parser.add_argument(f"--{one.name}", dest=one.name, type=Path, default=given and Path(given))
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    return given


def features_of(data: Dataset) -> set[str]:
    """Names of everything that is known of items."""
    return {*data.item_features.tags, *data.item_features.categorical, *data.item_features.numeric}


PARTS = ("sequence", "towers", "neumf", "cold")


def main() -> None:
    given = arguments()
    bench, parts = Bench(vars(given), given.trial), given.parts or list(PARTS)
    rows = kept_rows(FILE, parts)
    for part in parts:
        for row in getattr(bench, part)():
            print(" ".join(f"{name}={shown(value)}" for name, value in row.items()), flush=True)
            rows.append({"part": part, **row, "seed": SEED, **circumstances()})
            if not given.trial:
                write_rows(FILE, rows)


if __name__ == "__main__":
    main()
