"""What a variant of an experiment changes in a trained pipeline."""

from typing import Any

import msgspec

from encorec.config import Config
from encorec.errors import ConfigError

__all__ = ["Override"]


class Override(Config):
    """What is answered differently; everything left out stays as it was trained.

    Args:
        order: source whose order is served in place of the ranker's, or ``rrf`` (all sources fused); none = as trained.
        quotas: source -> items asked of it; 0 = it only scores what others propose.
        selection: fields of ``SelectionConfig`` that differ, as ``kind = "mmr"`` or ``strength = 0.5``.

    Raises:
        ConfigError: a quota outside its bounds.

    Example:
        >>> Override(order="als").changes
        True
    """

    order: str | None = None
    quotas: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    selection: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        for name, quota in self.quotas.items():
            if not 0 <= quota <= 100_000:
                raise ConfigError(f"quotas.{name} is {quota}, allowed is 0 to 100000")

    @property
    def changes(self) -> bool:
        """Whether anything is answered differently."""
        return self.order is not None or bool(self.quotas) or bool(self.selection)
