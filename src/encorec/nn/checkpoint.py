"""The state of a training on disk: written whole or not at all, read without running code."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encorec.errors import ArtifactError
from encorec.nn.torch_package import torch

__all__ = ["State", "read_checkpoint", "write_checkpoint"]

NAME = "checkpoint.pt"


@dataclass(frozen=True)
class State:
    """Everything that the next epoch of a training depends on.

    Args:
        module: numbers of the network, by name.
        best: those after its best epoch.
        optimisers: of every optimiser.
        scaler: of the gradients of 16-bit products.
        chance: (bytes,) uint8 state of the generator that drops numbers.
        rng: state of the generator that orders and samples.
        epochs: what is told of every epoch so far.

    Example:
        >>> State({}, {}, [], {}, torch.zeros(0), {}, []).epochs
        []
    """

    module: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    optimisers: list[dict[str, Any]]
    scaler: dict[str, Any]
    chance: torch.Tensor
    rng: Any
    epochs: list[tuple[Any, ...]]


def write_checkpoint(folder: Path, state: State) -> None:
    """Replace the checkpoint in ``folder``, which is made where it does not exist.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_checkpoint(Path(folder), State({}, {}, [], {}, torch.zeros(0), {"a": 1}, [(1, 0.5)]))
        ...     read_checkpoint(Path(folder)).epochs
        [(1, 0.5)]
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {**vars(state), "rng": json.dumps(state.rng), "epochs": [list(one) for one in state.epochs]}
    torch.save(parts, folder / f"{NAME}.new")
    os.replace(folder / f"{NAME}.new", folder / NAME)


def read_checkpoint(folder: Path) -> State | None:
    """The state that was written into ``folder``; none where there is none.

    Raises:
        ArtifactError: the file is torn or holds something else.

    Example:
        >>> read_checkpoint(Path("no", "such", "folder")) is None
        True
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)  # plain tensors and numbers, no code
        rng, epochs = json.loads(parts["rng"]), [tuple(one) for one in parts["epochs"]]
        return State(**{**parts, "rng": rng, "epochs": epochs})
    except Exception as error:  # torch names no class of errors for a file that it cannot read
        raise ArtifactError(f"{path}: not a checkpoint ({type(error).__name__}); delete it to begin anew") from error
