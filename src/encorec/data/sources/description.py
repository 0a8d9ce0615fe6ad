"""A data set in figures: what to look at before anything is trained on it."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.data.interactions import Interactions
from encorec.data.synthetic.comparison import GENERATED, beside_target
from encorec.types import FloatVector, IntVector

__all__ = ["describe"]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SECONDS_PER_DAY = 86_400


def describe(data: Dataset) -> dict[str, Any]:
    """Counts, sparsity, time range, spread over users and items, repeats, and how much of the features is missing.

    Returns:
        nested dictionaries of text and numbers, ready for JSON. Quantiles are over users or items with interactions;
        ``repeated`` is the share of interactions whose user had that item before; ``missing`` is a share of all users
        or items, for tags the share without any. Of a generated data set, ``target`` sets figures beside KION's.

    Example:
        >>> found = describe(Dataset.of(Interactions.of([0, 0, 1], [0, 1, 1], [0, 60, 86400])))
        >>> found["users"]["active"], found["time"]["last"], found["interactions"]["repeated"]
        (2, '1970-01-02T00:00:00Z', 0.0)
    """
    table = data.interactions
    target = {"target": beside_target(data)} if data.name == GENERATED else {}
    return {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "interactions": _interactions(table),
        "time": _time(table.time),
        "users": _entities(table.user_counts, data.user_features),
        "items": _entities(table.item_counts, data.item_features),
        **target,
    }


def _interactions(table: Interactions) -> dict[str, Any]:
    distinct = int(table.item_users.sum())
    cells = table.users * table.items
    return {
        "count": len(table),
        "repeated": _share(len(table) - distinct, len(table)),
        "sparsity": 1.0 - _share(distinct, cells),
        "weight": _spread(table.weight),
    }


def _time(time: IntVector) -> dict[str, Any]:
    if not len(time):
        return {"first": None, "last": None, "days": 0.0}
    first, last = int(time.min()), int(time.max())
    return {"first": _iso(first), "last": _iso(last), "days": (last - first) / _SECONDS_PER_DAY}


def _entities(counts: IntVector, features: FeatureTable) -> dict[str, Any]:
    return {
        "count": len(counts),
        "active": int((counts > 0).sum()),
        "interactions_each": _spread(counts[counts > 0]),
        "missing": _missing(features),
    }


def _missing(features: FeatureTable) -> dict[str, float]:
    absent = {name: np.isnan(column) for name, column in features.numeric.items()}
    absent |= {name: column.code < 0 for name, column in features.categorical.items()}
    absent |= {name: column.lists.lengths == 0 for name, column in features.tags.items()}
    return {name: _share(int(rows.sum()), len(rows)) for name, rows in absent.items()}


def _spread(values: FloatVector | IntVector) -> dict[str, float]:
    if not len(values):
        return {}
    quantiles = np.quantile(values, _QUANTILES)
    named = {f"{quantile:.0%}": float(value) for quantile, value in zip(_QUANTILES, quantiles, strict=True)}
    mean = float(values.mean(dtype=np.float64))
    return {"mean": mean, "min": float(values.min()), **named, "max": float(values.max())}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
