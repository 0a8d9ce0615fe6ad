"""A trained pipeline as a variant of an experiment answers with it: the same arrays, used in another way."""

from dataclasses import replace
from typing import Any

import msgspec

from encorec.config import decode
from encorec.data.features import FeatureTable
from encorec.errors import ConfigError, unknown_name
from encorec.pipeline.artifact import Artifact
from encorec.pipeline.override import Override
from encorec.pipeline.routing import FUSED
from encorec.pipeline.selectors import TopSelector
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.protocols import Selector

__all__ = ["overridden"]


def overridden(artifact: Artifact, override: Override) -> Artifact:
    """The artifact as a variant answers with it; nothing is copied that the variant does not change.

    Args:
        artifact: loaded.
        override: what is different.

    Raises:
        ConfigError: a source, a field or an item feature that the artifact does not have.
    """
    pipeline = artifact.pipeline
    if override.quotas:
        pipeline = replace(pipeline, first=_first(pipeline.first, override.quotas))
    if override.order is not None:
        pipeline = _ordered(pipeline, override.order)
    if override.selection:
        pipeline = replace(pipeline, selector=_selector(artifact, override.selection))
    return replace(artifact, pipeline=pipeline)


def _first(first: FirstStage, quotas: dict[str, int]) -> FirstStage:
    for name in quotas:
        if name not in first.retrievers:
            raise ConfigError(f"quotas: {unknown_name('source', name, first.retrievers)}")
    together = {**first.quotas, **quotas}
    if not any(together.values()):
        raise ConfigError("quotas: every source has 0; at least one must propose items")
    return replace(first, quotas=together)


def _ordered(pipeline: TwoStage, order: str) -> TwoStage:
    allowed = (*pipeline.first.retrievers, FUSED)
    if order not in allowed:
        raise ConfigError(f"order: {unknown_name('source', order, allowed)}")
    return TwoStage(pipeline.first, None, order if order in pipeline.first.retrievers else None, pipeline.selector)


def _selector(artifact: Artifact, changed: dict[str, Any]) -> Selector:
    config = decode({**msgspec.to_builtins(artifact.config.selection), **changed}, SelectionConfig, "selection")
    if not config.varied:
        return TopSelector()
    features, items = artifact.item_features, len(artifact.items)
    if features is None and (config.kind != "top" or any(config.caps.values())):
        raise ConfigError("selection: this artifact does not keep the features of items; train it again")
    history = artifact.histories
    return VariedSelector.over(config, features or FeatureTable(items), history.item, history.time, artifact.popularity)
