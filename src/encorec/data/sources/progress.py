"""How a long step says what it is doing."""

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Progress", "silent"]

Progress: TypeAlias = Callable[[str], None]


def silent(message: str) -> None:
    """Say nothing.

    Example:
        >>> silent("reading interactions.csv")
    """
