"""The files that a driver reads: the past and the users of every fold, and what is known of users and items."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.types import IntVector

__all__ = ["write_tables"]

MOST_TAGS = 50


def write_tables(folder: Path, folds: Mapping[str, tuple[Dataset, IntVector]]) -> None:
    """``past-NAME.parquet`` and ``users-NAME.npy`` of every fold, ``users.parquet`` and ``items.parquet``.

    Args:
        folder: that the driver will read.
        folds: by name: what may be learnt from, and (n,) the users who are asked; all of one data set.
    """
    for name, (past, users) in folds.items():
        table = past.interactions
        log = pl.DataFrame({"user_id": table.user, "item_id": table.item, "timestamp": table.time})
        log.write_parquet(folder / f"past-{name}.parquet")
        np.save(folder / f"users-{name}.npy", users)
        known(past.user_features, "user_id").write_parquet(folder / "users.parquet")
        known(past.item_features, "item_id").write_parquet(folder / "items.parquet")


def known(features: FeatureTable, key: str) -> pl.DataFrame:
    """Features as columns: numbers, text for categories, 0 and 1 for the most frequent tags."""
    columns: dict[str, Any] = {key: np.arange(features.size)}
    columns |= {name: np.asarray(column, np.float64) for name, column in features.numeric.items()}
    for name, column in features.categorical.items():
        values = np.array([*column.values, "unknown"], object)
        columns[name] = values[column.code].astype(str)
    for name, tags in features.tags.items():
        frequent = np.argsort(-np.bincount(tags.lists.item, minlength=len(tags.values)))[:MOST_TAGS]
        matrix = tags.matrix()
        columns |= {f"{name} {tags.values[one]}": matrix[:, one] for one in frequent}
    return pl.DataFrame(columns)
