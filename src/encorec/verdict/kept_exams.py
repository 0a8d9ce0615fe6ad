"""Finished exams on disk, so that an interrupted evaluation of several goes on where it stopped."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from encorec import __version__
from encorec.evaluation.backtest.judged import JudgedFold

__all__ = ["KeptExams"]


class KeptExams:
    """A folder of judged exams; one is reused only for the very same configuration, data and version.

    Args:
        folder: made at the first write.

    Example:
        >>> KeptExams("no-such-folder").read(["key"]) is None
        True
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def read(self, key: Sequence[str | bytes]) -> list[JudgedFold] | None:
        """What was kept under ``key``; none where there is nothing or the file is torn."""
        try:
            content = self._path(key).read_bytes()
            return msgspec.msgpack.decode(content, type=list[JudgedFold], dec_hook=_array)
        except (OSError, ValueError, KeyError, TypeError, msgspec.DecodeError):
            return None

    def write(self, key: Sequence[str | bytes], exam: list[JudgedFold]) -> None:
        """Keep an exam under ``key``, whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(msgspec.msgpack.encode(exam, enc_hook=_plain))
        os.replace(draft, path)

    def _path(self, key: Sequence[str | bytes]) -> Path:
        parts = [__version__, *key]
        content = b"\0".join(one.encode() if isinstance(one, str) else one for one in parts)
        return self._folder / f"{hashlib.sha256(content).hexdigest()[:24]}.exam"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.str, "shape": value.shape, "data": value.tobytes()}
    raise NotImplementedError(f"{type(value).__name__} is not kept")


def _array(_: Any, content: Any) -> Any:
    return np.frombuffer(content["data"], content["dtype"]).reshape(content["shape"])
