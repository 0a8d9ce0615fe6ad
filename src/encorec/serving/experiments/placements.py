"""Where slates are left to chance, and how far: a temperature per placement."""

import math
from collections.abc import Sequence

from encorec.errors import ConfigError
from encorec.pipeline.chances import ExplorationConfig

__all__ = ["explored_placements"]


def explored_placements(texts: Sequence[str]) -> dict[str, ExplorationConfig]:
    """Exploration by placement.

    Args:
        texts: each ``placement=temperature`` or ``placement=temperature:head``.

    Raises:
        ConfigError: another form, a placement given twice, a value outside its bounds.

    Example:
        >>> explored_placements(["main=0.5", "sidebar=1:20"])["sidebar"].head
        20
    """
    found: dict[str, ExplorationConfig] = {}
    for text in texts:
        placement, equals, said = text.rpartition("=")
        temperature, colon, head = said.partition(":")
        degrees = _number(temperature)
        if not (placement and equals) or degrees is None or (colon and not head.isdecimal()):
            raise ConfigError(f"explore is {text!r}, allowed is placement=temperature or placement=temperature:head")
        if placement in found:
            raise ConfigError(f"explore: placement {placement!r} is given twice")
        try:
            found[placement] = (
                ExplorationConfig(temperature=degrees, head=int(head))
                if colon
                else ExplorationConfig(temperature=degrees)
            )
        except ConfigError as error:
            raise ConfigError(f"explore is {text!r}: {error}") from error
    return found


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
