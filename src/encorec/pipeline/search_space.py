"""What tuning may change: paths into a configuration, and the values that each may take."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeAlias, cast

import msgspec

from encorec.config import Config, decode
from encorec.errors import ConfigError
from encorec.pipeline.fit import PipelineConfig
from encorec.ranking.catboost_ranker import CatBoostConfig
from encorec.ranking.lightgbm_ranker import LightGBMConfig

__all__ = ["Dimension", "TuneConfig", "check_space", "space_of", "value_at", "with_values"]

Value: TypeAlias = bool | int | float | str
_QUOTAS = (25, 50, 100, 200)


class Dimension(Config):
    """The values of one setting: either ``choices``, or the numbers from ``low`` to ``high``.

    Args:
        low: smallest; a range is of whole numbers where both ends are whole.
        high: largest.
        log: whether equal factors are equally likely, instead of equal steps.
        choices: all values there are.

    Raises:
        ConfigError: neither or both, or a range that is none.

    Example:
        >>> Dimension(low=1, high=8).whole, Dimension(low=0.01, high=0.3, log=True).whole
        (True, False)
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        if self.choices and self.low is None and self.high is None:
            return
        if self.choices or self.low is None or self.high is None:
            raise ConfigError("tune.space: every path needs either choices, or low and high")
        least = self.low if self.log else 1
        if not self.low < self.high or least <= 0:
            raise ConfigError(
                f"tune.space: a range from {self.low} to {self.high} is none; low must be below high, "
                "and above 0 where log = true"
            )

    @property
    def whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Value, ...]:
        """The choices, or the two ends of the range."""
        return self.choices or tuple(one for one in (self.low, self.high) if one is not None)


class TuneConfig(Config):
    """What ``encorec tune`` searches.

    Args:
        space: by path, such as ``ranker.depth`` or ``retrievers.als.reg``; none = quotas of the retrievers, negatives
            and the usual settings of the ranker.

    Example:
        >>> TuneConfig(space={"ranker.depth": Dimension(low=4, high=8)}).space["ranker.depth"].high
        8
    """

    space: dict[str, Dimension] = msgspec.field(default_factory=dict[str, Dimension])


def space_of(tune: TuneConfig, config: PipelineConfig) -> dict[str, Dimension]:
    """The space that is declared, else the usual one for this pipeline.

    Example:
        >>> from encorec.retrieval.popularity import PopularityConfig
        >>> list(space_of(TuneConfig(), PipelineConfig(retrievers={"popular": PopularityConfig()})))
        ['candidates.quotas.popular', 'training.negatives', 'ranker.depth', 'ranker.learning_rate', 'ranker.reg']
    """
    if tune.space:
        return dict(tune.space)
    space = {
        f"candidates.quotas.{name}": Dimension(choices=tuple(sorted({*_QUOTAS, quota})))
        for name, quota in config.quotas().items()
    }
    if config.training.strategy != "all":
        space["training.negatives"] = Dimension(low=15, high=200, log=True)
    return space | {f"ranker.{name}": one for name, one in _ranker_space(config).items()}


def _ranker_space(config: PipelineConfig) -> dict[str, Dimension]:
    rate = Dimension(low=0.02, high=0.2, log=True)
    if isinstance(config.ranker, CatBoostConfig):
        return {
            "depth": Dimension(low=4, high=8),
            "learning_rate": rate,
            "reg": Dimension(low=1.0, high=50.0, log=True),
        }
    if isinstance(config.ranker, LightGBMConfig):
        return {
            "leaves": Dimension(low=7, high=63, log=True),
            "learning_rate": rate,
            "reg": Dimension(low=0.1, high=100.0, log=True),
            "min_rows": Dimension(low=10, high=300, log=True),
            "feature_share": Dimension(low=0.4, high=1.0),
        }
    return {"bins": Dimension(low=4, high=64, log=True), "reg": Dimension(low=1.0, high=1000.0, log=True)}


def with_values(content: Mapping[str, Any], config: PipelineConfig, values: Mapping[str, Value]) -> dict[str, Any]:
    """A configuration's content with other values at these paths.

    Args:
        content: as a TOML parser returned it.
        config: what it was decoded to; names in it may hold dots.
        values: by path.

    Example:
        >>> from encorec.retrieval.popularity import PopularityConfig
        >>> config = PipelineConfig(retrievers={"popular": PopularityConfig()})
        >>> with_values({"training": {"folds": 2}}, config, {"training.negatives": 9, "ranker.depth": 4})
        {'training': {'folds': 2, 'negatives': 9}, 'ranker': {'depth': 4}}
    """
    changed, known = deepcopy(dict(content)), msgspec.to_builtins(config)
    for path, value in values.items():
        *tables, last = _steps(known, path)
        place = changed
        for name in tables:
            place = _table(place.setdefault(name, {}))
            if place is None:
                raise ConfigError(f"tune.space: {path!r} leads through {name!r}, which is not a table")
        place[last] = value
    return changed


def value_at(config: PipelineConfig, path: str) -> Any:
    """What a configuration says at a path; none where it says nothing there.

    Example:
        >>> from encorec.retrieval.popularity import PopularityConfig
        >>> config = PipelineConfig(retrievers={"popular": PopularityConfig()})
        >>> value_at(config, "ranker.depth"), value_at(config, "candidates.quotas.popular")
        (6, 100)
    """
    known: Any = msgspec.to_builtins(config)
    known["candidates"]["quotas"] = config.quotas()
    for name in _steps(known, path):
        known = (_table(known) or {}).get(name)
    return known


def check_space(
    content: Mapping[str, Any], config: PipelineConfig, space: Mapping[str, Dimension], kind: type[Any]
) -> None:
    """Fail before the work: each end of each range alone must give a configuration.

    Args:
        content: of the configuration.
        config: what it was decoded to.
        space: by path.
        kind: what contents are decoded to.

    Raises:
        ConfigError: a path that leads nowhere, or a value that is not allowed there.
    """
    for path, dimension in space.items():
        for value in dimension.ends:
            decode(with_values(content, config, {path: value}), kind, where=f"tune.space, {path} = {value!r}")


def _steps(known: Any, path: str) -> list[str]:
    """Names along a path; the longest name that is there wins, for names may hold dots."""
    steps: list[str] = []
    table = _table(known)
    while path:
        names = [name for name in table or {} if path == name or path.startswith(f"{name}.")]
        rest = path if table is not None and steps else path.split(".")[0]
        name = max(names, key=len, default=rest)
        steps.append(name)
        path = path[len(name) + 1 :]
        table = _table((table or {}).get(name))
    return steps


def _table(value: Any) -> dict[str, Any] | None:
    return cast(dict[str, Any], value) if isinstance(value, dict) else None
