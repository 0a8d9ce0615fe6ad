"""A team's project: its own tables with its own columns and ids, configurations, and the commands run on them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.worlds import small_world

ROOT = Path(__file__).parents[2]
CONFIG = """
name = "films"
seed = 3

[data]
source = "table"
path = "log.csv"
user = "viewer"
item = "film"
time = "seen_at"
weight = "minutes"
users = "viewers.csv"
items = "films.csv"
title = "name"

[data.item_columns]
numeric = ["year"]
categorical = ["kind"]
tags = ["genres"]

[split]
{split}

[retrievers.steps]
kind = "covisitation"
window = 2
last = 3
damping = 2

[retrievers.knn]
kind = "item-knn"
neighbours = 30

[retrievers.als]
kind = "als"
embedding_size = 8
epochs = {epochs}

[retrievers.popular]
kind = "popularity"

[candidates]
per_source = 20

[ranker]
kind = "catboost"
max_trees = {trees}
depth = 4
learning_rate = 0.15

[training]
folds = {folds}
guard = false
negatives = 20

[evaluation]
resamples = 200
"""


def write_project(folder: Path) -> None:
    """Tables and three configurations: ``films``; ``weeks``, with slow folds by time; ``hopeless``, with one tree."""
    data = small_world()
    table = data.interactions
    viewers, films = (
        np.array([f"{letter}{row:03d}" for row in range(size)]) for letter, size in (("v", 300), ("f", 150))
    )
    moments = pl.Series(table.time).cast(pl.Int64) * 1000
    log = {"viewer": viewers[table.user], "film": films[table.item], "seen_at": moments.cast(pl.Datetime("ms"))}
    shuffled = np.random.default_rng(0).permutation(len(table))
    order = pl.Series(shuffled[np.argsort(table.time[shuffled], kind="stable")])
    pl.DataFrame(log | {"minutes": table.weight})[order].write_csv(folder / "log.csv")
    sex = [None if code < 0 else "FM"[code] for code in data.user_features.categorical["sex"].code]
    people = {"viewer": viewers, "age": data.user_features.numeric["age"], "sex": sex}
    pl.DataFrame(people, nan_to_null=True).write_csv(folder / "viewers.csv")
    shelf, genres = data.item_features, data.item_features.tags["genres"]
    columns = {
        "film": films,
        "year": shelf.numeric["year"],
        "kind": [shelf.categorical["kind"].values[code] for code in shelf.categorical["kind"].code],
        "genres": ["|".join(genres.values[one] for one in genres.lists.row(item)) for item in range(150)],
        "name": [data.title(item) for item in range(150)],
    }
    pl.DataFrame(columns, nan_to_null=True).write_csv(folder / "films.csv")
    configurations = {
        "films": {"split": 'kind = "last-n"', "folds": 3, "trees": 60, "epochs": 4},
        "weeks": {"split": 'kind = "time-cut"\ndays = 10', "folds": 4, "trees": 60, "epochs": 100},
        "hopeless": {"split": 'kind = "last-n"', "folds": 1, "trees": 1, "epochs": 1},
    }
    for name, values in configurations.items():
        (folder / f"{name}.toml").write_text(CONFIG.format(**values))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"}


def encorec(folder: Path, *arguments: Any) -> "subprocess.CompletedProcess[str]":
    """The command, run in a process of its own."""
    command = [sys.executable, "-m", "encorec", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def succeeded(folder: Path, *arguments: Any) -> "subprocess.CompletedProcess[str]":
    run = encorec(folder, *arguments)
    assert run.returncode == 0, run.stderr
    return run
