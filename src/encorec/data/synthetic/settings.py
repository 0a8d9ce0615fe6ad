"""How large a world is and which one of all."""

from encorec.config import Config, bounded
from encorec.data.synthetic.figures import ITEMS, ROWS, USERS
from encorec.errors import ConfigError

__all__ = ["WorldConfig"]


class WorldConfig(Config):
    """A made-up online cinema, calibrated on the marginals of KION.

    Args:
        users: who watch something; a tenth as many again are described but never watch.
        items: films and series of the catalogue, of which 1.6 % are never watched.
        interactions: about how many, at most one per user and item; none = 5.69 per user, as in KION.
        seed: equal seeds give equal worlds, on any machine.

    Raises:
        ConfigError: a size out of bounds, or more interactions than users and items allow for.

    Example:
        >>> WorldConfig(users=1000, items=200).rows
        5691
    """

    users: int = USERS
    items: int = ITEMS
    interactions: int | None = None
    seed: int = 7

    def __post_init__(self) -> None:
        bounded(self, users=(50, 20_000_000), items=(50, 200_000), seed=(0, 2**63 - 1))
        most = self.users * min(max(self.items // 20, 2), 300)
        if not self.users <= self.rows <= most:
            raise ConfigError(
                f"{type(self).__name__}.interactions is {self.rows:,}, allowed is {self.users:,} to {most:,} "
                f"for {self.users:,} users and {self.items:,} items; change one of them"
            )

    @property
    def rows(self) -> int:
        """Interactions aimed at."""
        return self.users * ROWS // USERS if self.interactions is None else self.interactions
