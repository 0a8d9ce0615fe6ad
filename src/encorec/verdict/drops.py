"""Parts of a pipeline that can be left out, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from encorec.errors import ConfigError, unknown_name
from encorec.pipeline.candidate_features import CandidateFeatures, GroupName
from encorec.pipeline.fit import PipelineConfig
from encorec.pipeline.two_stage import FirstStage

__all__ = ["Drop", "drops_of", "first_without", "without"]


@dataclass(frozen=True)
class Drop:
    """One part.

    Args:
        kind: a group of features, or a retriever with all that it proposes and tells.
        name: of it.

    Example:
        >>> Drop("group", "recent").name
        'recent'
    """

    kind: Literal["group", "retriever"]
    name: str


def drops_of(config: PipelineConfig, names: Sequence[str] = ()) -> list[Drop]:
    """The parts of these names; none given = all that can be left out.

    Args:
        config: of the pipeline.
        names: of groups and retrievers; ``group:x`` and ``retriever:x`` where both have one.

    Raises:
        ConfigError: an unknown name, one of two parts, or a part without which nothing is left.

    Example:
        >>> from encorec.pipeline.candidate_features import FeatureConfig
        >>> from encorec.retrieval.popularity import PopularityConfig
        >>> config = PipelineConfig(retrievers={"popular": PopularityConfig()}, features=FeatureConfig())
        >>> [one.name for one in drops_of(config)], drops_of(config, ["recent"])
        (['scores', 'recent', 'items', 'users', 'traits', 'static'], [Drop(kind='group', name='recent')])
    """
    groups = [Drop("group", name) for name in config.resolved_features().groups]
    every = [*groups, *(Drop("retriever", name) for name in config.retrievers)]
    if not names:
        return [one for one in every if _left(config, one) is None]
    found = [_named(name, every) for name in dict.fromkeys(names)]
    for one in found:
        if (fault := _left(config, one)) is not None:
            raise ConfigError(f"--drop {one.name}: {fault}")
    return list(dict.fromkeys(found))


def without(config: PipelineConfig, drop: Drop) -> PipelineConfig:
    """The same pipeline without the part.

    Example:
        >>> from encorec.retrieval.popularity import PopularityConfig
        >>> config = PipelineConfig(retrievers={"week": PopularityConfig(days=7), "ever": PopularityConfig()})
        >>> list(without(config, Drop("retriever", "week")).retrievers)
        ['ever']
    """
    features = config.features
    if drop.kind == "group":
        groups = tuple(name for name in features.groups if name != drop.name)
        return msgspec.structs.replace(config, features=msgspec.structs.replace(features, groups=groups))
    recent = features.recent_sources
    if recent is not None:
        recent = tuple(name for name in recent if name != drop.name)
    quotas = {name: quota for name, quota in config.candidates.quotas.items() if name != drop.name}
    return msgspec.structs.replace(
        config,
        retrievers={name: one for name, one in config.retrievers.items() if name != drop.name},
        candidates=msgspec.structs.replace(config.candidates, quotas=quotas),
        features=msgspec.structs.replace(features, recent_sources=recent),
    )


def first_without(first: FirstStage, config: PipelineConfig) -> FirstStage:
    """The parts of a fitted first stage that ``config`` still has; nothing is fitted.

    Args:
        first: fitted for more.
        config: of ``without``.
    """
    features = config.resolved_features()
    names = {group: own for group, own in first.features.learnt_names().items() if group in features.groups}
    return FirstStage(
        {name: first.retrievers[name] for name in config.retrievers},
        config.quotas(),
        CandidateFeatures.from_arrays(features, tuple(config.retrievers), names, first.features.arrays()),
        first.learnt_from,
    )


def _left(config: PipelineConfig, drop: Drop) -> str | None:
    """Why the part cannot be left out; none where it can."""
    if drop.kind == "group":
        return "it is the only group of features" if len(config.resolved_features().groups) == 1 else None
    others = [quota for name, quota in config.quotas().items() if name != drop.name]
    return None if any(others) else "no other retriever proposes anything"


def _named(name: str, every: Sequence[Drop]) -> Drop:
    kind, _, rest = name.partition(":")
    found = [one for one in every if name == one.name or (kind, rest) == (one.kind, one.name)]
    if len(found) > 1:
        raise ConfigError(
            f"--drop {name}: a group and a retriever have that name; say group:{name} or retriever:{name}"
        )
    if found:
        return found[0]
    if name in get_args(GroupName):
        raise ConfigError(f"--drop {name}: this group of features is not used here")
    raise ConfigError(f"--drop: {unknown_name('part', name, [one.name for one in every])}")
