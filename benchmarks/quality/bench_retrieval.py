"""Every retriever beside the same model of RecTools or implicit: same data, hyperparameters, split, truth and metrics.

    python -m benchmarks.quality.bench_retrieval [DATA ...] [--movielens-1m FOLDER] [--movietweetings FOLDER]

A model must reach 98 % of the other's NDCG@10, unless the difference may be chance. Models that chance takes part in
are fitted with several seeds on either side; a user's metric is the mean over them. The intervals are over users; how
far apart the seeds are stands beside them. MovieLens-100K is cut once more as the benchmark of Microsoft Recommenders
does. A data set that is not run keeps its rows; with the variable BENCH_MODELS only the models run whose names hold its
text, and the others keep theirs.
"""

import csv
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import versions
from benchmarks.quality.peer_data import parse_arguments
from benchmarks.quality.retrieval_exam import Lists, RetrievalExam
from benchmarks.quality.retrieval_pairs import PAIRS, SEEDS, Pair, ease
from benchmarks.quality.stratified import By, drawn_past, stratified_exam
from benchmarks.record import RESULTS, circumstances

from encorec.data.dataset import Dataset
from encorec.evaluation.backtest.exams import exams_of
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.options import MetricOptions
from encorec.evaluation.uncertainty import compare, interval
from encorec.types import FloatVector
from encorec.workflow import RunConfig

FILE = RESULTS / "retrieval.csv"
WANTED = ("movielens-100k", "movielens-1m", "movietweetings")
PROTOCOL, PROTOCOL_DATA = "movielens-100k, Recommenders", "movielens-100k"
K, METRIC, OTHERS = 10, "ndcg@10", ("recall@10", "map@10")
ENOUGH, ALPHA, SEED, RESAMPLES = 0.98, 0.05, 7, 1000
REGS = (100, 200, 300, 500, 1000)
DROPOUTS, RELAXATIONS = (0.0, 0.33, 0.5, 0.66), (0.0, 0.3, 0.5)
EASES = [ease(reg, dropout=p, relaxation=r) for reg in REGS for p in DROPOUTS for r in RELAXATIONS]
BEST = f"best of {len(EASES)} on {len(SEEDS)} tenths of the past"
POPULAR = next(pair for pair in PAIRS if pair.name == "popular")
CHOSEN = os.environ.get("BENCH_MODELS", "")
GOALS = {"map@10": 0.150, "ndcg@10": 0.480}


def per_user(exam: RetrievalExam, lists: Lists) -> tuple[dict[str, FloatVector], float]:
    """Metrics of every user, averaged over the seeds, and how far apart the seeds' NDCG are."""
    judged = [evaluate(one, exam.truth, [METRIC, *OTHERS]) for one in lists.items]
    means = [one.means[METRIC] for one in judged]
    values = {name: np.mean([one.per_user[name] for one in judged], axis=0) for name in (METRIC, *OTHERS)}
    return values, max(means) - min(means)


def same_lists(ours: Lists, theirs: Lists) -> float:
    """Share of users with the same items, in whatever order, in the first seed's lists."""
    mine, other = (np.sort(one.items[0], axis=1) for one in (ours, theirs))
    return float((mine == other).all(axis=1).mean())


def share(ours: FloatVector, theirs: FloatVector) -> dict[str, float]:
    """Ours as a share of theirs, with its 95 % interval: the same users are drawn for both."""
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES):
        user = rng.integers(0, len(ours), len(ours))
        drawn.append(ours[user].mean() / max(theirs[user].mean(), 1e-12))  # efron1979
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"share": ours.mean() / theirs.mean(), "share_low": low, "share_high": high}


def verdict(found: float, p: float) -> str:
    """Of a share: ``below`` where it is more than 2 % short and the difference is no chance."""
    if found >= ENOUGH:
        return "above" if found >= 1 else "within"
    return "below" if p < ALPHA else "not told apart"


def row_of(exam: RetrievalExam, pair: Pair, peer: Peer, folder: Path) -> dict[str, Any]:
    """One pair at one exam."""
    ours, theirs = exam.ours(pair, K), exam.theirs(pair, K, peer, folder)
    (mine, my_spread), (other, their_spread) = per_user(exam, ours), per_user(exam, theirs)
    estimate = interval(mine[METRIC], rng=np.random.default_rng(SEED))
    gain = compare(mine[METRIC], other[METRIC], rng=np.random.default_rng(SEED))
    shared = share(mine[METRIC], other[METRIC])
    return {
        "model": pair.name,
        "users": len(exam.truth),
        "seeds": pair.seeds,
        "metric": METRIC,
        "ours": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "theirs": other[METRIC].mean(),
        "gain": gain.mean,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "p": gain.p,
        **shared,
        "verdict": verdict(shared["share"], gain.p),
        **{f"{name} ours": mine[name].mean() for name in OTHERS},
        **{f"{name} theirs": other[name].mean() for name in OTHERS},
        "seeds apart, ours": my_spread,
        "seeds apart, theirs": their_spread,
        "same lists": same_lists(ours, theirs),
        "seconds ours": ours.seconds,
        "seconds theirs": theirs.seconds,
    }


def rows_of(exam: RetrievalExam, pairs: Sequence[Pair]) -> Iterator[dict[str, Any]]:
    """One row per pair."""
    with tempfile.TemporaryDirectory() as name, Peer("retrieval_models") as peer:
        exam.tell(peer, Path(name))
        for pair in pairs:
            found = row_of(exam, pair, peer, Path(name))
            print("  {model}: {ours:.4f} beside {theirs:.4f}, {share:.3f} ({share_low:.3f} to {share_high:.3f}), "
                  "{verdict}, same lists {same lists:.2f}, {seconds ours:.1f} s beside {seconds theirs:.1f} s"
                  .format_map(found), flush=True)  # fmt: skip
            yield found


def split_rows(run: RunConfig, data: Dataset) -> Iterator[dict[str, Any]]:
    """The pairs at the newest exam of the configuration's split."""
    *_, (_, fold) = exams_of(run.split, data, drop_seen=run.drop_seen)
    yield from rows_of(RetrievalExam.of(fold, run.seen), [pair for pair in PAIRS if CHOSEN in pair.name])


def chosen_pair(past: Dataset, by: By, pairs: Sequence[Pair], seeds: Sequence[int], ratio: float) -> Pair:
    """The pair whose retriever, fitted to this share of the past, has the largest mean MAP on the rest, over draws."""
    scores = np.zeros(len(pairs))
    for seed in seeds:
        exam = stratified_exam(past, drawn_past(past, by, seed, ratio))
        scores += [per_user(exam, exam.ours(pair, K))[0]["map@10"].mean() for pair in pairs]
    return pairs[int(np.argmax(scores))]


def protocol_rows(data: Dataset, by: By) -> Iterator[dict[str, Any]]:
    """The protocol of Microsoft Recommenders: popularity, and EASE with what is chosen within the past.

    Where more is chosen, less of the past is held out: how much the weights are best held back depends on its size.
    """
    exam = stratified_exam(data, drawn_past(data, by))
    plain = chosen_pair(exam.past, by, [ease(reg) for reg in REGS], (SEED,), 0.75)
    whole = chosen_pair(exam.past, by, EASES, SEEDS, 0.9)
    pairs = (
        POPULAR,
        replace(plain, name=f"{plain.name} (best of {len(REGS)} on a quarter of the past)"),
        replace(whole, name=f"{whole.name} ({BEST})"),
    )
    for row, pair in zip(rows_of(exam, pairs), pairs, strict=True):
        lists = exam.ours(pair, K).items[0]
        least = evaluate(lists, exam.truth, ["map@10"], options=MetricOptions(map_denominator="min")).means["map@10"]
        yield {**row, "map@10 ours, of at most 10": least}


def finished(name: str, fingerprint: str, rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what they belong to and how they came about."""
    peers = " ".join(f"{one}={number}" for one, number in {**versions(), "lightfm-next": lightfm()}.items())
    rest = {"seed": SEED, "fingerprint": fingerprint[:12], **circumstances(), "peers": peers}
    return [{"data": name, **row, **rest} for row in rows]


def lightfm() -> str:
    """Version of the peers' LightFM."""
    return versions(names=("lightfm-next",))["lightfm-next"]


def kept_rows(without: str) -> list[dict[str, Any]]:
    """The rows of other data sets, and of models that are not run, in the result file."""
    if not FILE.exists():
        return []
    with FILE.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["data"] != without or CHOSEN not in row["model"]]


def write(rows: list[dict[str, Any]]) -> None:
    """The result file."""
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def exams(run: RunConfig, data: Dataset) -> Mapping[str, Callable[[], Iterator[dict[str, Any]]]]:
    """Name -> the rows of one exam."""
    found = {run.name: partial(split_rows, run, data)}
    if run.name == PROTOCOL_DATA and not CHOSEN:
        strata: tuple[By, ...] = ("item", "user")
        found |= {f"{PROTOCOL} by {by}": partial(protocol_rows, data, by) for by in strata}
    return found


def failures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What does not reach its goal."""
    found = [f"{one['data']}, {one['model']}: {one['share']:.3f}" for one in rows if one["verdict"] == "below"]
    for one in rows:
        if one["data"] == f"{PROTOCOL} by item" and BEST in one["model"]:
            reached = {"map@10": one["map@10 ours"], METRIC: one["ours"]}
            found += [f"{one['data']}: {name} {reached[name]:.4f}" for name in GOALS if reached[name] < GOALS[name]]
    return found


def main() -> None:
    wrong: list[str] = []
    for one, folder in parse_arguments():
        if one.name not in WANTED:
            continue
        run = one.run()
        data = one.load(run, folder)
        for name, rows in exams(run, data).items():
            print(name, flush=True)
            found = finished(name, data.fingerprint, rows())
            write([*kept_rows(name), *found])
            wrong += failures(found)
    print("\n".join(["below their goal:", *wrong] if wrong else ["every model reaches its goal"]), file=sys.stderr)


if __name__ == "__main__":
    main()
