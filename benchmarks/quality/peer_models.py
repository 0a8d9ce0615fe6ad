"""What is tried of every peer: settings of the models of RecTools, chosen by NDCG@10 on the newest label fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

__all__ = ["SINGLE_MODELS", "PeerModel", "two_stage_models"]


@dataclass(frozen=True)
class PeerModel:
    """A model and the settings that it is tried with.

    Args:
        system: name in the driver.
        grid: setting -> values; every combination is tried. Where a value is a dict, it is settings tried together.
        fixed: settings that are not tried.
        most_items: in a large catalogue only so many of the most popular items take part; none = all.
    """

    system: str
    grid: Mapping[str, Sequence[Any]]
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    most_items: int | None = None

    @property
    def trials(self) -> list[dict[str, Any]]:
        """Every combination of the grid."""
        return [_flat(dict(zip(self.grid, values, strict=True))) for values in product(*self.grid.values())]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


SINGLE_MODELS = (
    PeerModel("popular", {"days": [None, 7, 30]}),
    PeerModel("item_knn", {"weighting": ["cosine", "tfidf", "bm25"], "neighbours": [20, 100, 200]}),
    PeerModel("ials", {"factors": [64, 128], "alpha": [1.0, 10.0], "reg": [1.0, 10.0]}),
    PeerModel("ease", {"reg": [100.0, 300.0, 1000.0]}, most_items=6000),
    PeerModel("pure_svd", {"factors": [16, 32, 64, 128]}),
)


def two_stage_models(chosen: Mapping[str, dict[str, Any]], exam: Mapping[str, int], *, ease: bool) -> PeerModel:
    """CandidateRankingModel over the tuned generators.

    Args:
        chosen: tuned settings by model.
        exam: how its label fold is cut.
        ease: the catalogue is small enough for the dense matrix of EASE; else least squares take its place.
    """
    names = ("popular", "item_knn", "ease" if ease else "ials")
    sizes = [
        {"candidates": 30, "negatives": 3, "trees": 1000},  # of RecTools' tutorial
        {"candidates": 100, "negatives": 50, "trees": 300},
    ]
    fixed = {"generators": [[name, chosen[name]] for name in names], "exam": exam}
    return PeerModel("two_stage", {"booster": ["classifier", "ranker"], "size": sizes}, fixed=fixed)
