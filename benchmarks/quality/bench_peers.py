"""Encorec beside RecTools: same split, same truth, lists of both judged by Encorec's metrics, paired intervals.

    python -m benchmarks.quality.bench_peers [DATA ...] [--movielens-1m FOLDER] [--movietweetings FOLDER]

Encorec runs as its configuration says. Of every model of RecTools the settings are chosen on the newest label fold (the
past cut once more as the exam is cut), then it is fitted on the whole past. A data set that is not run keeps its rows.
"""

import csv
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import versions
from benchmarks.quality.peer_data import DATA, parse_arguments
from benchmarks.quality.peer_models import SINGLE_MODELS, PeerModel, two_stage_models
from benchmarks.quality.peer_tables import write_tables
from benchmarks.record import RESULTS, circumstances

from encorec.data.dataset import Dataset
from encorec.data.splits import DAY, Fold, LastN, earlier_folds
from encorec.evaluation.evaluate import Evaluation, evaluate
from encorec.evaluation.uncertainty import compare, interval
from encorec.pipeline.eligibility import fold_queries
from encorec.types import IntMatrix
from encorec.verdict.systems import TWO_STAGE, asked_in_blocks, pipeline_systems
from encorec.workflow import Exam, RunConfig, examine

FILE = RESULTS / "peers.csv"
METRIC, K = "ndcg@10", 10
METRICS = (METRIC, "recall@10", "map@10", "mrr@10", "precision@10", "hit_rate@10", "miuf@10", "coverage@10")
MOST_DENSE_ITEMS = 8_000
OURS, THEIRS = "encorec", "rectools"


@dataclass(frozen=True)
class System:
    """One system's lists for the users of the exam.

    Args:
        library: whose it is.
        name: in the table.
        setting: how it was set, for people.
        lists: (n, K) items.
        seconds: to fit and recommend, where it was timed.
    """

    library: str
    name: str
    setting: str
    lists: IntMatrix
    seconds: float | None = None


def encorec_systems(run: RunConfig, exam: Exam) -> Iterator[System]:
    """Every retriever alone, the fusion of all by reciprocal ranks, and the two-stage."""
    queries = fold_queries(exam.test, run.seen)
    for name, system in pipeline_systems(exam.pipeline).items():
        yield System(OURS, name, "", asked_in_blocks(system, queries, K))


class Contest:
    """The models of RecTools at one exam.

    Args:
        run: the configuration, for its split and its rule on seen items.
        test: the exam.
        peer: the driver.
        folder: for files.
    """

    def __init__(self, run: RunConfig, test: Fold, peer: Peer, folder: Path) -> None:
        self.run, self.peer, self.folder = run, peer, folder
        validation = next(earlier_folds(test, run.split, drop_seen=run.drop_seen))
        self.folds = {"validation": validation, "test": test}
        past = test.past.interactions
        self.small = int(np.count_nonzero(past.item_counts)) <= MOST_DENSE_ITEMS
        self.repeats = int(past.item_users.sum()) < len(past)
        write_tables(folder, {name: (fold.past, fold.user) for name, fold in self.folds.items()})
        peer.ask("load", folder=folder, folds=list(self.folds))

    @property
    def exam(self) -> dict[str, int]:
        """How RecTools is to cut its label fold: as the exam, in whole days."""
        if isinstance(self.run.split, LastN):
            return {"last": self.run.split.n}
        end, cut = self.folds["test"].past.interactions.end, self.folds["validation"].now[0]
        return {"days": max(1, round((end - int(cut)) / DAY))}

    def systems(self) -> Iterator[System]:
        """Every model with the settings that were best on the validation fold."""
        chosen: dict[str, dict[str, Any]] = {}
        for model in SINGLE_MODELS:
            chosen[model.system], system = self.tuned(model)
            yield system
        yield self.tuned(two_stage_models(chosen, self.exam, ease=self.small))[1]

    def tuned(self, model: PeerModel) -> tuple[dict[str, Any], System]:
        """The best settings and the system that they make."""
        trials = [(trial, once) for trial in model.trials for once in ((False, True) if self.repeats else (False,))]
        scores = [self.score(model, trial, once) for trial, once in trials]
        best, once = trials[int(np.argmax(scores))]
        lists, seconds = self.lists("test", model, best, once)
        setting = " ".join(f"{name}={value}" for name, value in best.items()) + (" once=True" if once else "")
        print(f"  rectools {model.system}: {setting} (validation {max(scores):.4f}, {seconds:.1f} s)", flush=True)
        return best, System(THEIRS, model.system, f"{setting} (best of {len(scores)})", lists, seconds)

    def score(self, model: PeerModel, settings: Mapping[str, Any], once: bool) -> float:
        """NDCG@10 on the validation fold."""
        lists, _ = self.lists("validation", model, settings, once)
        return evaluate(lists, self.folds["validation"].truth, [METRIC]).means[METRIC]

    def lists(self, fold: str, model: PeerModel, settings: Mapping[str, Any], once: bool) -> tuple[IntMatrix, float]:
        """(n, K) items of a model fitted on the past of the fold, and the seconds that it took."""
        answer = self.peer.ask(
            "recommend",
            fold=fold,
            system=model.system,
            settings={**settings, **model.fixed},
            k=K,
            keep_seen=self.run.seen == "keep",
            out=self.folder / "lists.npy",
            most_items=None if self.small else model.most_items,
            once=once,
        )
        return np.load(self.folder / "lists.npy"), answer["seconds"]


def rows_of(run: RunConfig, data: Dataset, peer: Peer) -> Iterator[dict[str, Any]]:
    """One row per system of either library."""
    exam = examine(run, data)
    print(run.name, exam.report["verdict"]["sentence"], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        systems = [*encorec_systems(run, exam), *Contest(run, exam.test, peer, Path(folder)).systems()]
    judged = [evaluate(one.lists, exam.test.truth, METRICS, train=exam.test.past.interactions) for one in systems]
    mine = next(said for one, said in zip(systems, judged, strict=True) if (one.library, one.name) == (OURS, TWO_STAGE))
    peers = " ".join(f"{name}={number}" for name, number in versions().items())
    rest = {"seed": run.seed, "fingerprint": data.fingerprint[:12], **circumstances(), "peers": peers}
    for one, said in zip(systems, judged, strict=True):
        yield {
            "data": run.name,
            "library": one.library,
            "system": one.name,
            "setting": one.setting,
            "users": said.users,
            "metric": METRIC,
            **figures(said, run.seed),
            **({} if said is mine else gain(mine, said, run.seed)),
            **{name: value for name, value in said.means.items() if name != METRIC},
            "seconds": "" if one.seconds is None else f"{one.seconds:.2f}",
            **rest,
        }


def figures(said: Evaluation, seed: int) -> dict[str, float]:
    """The metric with its interval."""
    estimate = interval(said.per_user[METRIC], rng=np.random.default_rng(seed))
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}


def gain(mine: Evaluation, other: Evaluation, seed: int) -> dict[str, float]:
    """The two-stage of Encorec minus the other, paired by user."""
    found = compare(mine.per_user[METRIC], other.per_user[METRIC], rng=np.random.default_rng(seed))
    return {"gain": found.mean, "gain_low": found.low, "gain_high": found.high, "p": found.p}


def kept_rows(without: str) -> list[dict[str, Any]]:
    """The rows of other data sets in the result file."""
    if not FILE.exists():
        return []
    with FILE.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["data"] != without]


def write(rows: list[dict[str, Any]]) -> None:
    """The result file, data sets in their order."""
    order = [one.name for one in DATA]
    rows.sort(key=lambda row: order.index(row["data"]))
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def main() -> None:
    for one, folder in parse_arguments():
        run = one.run()
        data = one.load(run, folder)
        with Peer("rectools_models") as peer:
            write([*kept_rows(one.name), *rows_of(run, data, peer)])


if __name__ == "__main__":
    main()
