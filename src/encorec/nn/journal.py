"""What is told of every epoch: a row of ``log.csv``, and points of TensorBoard where it is installed."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encorec.nn.epoch import Epoch

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    SummaryWriter = None

__all__ = ["Journal"]


class Journal:
    """Writes into ``folder``; none = it writes nothing.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Journal(Path(folder)).write([Epoch(1, 0.5, 0.1, 0.001, 2.0, 30)])
        ...     print((Path(folder) / "log.csv").read_text().splitlines()[1])
        1,0.5,0.1,0.001,2.0,30
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._writer: Any = None

    def write(self, epochs: Sequence[Epoch]) -> None:
        """Every epoch so far; the last one is new."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([Epoch._fields, *epochs])
        if SummaryWriter is not None:
            self._draw(epochs[-1])

    def _draw(self, epoch: Epoch) -> None:
        writer: Any = SummaryWriter
        self._writer = writer(str(self.folder)) if self._writer is None else self._writer
        for name, value in epoch._asdict().items():
            if name not in ("number", "epochs"):
                self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def close(self) -> None:
        """Let go of the file of TensorBoard."""
        if self._writer is not None:
            self._writer.close()
