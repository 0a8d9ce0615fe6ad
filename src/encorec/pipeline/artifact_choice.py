"""What follows the ranker, in an artifact: the selector, the calibration and the routing, as arrays."""

from collections.abc import Mapping

from encorec.data.history_lengths import LENGTHS
from encorec.errors import ArtifactError, unknown_name
from encorec.pipeline.fit import PipelineConfig
from encorec.pipeline.routing import FUSED, Routing
from encorec.pipeline.selectors import restore_selector
from encorec.pipeline.two_stage import TwoStage
from encorec.pipeline.varied_selector import VariedSelector
from encorec.protocols import Arrays, Selector
from encorec.ranking.calibration import Calibration, restore_calibration

__all__ = ["choice_arrays", "restore_choice"]


def choice_arrays(pipeline: TwoStage) -> Arrays:
    """Arrays of the selector and of all calibrations by path; none where the slate is the best k by raw score.

    Args:
        pipeline: fitted.
    """
    arrays: Arrays = {}
    if isinstance(pipeline.selector, VariedSelector):
        arrays |= {f"selection/{key}": array for key, array in pipeline.selector.arrays().items()}
    if pipeline.calibration is not None:
        arrays |= {f"calibration/{key}": array for key, array in pipeline.calibration.arrays().items()}
    if pipeline.routing is not None:
        for label, calibration in pipeline.routing.calibrations.items():
            arrays |= {f"routing/{label}/{key}": array for key, array in calibration.arrays().items()}
    return arrays


def restore_choice(
    config: PipelineConfig, orders: Mapping[str, str], arrays: Arrays
) -> tuple[Selector, Calibration | None, Routing | None]:
    """The selector, the calibration and the routing that ``choice_arrays`` was taken from.

    Args:
        config: of the pipeline.
        orders: of the routing, from the manifest.
        arrays: everything of the artifact, by path.

    Raises:
        ArtifactError: arrays that do not fit, or a routing to sources that are not there.
    """
    selector = restore_selector(config.selection, _below(arrays, "selection/"), len(arrays["items/ids"]))
    calibration = restore_calibration(config.calibration, _below(arrays, "calibration/"))
    return selector, calibration, _restore_routing(config, orders, arrays) if orders else None


def _restore_routing(config: PipelineConfig, orders: Mapping[str, str], arrays: Arrays) -> Routing:
    for label, order in orders.items():
        if label not in LENGTHS:
            raise ArtifactError(f"routing: {unknown_name('length of history', label, LENGTHS)}; train again")
        if order not in config.retrievers and order != FUSED:
            raise ArtifactError(f"routing: {unknown_name('order', order, (*config.retrievers, FUSED))}; train again")
    found = {label: restore_calibration(config.calibration, _below(arrays, f"routing/{label}/")) for label in orders}
    return Routing(orders, calibrations={label: one for label, one in found.items() if one is not None})


def _below(arrays: Arrays, prefix: str) -> Arrays:
    return {path.removeprefix(prefix): array for path, array in arrays.items() if path.startswith(prefix)}
