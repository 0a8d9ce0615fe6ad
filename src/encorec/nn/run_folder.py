"""Where one training writes: a folder named by all that its result depends on, so that none goes on from another."""

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
from scipy import sparse

from encorec import __version__
from encorec.config import Config
from encorec.data.interactions import Interactions

__all__ = ["run_folder"]


def run_folder(
    config: Config, folder: str | None, table: Interactions, rng: np.random.Generator, *parts: sparse.csr_array | None
) -> Path | None:
    """The folder inside ``folder`` of the training of this config on this data from this state of chance.

    Args:
        config: of the model.
        folder: around the folders of all trainings; none = nothing is written.
        table: all interactions.
        rng: as it is before anything was drawn.
        parts: features of items and of users; none = they are not read.

    Example:
        >>> from encorec.nn.training_config import TrainingConfig
        >>> table, config = Interactions.of([0], [0], [0]), TrainingConfig()
        >>> one = [run_folder(config, "runs", table, np.random.default_rng(seed)) for seed in (0, 0, 1)]
        >>> one[0] == one[1], one[0] == one[2], run_folder(config, None, table, np.random.default_rng(0))
        (True, False, None)
    """
    if folder is None:
        return None
    state = json.dumps(rng.bit_generator.state, sort_keys=True, default=int)
    digest = hashlib.sha256(__version__.encode() + msgspec.json.encode(config) + state.encode())
    columns = [table.indptr, table.item, table.time, np.array([table.items])]
    for part in parts:
        columns += [] if part is None else [part.indptr, part.indices, part.data]
    for column in columns:
        digest.update(str((column.dtype, column.shape)).encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    return Path(folder) / digest.hexdigest()[:16]
