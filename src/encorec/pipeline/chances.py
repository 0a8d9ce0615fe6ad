"""How far slates are left to chance, and the seed of each: what ``encorec.pipeline.exploration`` draws by."""

import hashlib

from encorec.config import Config, bounded
from encorec.errors import ConfigError

__all__ = ["ExplorationConfig", "seed_of"]

_COOLEST = 1e-3


class ExplorationConfig(Config):
    """How far slates are left to chance.

    Args:
        temperature: in standard deviations of the scores of the head: at 1, of two items whose scores are one standard
            deviation apart, the better one comes first 2.7 times as often. 0 = nothing is left to chance.
        head: best items that the places are drawn from.

    Raises:
        ConfigError: a value outside its bounds; a temperature between 0 and 0.001.

    Example:
        >>> ExplorationConfig(temperature=0.5).head
        50
    """

    temperature: float = 0.0
    head: int = 50

    def __post_init__(self) -> None:
        bounded(self, temperature=(0, 1000), head=(1, 10_000))
        if 0 < self.temperature < _COOLEST:
            raise ConfigError(
                f"ExplorationConfig.temperature is {self.temperature}, allowed is 0 (nothing is left to chance) or "
                f"{_COOLEST:g} to 1000"
            )


def seed_of(request_id: str) -> int:
    """The seed of a request, from its name alone: whoever has the log can draw the slate again.

    Example:
        >>> seed_of("r-1")
        -6486740946367647128
    """
    digest = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).digest()  # fips180
    return int.from_bytes(digest[:8], "big", signed=True)
