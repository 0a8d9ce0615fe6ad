"""A log that becomes known part by part, for those who take in new interactions."""

from typing import Any

import numpy as np

from encorec.data.dataset import Dataset
from encorec.testing.questions import first_of


def grown(data: Dataset, make: Any, seed: int, parts: int, new_names: bool) -> tuple[Any, Any]:
    """The model updated part after part, and the one fitted on all of it.

    Args:
        data: the whole log.
        make: () -> an unfitted model.
        seed: of the split into random parts.
        parts: how many.
        new_names: whether users and items become known on the way, instead of all at once.
    """
    table = data.interactions
    step = np.random.default_rng(seed).integers(0, parts, len(table))
    users, items = [np.linspace(0.6, 1, parts) * size for size in (table.users, table.items)]
    if new_names:
        step = np.maximum(step, np.searchsorted(users.round(), table.user, "right"))
        step = np.maximum(step, np.searchsorted(items.round(), table.item, "right"))
    else:
        users, items = np.full(parts, table.users), np.full(parts, table.items)
    sizes = list(zip(users.round().astype(int).tolist(), items.round().astype(int).tolist(), strict=True))
    known = first_of(data.restrict(step == 0), *sizes[0])
    model = make().fit(known, rng=np.random.default_rng(0))
    for part in range(1, parts):
        new = first_of(data.restrict(step == part), *sizes[part])
        known = known.joined(new.interactions, new)
        model = model.update(known, new.interactions)
    return model, make().fit(known, rng=np.random.default_rng(0))


def same_arrays(one: Any, other: Any) -> bool:
    """Whether two models learnt the same, to the last bit."""
    mine, others = one.arrays(), other.arrays()
    return mine.keys() == others.keys() and all(
        mine[name].dtype == others[name].dtype and mine[name].tobytes() == others[name].tobytes() for name in mine
    )
