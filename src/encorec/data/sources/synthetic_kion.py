"""A made-up online cinema in the shape of KION: the same columns, the same figures, any size, nobody's data."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.interactions import Interactions
from encorec.data.sources.kion import kion_items, kion_users, watched_share
from encorec.data.sources.profiles import feature_table, title_array
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.sheets import Sheet
from encorec.data.synthetic.comparison import GENERATED
from encorec.data.synthetic.settings import WorldConfig
from encorec.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from encorec.data.synthetic.world import World

__all__ = ["SyntheticKion", "dataset_of", "load_synthetic_kion"]


class SyntheticKion(WorldConfig, tag="synthetic-kion", tag_field="source"):
    """A generated data set: "synthetic, calibrated on KION marginals".

    Args:
        weight: ``one`` for every interaction, or the share ``watched`` (0.01 to 1; the mean where it is not known).

    Example:
        >>> SyntheticKion(users=1000, items=500).rows
        5691
    """

    weight: Literal["one", "watched"] = "one"


def load_synthetic_kion(source: SyntheticKion, progress: Progress = silent) -> Dataset:
    """The data set that the ``kion`` source would read from the files of the same world.

    Raises:
        ConfigError: a size out of bounds.

    Example:
        >>> data = load_synthetic_kion(SyntheticKion(users=300, items=150))
        >>> len(data.items), data.interactions.users
        (150, 330)
    """
    from encorec.data.synthetic.world import World

    world = World.of(source, progress)
    progress("numbering users and items")
    return dataset_of(world, source.weight)


def dataset_of(world: "World", weight: Literal["one", "watched"] = "one") -> Dataset:
    """The data set of a world that is at hand; its rows of users and items are those of the world.

    Args:
        world: with its past.
        weight: as in ``SyntheticKion``.

    Example:
        >>> from encorec.data.synthetic.world import World
        >>> world = World.of(WorldConfig(users=300, items=150))
        >>> len(dataset_of(world).interactions) == len(world.views.item)
        True
    """
    from encorec.data.synthetic.film_texts import item_table
    from encorec.data.synthetic.kion_files import user_table

    people, films, seed = world.people, world.films, world.config.seed
    users = kion_users(Sheet(user_table(people), "users"))
    items = kion_items(Sheet(item_table(films, seed), "items"))
    catalogue = Vocabulary(films.id)
    return Dataset(
        GENERATED,
        Vocabulary(people.id),
        catalogue,
        _interactions(world, watched=weight == "watched"),
        feature_table(users, np.flatnonzero(people.described), len(people.id)),
        feature_table(items, np.arange(len(films.id)), len(films.id)),
        title_array(items, np.arange(len(films.id)), catalogue),
    )


def _interactions(world: "World", *, watched: bool) -> Interactions:
    """In the order of the file, each dated by midnight."""
    from encorec.data.synthetic.kion_files import file_order, watched_percent
    from encorec.data.synthetic.rhythm import DAY_SECONDS, WINDOW_START

    people, views, seed = world.people, world.views, world.config.seed
    order = file_order(len(views.item), seed)
    return Interactions.of(
        world.view_user[order],
        views.item[order],
        WINDOW_START + views.second[order].astype(np.int64) // DAY_SECONDS * DAY_SECONDS,
        watched_share(watched_percent(views.percent[order], seed)).to_numpy() if watched else None,
        users=len(people.id),
        items=len(world.films.id),
    )
