"""The world and the trained pipeline that the benchmarks ask, made once per size and kept.

python -m benchmarks.speed.prepared --scale 0.1
"""

import os
import shutil
import subprocess
import sys
import zipfile
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.record import ROOT
from benchmarks.speed.kept import code_of, kept
from benchmarks.speed.size import SEED, Size, parser

from encorec.config import load_toml
from encorec.data.dataset import Dataset
from encorec.data.sources import Kion, load
from encorec.data.splits import Fold, earlier_folds
from encorec.data.synthetic.world import World
from encorec.pipeline.artifact import save_artifact
from encorec.pipeline.fit import FoldRows, TrainingConfig, fit_first_stage, fit_ranker
from encorec.pipeline.label_folds import fold_rows
from encorec.pipeline.manifest import read_manifest, write_manifest
from encorec.pipeline.two_stage import TwoStage
from encorec.ranking.training_set import TrainingSet
from encorec.workflow import RunConfig

__all__ = ["artifact", "config", "data", "kion_folder", "kion_zip", "label_rows", "prepare", "quick", "wide"]

CONFIG = ROOT / "configs" / "synthetic-kion.toml"
GIVEN = "BENCH_ARTIFACT"
LEARNT_BY = ("data", "retrieval", "ranking", "pipeline")
WIDE = {"covisitation": 175, "item_knn": 175, "als": 175, "popular_week": 0}


def config() -> RunConfig:
    """The reference run on the synthetic KION."""
    return load_toml(CONFIG, RunConfig)


def quick() -> RunConfig:
    """The same with one small label fold and always 100 trees: the same work for the ranker at every size."""
    run = config()
    ranker = msgspec.structs.replace(run.ranker, max_trees=100, patience=100)
    return msgspec.structs.replace(run, ranker=ranker, training=TrainingConfig(folds=1, max_queries=10_000))


def kion_zip(share: float) -> Path:
    """A world of that size in KION's own files."""
    world = Size(share).world
    origins = repr(world), code_of("data/synthetic")
    name = f"kion-{share:g}x"
    return kept(name, *origins, make=lambda path: World.of(world).write_kion_zip(path), suffix=".zip")


def kion_folder(share: float) -> Path:
    """The same files, unpacked."""
    archive = kion_zip(share)
    return kept(f"csv-{share:g}x", archive.name, make=lambda path: zipfile.ZipFile(archive).extractall(path))


def data(share: float) -> Dataset:
    """The data set of these files."""
    return load(Kion(path=str(kion_zip(share))))


def artifact(share: float, run: RunConfig | None = None) -> Path:
    """A trained and saved pipeline: that of ``run``, or of the reference run.

    The variable BENCH_ARTIFACT may name one of the reference run at scale 1 that ``encorec train`` has made.
    """
    given = os.environ.get(GIVEN)
    if given and share == 1 and run is None:
        return Path(given)
    run = run or config()
    origins = kion_zip(share).name, msgspec.json.encode(run.pipeline), code_of(*LEARNT_BY)
    return kept(f"artifact-{share:g}x", *origins, make=lambda path: _train(share, run, path))


def wide(share: float) -> Path:
    """The same models as in ``artifact``, of which three retrievers propose about 300 candidates to each user."""
    source = artifact(share)
    origins = read_manifest(source).snapshot_id, msgspec.json.encode(WIDE)
    return kept(f"wide-{share:g}x", *origins, make=lambda path: _widen(source, path))


def _widen(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder)
    manifest = read_manifest(folder)
    asked = {**manifest.config, "candidates": {"quotas": WIDE}}
    write_manifest(folder, msgspec.structs.replace(manifest, config=asked, golden=[]))  # answers are others now


def label_rows(share: float) -> tuple[list[FoldRows], tuple[str, ...]]:
    """The rows that the ranker of the reference run learns from, newest fold first, and the names of the features."""
    run = config()
    origins = kion_zip(share).name, msgspec.json.encode(run.pipeline), code_of(*LEARNT_BY)
    folder = kept(f"rows-{share:g}x", *origins, make=lambda path: _keep_rows(share, run, path))
    names = tuple(msgspec.json.decode((folder / "names.json").read_bytes(), type=list[str]))
    parts = [np.load(folder / f"{place}.npz") for place in range(run.training.folds)]
    columns = ("features", "label", "group", "user")
    return [_as_part(TrainingSet(*(part[name] for name in columns))) for part in parts], names


def prepare(share: float, *, quick: bool = False) -> None:
    """Make the world and the artifact (and label rows) in a process of its own, so that its memory is free again."""
    options = ["--quick"] if quick else []
    subprocess.run([sys.executable, "-m", __name__, "--scale", str(share), *options], cwd=ROOT, check=True)


def _as_part(rows: TrainingSet) -> FoldRows:
    """Rows as ``fit_ranker`` takes them; the ceiling is of no use to it."""
    return FoldRows(rows, ceiling=None)  # pyright: ignore[reportArgumentType]


def _label_folds(run: RunConfig, whole: Dataset) -> list[Fold]:
    """As many as the run has, the newest where its exam is."""
    newest = run.split.folds(whole)[-1]
    return [newest, *islice(earlier_folds(newest, run.split), run.training.folds - 1)]


def _taught(run: RunConfig, whole: Dataset) -> tuple[list[FoldRows], tuple[str, ...]]:
    parts, names = [], ()
    for fold in _label_folds(run, whole):
        first = fit_first_stage(run.pipeline, fold.past, SEED)
        parts.append(fold_rows(run.pipeline, fold, first, SEED))
        names = first.features.names
    return parts, names


def _keep_rows(share: float, run: RunConfig, folder: Path) -> None:
    parts, names = _taught(run, data(share))
    folder.mkdir()
    (folder / "names.json").write_bytes(msgspec.json.encode(names))
    for place, part in enumerate(parts):
        rows = part.rows
        np.savez(folder / f"{place}.npz", features=rows.features, label=rows.label, group=rows.group, user=rows.user)


def _train(share: float, run: RunConfig, folder: Path) -> None:
    whole = data(share)
    parts, _ = label_rows(share) if run == config() else _taught(run, whole)
    first = fit_first_stage(run.pipeline, whole, SEED)
    ranker = fit_ranker(run.pipeline, parts, first.features.names, SEED).served
    save_artifact(folder, TwoStage(first, ranker), run.pipeline, whole, name=run.name, seed=SEED)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--quick", action="store_true", help="the run of bench_growth")
    given = options.parse_args()
    print(kion_zip(given.scale), artifact(given.scale, quick() if given.quick else None), sep="\n", flush=True)
    if not given.quick:
        label_rows(given.scale)


if __name__ == "__main__":
    main()
