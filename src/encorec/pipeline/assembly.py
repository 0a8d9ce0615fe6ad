"""The fitted parts of a pipeline become one recommender."""

from collections.abc import Sequence

from encorec.data.dataset import Dataset
from encorec.pipeline.fit import FoldRows, PipelineConfig, TaughtRanker
from encorec.pipeline.routing import Routing
from encorec.pipeline.routing_choice import choose_routes
from encorec.pipeline.score_calibration import calibrate
from encorec.pipeline.selectors import fit_selector
from encorec.pipeline.two_stage import FirstStage, TwoStage
from encorec.protocols import Ranker
from encorec.retrieval.popularity import PopularityConfig

__all__ = ["assemble"]


def assemble(
    config: PipelineConfig,
    first: FirstStage,
    data: Dataset,
    seed: int,
    *,
    ranker: TaughtRanker | None = None,
    parts: Sequence[FoldRows] = (),
    source: str | None = None,
) -> TwoStage:
    """A two-stage recommender with the selector, the calibration and the routing that ``config`` asks for.

    Args:
        config: the pipeline.
        first: the first stage, fitted on ``data``.
        data: everything that the selector may learn from.
        seed: of the training.
        ranker: fitted on ``parts``; none = the order of ``source``, whose scores stay as they are.
        parts: label folds, newest first.
        source: retriever whose order holds where there is no ranker.

    Raises:
        ConfigError: a selection by features that the items do not have.
    """
    taught = [part for part in parts if part.rows.label.any()]
    calibration = None if ranker is None else calibrate(config.calibration, taught, ranker.apart, seed)
    routing = None if ranker is None else _routing(config, taught, ranker.apart, seed)
    served = None if ranker is None else ranker.served
    return TwoStage(first, served, source, fit_selector(config.selection, data), calibration, routing)


def _routing(config: PipelineConfig, taught: Sequence[FoldRows], ranker: Ranker, seed: int) -> Routing | None:
    if not config.training.routing:
        return None
    popular = [name for name, one in config.retrievers.items() if isinstance(one, PopularityConfig)]
    return choose_routes(config.quotas(), popular, config.calibration, taught, ranker, seed)
