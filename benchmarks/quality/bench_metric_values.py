"""Every metric that RecTools has too, user by user, of three data sets, at three cut-offs: equal to 1e-9, or it fails.

RecTools' options are turned to Encorec's conventions and the other way round: each name in the result is a metric with
Encorec's options. Serendipity of lists that are not full is left out: RecTools divides by their length, Encorec by k.
"""

import csv
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.conversation import Peer
from benchmarks.peers.environment import versions
from benchmarks.record import RESULTS, circumstances
from numpy.typing import NDArray

from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.sources import MovieLens100K, load
from encorec.evaluation.evaluate import evaluate
from encorec.evaluation.options import MetricOptions
from encorec.types import IntMatrix, ItemLists

FILE = RESULTS / "metric_values.csv"
CUTS, WIDTH, TOLERANCE, SEED = (1, 5, 10), 10, 1e-9, 7
Tables = dict[str, NDArray[Any]]


def generated(seed: int, users: int, items: int, rows: int, *, short: bool) -> Tables:
    """Popular and random lists; with ``short`` they have any length, also none."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(1 / np.arange(1, items + 1))

    def pairs(count: int) -> IntMatrix:
        item = np.searchsorted(ends, rng.random(count) * ends[-1], side="right")
        return np.unique(np.column_stack([rng.integers(0, users, count), np.minimum(item, items - 1)]), axis=0)

    def lists(widest: int) -> IntMatrix:
        return np.array([rng.permutation(widest if rng.random() < 0.5 else items)[:WIDTH] for _ in range(users)])

    tables = {"train": pairs(rows), "test": pairs(rows // 3), "lists": lists(4 * WIDTH), "reference": lists(3 * WIDTH)}
    if short:
        tables["lists"][np.arange(WIDTH) >= rng.integers(0, WIDTH + 1, users)[:, None]] = -1
    return {**tables, "features": rng.integers(0, 3, (items, 5))}


def movielens() -> Tables:
    """The newest fifth of MovieLens-100K as truth, noisy popular lists, genres as features."""
    data, rng = load(MovieLens100K()), np.random.default_rng(SEED)
    table = data.interactions
    order = np.argsort(table.time, kind="stable")
    pairs = np.column_stack([table.user, table.item])[order].astype(np.int64)
    train, test = np.split(pairs, [int(0.8 * len(pairs))])
    count = np.bincount(train[:, 1], minlength=table.items)

    def noisy() -> IntMatrix:
        return np.argsort(-(np.log1p(count) + rng.gumbel(size=(table.users, table.items))), axis=1)[:, :WIDTH]

    genres = data.item_features.tags["genres"].matrix().astype(np.int64)
    return {"train": train, "test": test, "lists": noisy(), "reference": noisy(), "features": genres}


def differences(tables: Tables, theirs: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """Per metric: the mean and the largest difference of any user."""
    lists, full = tables["lists"], bool((tables["lists"] >= 0).all())
    users, lengths = np.unique(tables["test"][:, 0], return_counts=True)
    truth = ItemLists(np.append(0, np.cumsum(lengths)), tables["test"][:, 1].astype(np.int32))
    user, item = tables["train"].T
    train = Interactions.of(user, item, np.zeros_like(user), users=len(lists), items=len(tables["features"]))
    columns = {str(place): column.astype(np.float32) for place, column in enumerate(tables["features"].T)}
    known = {"train": train, "item_features": FeatureTable(len(tables["features"]), numeric=columns)}
    for key, expected in theirs.items():
        (metric, *options), cut = key.partition("@")[0].split(" "), key.partition("@")[2]
        if metric == "serendipity" and not full:
            continue
        name, chosen = metric if cut == "0" else f"{metric}@{cut}", MetricOptions.from_pairs(options)
        if metric == "coverage":
            everybody = ItemLists.of([[0]] * len(lists))
            said = evaluate(lists, everybody, [name], **known, options=chosen).catalogue[name]
            yield {"metric": key, "mean": said, "difference": abs(said - float(expected)), "values": 1}
            continue
        reference = tables["reference"][users]
        judged = evaluate(lists[users], truth, [name], **known, reference=reference, options=chosen)
        asked = users[judged.rows]
        told = ~np.isnan(expected[asked])
        if not told[(lists[asked] >= 0).any(axis=1)].all():
            raise SystemExit(f"{key}: RecTools has no value for some users with a list")
        gaps = np.abs(judged.per_user[name] - expected[asked])[told]
        mean = float(judged.per_user[name].mean())
        yield {"metric": key, "mean": mean, "difference": float(gaps.max()), "values": len(gaps)}


def main() -> None:
    data = {
        "generated, full lists": generated(SEED, 300, 200, 6000, short=False),
        "generated, short lists": generated(SEED, 3000, 4000, 9000, short=True),
        "movielens-100k": movielens(),
    }
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name, Peer("rectools_values") as peer:
        for title, tables in data.items():
            # Down-sampling depends on the order of the truth: by user and item, as Encorec takes it.
            tables["test"] = np.unique(tables["test"], axis=0)
            np.savez(Path(name, "tables.npz"), allow_pickle=False, **tables)
            peer.ask("values", tables=Path(name, "tables.npz"), out=Path(name, "values.npz"), cuts=CUTS)
            found = list(differences(tables, dict(np.load(Path(name, "values.npz")))))
            print(f"{title}: {len(found)} metrics, largest difference {max(one['difference'] for one in found):.1e}")
            rows += [{"data": title, **one} for one in found]
    wrong = [
        f"{one['data']}, {one['metric']}: {one['difference']:.1e}" for one in rows if one["difference"] > TOLERANCE
    ]
    if wrong:
        raise SystemExit("values differ from RecTools'\n" + "\n".join(wrong))
    rest = {"seed": SEED, **circumstances(), "peers": " ".join(f"{name}={one}" for name, one in versions().items())}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [*rows[0], *rest], lineterminator="\n")
        table.writeheader()
        table.writerows({**row, **rest} for row in rows)


if __name__ == "__main__":
    main()
