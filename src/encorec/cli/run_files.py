"""What commands that sit exams share: where finished folds wait, and where pages and systems of one's own lie."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from encorec.cli.terminal import tell

__all__ = ["current_folder_first", "kept_for", "refuse_unwritable"]


def kept_for(config: Path) -> Any:
    """Where the finished folds of an evaluation wait: one folder per configuration file; none if it cannot be made."""
    from hashlib import sha256

    from encorec.data.sources.wheels import cache_folder
    from encorec.pipeline.checkpoints import Checkpoints

    name = f"{config.stem}-{sha256(str(config.resolve()).encode()).hexdigest()[:12]}"
    folder = cache_folder() / "evaluate" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        tell(f"note: {folder} cannot be made ({error.strerror}), so an interrupted run would begin anew")
        return None
    return Checkpoints(folder)


def refuse_unwritable(path: Path | None, option: str = "--html") -> None:
    """Fail before the work, not after it."""
    from encorec.errors import DataError

    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise DataError(f"{option} {path}: cannot be written there; name a file in a folder that exists")


@contextmanager
def current_folder_first() -> Iterator[None]:
    """Systems of one's own are found in the current folder, as ``python -m`` finds modules."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
