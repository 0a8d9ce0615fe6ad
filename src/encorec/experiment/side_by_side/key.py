"""The key of a judging page: which side was which system. It stays in a file of its own, so that judging is blind."""

import os
from pathlib import Path

import msgspec

from encorec.config import Config
from encorec.errors import DataError

__all__ = ["Key", "KeyTask", "read_key", "write_key"]


class KeyTask(Config):
    """One pair of lists.

    Args:
        task: number on the page, from 1.
        user: whose lists these are.
        left: the system on the left, ``a`` or ``b``.

    Raises:
        DataError: a side that is neither.

    Example:
        >>> KeyTask(task=1, user="7", left="a").right
        'b'
    """

    task: int
    user: str
    left: str

    def __post_init__(self) -> None:
        if self.left not in ("a", "b"):
            raise DataError(f"key: task {self.task} has {self.left!r} on the left, allowed are 'a' and 'b'")

    @property
    def right(self) -> str:
        """The system on the right."""
        return "b" if self.left == "a" else "a"


class Key(Config):
    """What a judge must not see.

    Args:
        page: name of the page that it opens.
        a: name of one system.
        b: name of the other.
        seed: of the draw.
        k: places of a list that are shown.
        tasks: pairs of lists, in the order of the page.
        identical: users whose lists were equal place by place, which leaves nothing to judge; they are not on the page.
        one_sided: users with a list of one system only.

    Raises:
        DataError: a task twice.

    Example:
        >>> key = Key(page="p", a="als", b="ease", seed=0, k=10, tasks=(KeyTask(task=1, user="7", left="b"),))
        >>> key.system(1, "left"), key.system(1, "tie")
        ('b', None)
    """

    page: str
    a: str
    b: str
    seed: int
    k: int
    tasks: tuple[KeyTask, ...]
    identical: tuple[str, ...] = ()
    one_sided: int = 0

    def __post_init__(self) -> None:
        if len({one.task for one in self.tasks}) < len(self.tasks):
            raise DataError("key: a task is there twice; take the file that was written beside the page")

    def system(self, task: int, choice: str) -> str | None:
        """The system, ``a`` or ``b``, that a choice stands for; none for a tie."""
        if choice == "tie":
            return None
        one = next(one for one in self.tasks if one.task == task)
        return one.left if choice == "left" else one.right


def write_key(key: Key, path: str | Path) -> Path:
    """Write the key as JSON, whole or not at all.

    Args:
        key: of a page.
        path: of the file.

    Raises:
        DataError: the file cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> file = write_key(Key(page="p", a="als", b="ease", seed=0, k=10, tasks=()), Path(mkdtemp(), "key.json"))
        >>> read_key(file).a
        'als'
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(key), indent=1) + b"\n")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{target}: cannot be written ({error.strerror}); choose another path") from error
    return target


def read_key(path: str | Path) -> Key:
    """Read the key of a page.

    Args:
        path: of the file.

    Raises:
        DataError: no such file, or not a key.

    Example:
        >>> read_key("no-such-key.json")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such-key.json: cannot be read (No such file or directory); check the path
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Key)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (msgspec.DecodeError, UnicodeDecodeError, DataError) as error:
        raise DataError(f"{path}: is not the key of a judging page ({error}); take the file of --key-out") from error
