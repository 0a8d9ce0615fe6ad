"""Encorec: retrieve, rank, serve and measure recommendations, with one engine for all of it.

The names below are loaded when they are first used, so that ``import encorec`` costs nothing:

    data        load, load_frame, Dataset, Interactions, LastN, TimeCut, RollingTime
    questions   Queries, Histories, Eligibility, Candidates, Slate, TwoStage
    runs        RunConfig, load_toml, examine, train
    answers     load_engine, Engine, Request, PastEvent
    judgement   evaluate, compare; metrics, compare_lists, MetricOptions (files and frames)
    leaderboard validate_submission, score_submission
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Dataset": "encorec.data.dataset",
    "Interactions": "encorec.data.interactions",
    "LastN": "encorec.data.splits",
    "RollingTime": "encorec.data.splits",
    "TimeCut": "encorec.data.splits",
    "load": "encorec.data.sources",
    "load_frame": "encorec.data.sources",
    "Candidates": "encorec.types",
    "Eligibility": "encorec.types",
    "Histories": "encorec.types",
    "Queries": "encorec.types",
    "Slate": "encorec.types",
    "TwoStage": "encorec.pipeline.two_stage",
    "RunConfig": "encorec.workflow",
    "examine": "encorec.workflow",
    "train": "encorec.workflow",
    "load_toml": "encorec.config",
    "Engine": "encorec.pipeline.engine",
    "load_engine": "encorec.pipeline.engine",
    "PastEvent": "encorec.pipeline.requests",
    "Request": "encorec.pipeline.requests",
    "evaluate": "encorec.evaluation.evaluate",
    "compare": "encorec.evaluation.uncertainty.comparison",
    "MetricOptions": "encorec.evaluation.options",
    "compare_lists": "encorec.evaluation.frames.comparison",
    "metrics": "encorec.evaluation.frames.measure",
    "score_submission": "encorec.evaluation.leaderboard.score",
    "validate_submission": "encorec.evaluation.leaderboard.check",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module where it lives."""
    if name not in _HOME:
        raise AttributeError(f"module 'encorec' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*_HOME, "__version__"])
