"""What variety costs: the same ranking, chosen from with more and more weight on variety, and judged each time."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from encorec.data.dataset import Dataset
from encorec.data.splits import Fold
from encorec.errors import ConfigError
from encorec.evaluation.backtest.backtest import difference_entry
from encorec.evaluation.backtest.judged import JudgedSystem, judge_system
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.uncertainty import compare, mean_over_users
from encorec.pipeline.eligibility import SeenRule, fold_queries
from encorec.pipeline.fit import Progress
from encorec.pipeline.two_stage import TwoStage, in_blocks, usable_cores
from encorec.pipeline.varied_selector import SelectionConfig, VariedSelector
from encorec.types import IntMatrix

__all__ = ["STRENGTHS", "varied_kinds", "variety_curves"]

STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75)
BESIDES = ("ild", "miuf", "coverage")


def varied_kinds(config: SelectionConfig, data: Dataset) -> tuple[str, ...]:
    """The kinds of selection to draw: that of the configuration, or where it is the best k all that the items allow.

    Args:
        config: of the pipeline.
        data: whose items have features, or not.

    Raises:
        ConfigError: the items have no features to tell them apart by.

    Example:
        >>> from dataclasses import replace
        >>> from encorec.data.features import FeatureTable, Tags
        >>> from encorec.data.interactions import Interactions
        >>> shelf = FeatureTable(1, tags={"genres": Tags.of([["war"]])})
        >>> data = replace(Dataset.of(Interactions.of([0], [0], [5])), item_features=shelf)
        >>> varied_kinds(SelectionConfig(), data)
        ('mmr', 'dpp', 'calibrated')
    """
    if not (data.item_features.tags or data.item_features.categorical):
        raise ConfigError("evaluation.curve: the items have neither tags nor categories; leave it off")
    return ("mmr", "dpp", "calibrated") if config.kind == "top" else (config.kind,)


def variety_curves(
    config: EvaluationConfig,
    selection: SelectionConfig,
    fold: Fold,
    seen: SeenRule,
    pipeline: TwoStage,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Accuracy, diversity, novelty and coverage by strength; candidates are ranked once, and chosen from every time.

    Args:
        config: how lists are judged.
        selection: of the pipeline.
        fold: the exam.
        seen: whether items of a user's history may be shown again.
        pipeline: fitted on the past of the exam.
        seed: of the bootstrap.
        progress: told how many users are answered.

    Returns:
        Ready for JSON: ``curves`` kind -> one entry per strength, with the paired difference to strength 0.
    """
    k, alone = config.verdict_k, _judging(config, selection, fold.past)
    own = () if selection.kind == "top" else (float(selection.strength),)
    strengths: list[float] = sorted({*STRENGTHS, *own})
    chosen = {
        kind: [
            VariedSelector.fit(msgspec.structs.replace(selection, kind=kind, strength=one), fold.past)
            for one in strengths
        ]
        for kind in varied_kinds(selection, fold.past)
    }
    selectors = [one for each in chosen.values() for one in each]
    lists = iter(_lists(pipeline, selectors, fold, seen, k, progress))
    curves = {
        kind: _entries(alone, strengths, [judge_system(alone, fold, next(lists)) for _ in each], seed)
        for kind, each in chosen.items()
    }
    configured = None if selection.kind == "top" else selection.strength
    return {"fold": fold.name, "users": len(fold), "k": k, "configured": configured, "curves": curves}


def _judging(config: EvaluationConfig, selection: SelectionConfig, data: Dataset) -> EvaluationConfig:
    """How the lists are judged: on the features that were compared; where it is one, by its proportions as well."""
    shelf = data.item_features
    compared = selection.compared or config.compared or tuple(shelf.tags or shelf.categorical)
    metrics = (config.metric, *(f"{name}@{config.verdict_k}" for name in BESIDES))
    options = config.options
    if len(compared) == 1:
        metrics = (*metrics, f"calibration@{config.verdict_k}")
        options = msgspec.structs.replace(options, calibration_feature=compared[0])
    return msgspec.structs.replace(config, metrics=metrics, compared=compared, options=options, curves=1)


def _lists(
    pipeline: TwoStage,
    selectors: Sequence[VariedSelector],
    fold: Fold,
    seen: SeenRule,
    k: int,
    progress: Progress | None,
) -> IntMatrix:
    """(selectors, n, k) items: every selector's choice from one and the same ranking."""
    queries = fold_queries(fold, seen)
    lists = np.full((len(selectors), len(queries), k), -1, np.int32)

    def answer(block: slice) -> None:
        if progress:
            progress("choose for variety", block.start, len(queries))
        part = queries.take(block)
        ranked = pipeline.rank(part, k)
        for place, selector in enumerate(selectors):
            lists[place, block] = selector.select(part, ranked, k).item

    in_blocks(answer, queries, usable_cores())
    return lists


def _entries(
    config: EvaluationConfig, strengths: Sequence[float], judged: Sequence[JudgedSystem], seed: int
) -> list[dict[str, Any]]:
    """One entry per strength."""
    plain = judged[0].values[config.metric]
    entries: list[dict[str, Any]] = []
    for strength, one in zip(strengths, judged, strict=True):
        rng = np.random.default_rng(seed)
        gain = compare(one.values[config.metric], plain, rng=rng, resamples=config.resamples)
        difference = difference_entry(gain)
        difference["ci95"] = [end + 0.0 for end in difference["ci95"]]  # no -0
        means = {name: mean_over_users(values) for name, values in one.values.items()}
        entries.append({"strength": strength, **means, **one.catalogue, "difference": difference})
    return entries
