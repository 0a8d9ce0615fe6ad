"""A slate of relevant items that also weighs variety, taste, freshness, popularity and caps."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from encorec.config import Config, bounded
from encorec.data.dataset import Dataset
from encorec.data.features import FeatureTable
from encorec.errors import ArtifactError, ConfigError
from encorec.pipeline.slates import ordered_rows, relevance_of, slate_of
from encorec.protocols import Arrays
from encorec.ranking.caps import CapArrays, caps_of
from encorec.ranking.diversity import choose_unlike
from encorec.ranking.item_traits import ItemTraits, TraitArrays
from encorec.ranking.read_only import read_only
from encorec.ranking.relevance_pool import Boosts, scale_pools
from encorec.ranking.taste import choose_in_taste
from encorec.types import Candidates, FloatMatrix, FloatVector, IntMatrix, IntVector, Queries, Slate

__all__ = ["SelectionConfig", "VariedSelector"]

DAY = 86_400


class SelectionConfig(Config):
    """How the slate is chosen from the ranked candidates. At its defaults: the best k.

    Args:
        kind: what the slate is chosen for besides relevance: nothing, unlikeness of its items by maximal marginal
            relevance (mmr) or determinants (dpp), or the proportions of the user's genres (calibrated).
        strength: share of that in the choice; 0 = the order of relevance, 1 = that alone.
        pool: best candidates that are chosen from; relevance is on a scale from 0 to 1 over these.
        compared: item features (tags, categories) that mmr and dpp compare and calibrated keeps in proportion; none =
            all tags, or all categories where there are no tags.
        half_life: events after which one of the history counts half for calibrated.
        caps: items of any one value per feature in a slate, as genres = 4; 0 = no cap. Yields where nothing else is
            left.
        freshness: added to the relevance of an item as new as can be, in spans of the pool's relevance; 0 = off.
        freshness_half_life: days since the first interaction in which that halves.
        popularity: taken from the relevance of the most popular item, in the same unit; 0 = off. Others by the
            logarithm of their users.

    Raises:
        ConfigError: a value outside its bounds.

    Example:
        >>> SelectionConfig(kind="mmr", strength=0.3, caps={"series": 2}).varied
        True
    """

    kind: Literal["top", "mmr", "dpp", "calibrated"] = "top"
    strength: float = 0.3
    pool: int = 100
    compared: tuple[str, ...] | None = None
    half_life: float = 50
    caps: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    freshness: float = 0.0
    freshness_half_life: float = 30
    popularity: float = 0.0

    def __post_init__(self) -> None:
        bounded(self, strength=(0, 1), pool=(1, 100_000), half_life=(0.01, 10**9))
        bounded(self, freshness=(0, 100), freshness_half_life=(1e-4, 10**6), popularity=(0, 100))
        for name, cap in self.caps.items():
            if not 0 <= cap <= 1_000_000:
                raise ConfigError(f"selection: caps.{name} is {cap}, allowed is 0 (no cap) to 1000000")

    @property
    def varied(self) -> bool:
        """Whether anything but relevance counts."""
        return self.kind != "top" or self.freshness > 0 or self.popularity > 0 or any(self.caps.values())


class VariedSelector:
    """Keeps the best of the ranking, raises and lowers what is fresh and what is popular, and chooses one by one.

    Args:
        config: what is weighed.
        traits: of every item: vectors for mmr and dpp, shares for calibrated; none = relevance alone.
        caps: of every item.
        boosts: of every item.

    Example:
        >>> from dataclasses import replace
        >>> from encorec.data.features import FeatureTable, Tags
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> shelf = FeatureTable(3, tags={"genres": Tags.of([["war"], ["war"], ["space"]])})
        >>> data = replace(Dataset.of(Interactions.of([0, 0, 0], [0, 1, 2], [5, 6, 7])), item_features=shelf)
        >>> selector = VariedSelector.fit(SelectionConfig(kind="mmr", strength=0.6), data)
        >>> queries = Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(3, bool)))
        >>> one = np.ones((3, 1), np.float32)
        >>> found = Candidates(np.zeros(3, int), np.arange(3), one, one, ("als",), np.array([0.9, 0.8, 0.1]))
        >>> selector.select(queries, found, 2).item.tolist()
        [[0, 2]]
    """

    def __init__(self, config: SelectionConfig, traits: ItemTraits | None, caps: CapArrays, boosts: Boosts) -> None:
        self.config = config
        self._traits, self._caps, self._boosts = traits, caps, boosts
        nothing = TraitArrays(np.zeros(len(caps.offsets), np.int64), np.empty(0, np.int32), np.empty(0))
        self._arrays = read_only(nothing) if traits is None else traits.arrays

    @classmethod
    def fit(cls, config: SelectionConfig, data: Dataset) -> Self:
        """What is needed of ``data``: traits, first interactions, users of every item.

        Raises:
            ConfigError: a feature that the items do not have.
        """
        table = data.interactions
        return cls.over(config, data.item_features, table.item, table.time, table.item_users)

    @classmethod
    def over(
        cls, config: SelectionConfig, features: FeatureTable, item: IntVector, time: IntVector, item_users: IntVector
    ) -> Self:
        """The selector over features of items and m interactions.

        Args:
            config: what is weighed.
            features: of all items.
            item: (m,) item of each interaction.
            time: (m,) int64 seconds of each interaction.
            item_users: (items,) users of each item.

        Raises:
            ConfigError: a feature that the items do not have.
        """
        caps = caps_of(features, {name: cap for name, cap in config.caps.items() if cap})
        traits = None
        if config.kind != "top":
            traits = ItemTraits.of(features, config.compared, where="selection.compared")
            traits = traits.as_shares() if config.kind == "calibrated" else traits.as_vectors()
        first = np.full(len(item_users), np.iinfo(np.int64).max)
        np.minimum.at(first, item, time)
        share = np.log1p(item_users) / np.log1p(max(int(item_users.max(initial=0)), 1))
        return cls(config, traits, caps, _boosts(config, first, share))

    def select(self, queries: Queries, candidates: Candidates, k: int) -> Slate:
        """The slate of every query; ``score`` is the relevance of the items shown, which then need not fall.

        ``counts["over_cap"]`` says how many items stand in slates although a cap was reached.

        Raises:
            QueryError: the candidates have not been ranked.
        """
        relevance = relevance_of(candidates, "VariedSelector")
        pool, n = max(self.config.pool, k), len(queries)
        longest = int(np.diff(candidates.indptr(n)).max(initial=0))
        order = ordered_rows(queries, candidates, relevance, longest if len(self._caps.limit) else min(longest, pool))
        item = np.ascontiguousarray(candidates.item, np.int32)
        value, size = np.empty((n, min(pool, order.shape[1]))), np.empty(n, np.int64)
        now = np.ascontiguousarray(queries.now, np.int64)
        scale_pools(order, item, relevance, now, self._boosts, value, size)
        chosen, over = np.empty((n, k), np.int64), np.empty(n, np.int64)
        self._choose(queries, order, item, value, size, chosen, over)
        slate = slate_of(candidates, chosen)
        slate.counts["over_cap"] = int(over.sum())
        return slate

    def _choose(
        self,
        queries: Queries,
        order: IntMatrix,
        item: IntVector,
        value: FloatMatrix,
        size: IntVector,
        chosen: IntMatrix,
        over: IntVector,
    ) -> None:
        config, history = self.config, queries.history
        kinds = 0 if self._traits is None else self._traits.size
        strength = float(config.strength) if kinds else 0.0
        if config.kind != "calibrated":
            choose_unlike(
                order, item, value, size, config.kind == "dpp", strength, kinds, self._arrays,
                len(self._caps.limit), self._caps, chosen, over,
            )  # fmt: skip
            return
        choose_in_taste(
            order, item, value, size, np.ascontiguousarray(history.starts, np.int64),
            np.ascontiguousarray(history.stops, np.int64), np.ascontiguousarray(history.item, np.int32),
            0.5 ** (1 / config.half_life), strength, kinds, self._arrays,
            len(self._caps.limit), self._caps, chosen, over,
        )  # fmt: skip

    def arrays(self) -> Arrays:
        """Everything learnt, as named arrays."""
        caps = {f"caps.{name}": one for name, one in zip(("offsets", "code", "limit"), self._caps, strict=True)}
        return {
            **caps,
            "first": self._boosts.first,
            "share": self._boosts.share,
            **({} if self._traits is None else self._traits.named("traits")),
        }

    @classmethod
    def from_arrays(cls, config: SelectionConfig, arrays: Mapping[str, NDArray[Any]], items: int) -> Self:
        """The selector that ``arrays()`` was taken from.

        Args:
            config: of the selector.
            arrays: everything learnt.
            items: number of items.

        Raises:
            ArtifactError: arrays that do not fit each other or the items.
        """
        caps = read_only(CapArrays(*(arrays[f"caps.{name}"] for name in ("offsets", "code", "limit"))))
        traits = None if config.kind == "top" else ItemTraits.restored("traits", arrays, items)
        first, share = arrays["first"], arrays["share"]
        steps = np.diff(caps.offsets)
        fits = len(first) == len(share) == len(caps.offsets) - 1 == items and caps.offsets[0] == 0
        fits = fits and not np.any(steps < 0) and caps.offsets[-1] == len(caps.code)
        if not fits or (len(caps.code) and not 0 <= caps.code.min() <= caps.code.max() < len(caps.limit)):
            raise ArtifactError(f"selection: its arrays do not fit the {items} items; train again")
        return cls(config, traits, caps, _boosts(config, first, share))


def _boosts(config: SelectionConfig, first: IntVector, share: FloatVector) -> Boosts:
    half_life = float(config.freshness_half_life * DAY)
    return read_only(Boosts(first, share, float(config.freshness), float(config.popularity), half_life))
