"""What follows the ranker, in an artifact: the selector and the calibration, as arrays."""

from encorec.pipeline.fit import PipelineConfig
from encorec.pipeline.selectors import restore_selector
from encorec.pipeline.two_stage import TwoStage
from encorec.pipeline.varied_selector import VariedSelector
from encorec.protocols import Arrays, Selector
from encorec.ranking.calibration import Calibration, restore_calibration

__all__ = ["choice_arrays", "restore_choice"]


def choice_arrays(pipeline: TwoStage) -> Arrays:
    """Arrays of the selector and the calibration by path; none where the slate is the best k by raw score.

    Args:
        pipeline: fitted.
    """
    arrays: Arrays = {}
    if isinstance(pipeline.selector, VariedSelector):
        arrays |= {f"selection/{key}": array for key, array in pipeline.selector.arrays().items()}
    if pipeline.calibration is not None:
        arrays |= {f"calibration/{key}": array for key, array in pipeline.calibration.arrays().items()}
    return arrays


def restore_choice(config: PipelineConfig, arrays: Arrays) -> tuple[Selector, Calibration | None]:
    """The selector and the calibration that ``choice_arrays`` was taken from.

    Args:
        config: of the pipeline.
        arrays: everything of the artifact, by path.

    Raises:
        ArtifactError: arrays that do not fit.
    """
    selection, calibration = (
        {path.removeprefix(prefix): array for path, array in arrays.items() if path.startswith(prefix)}
        for prefix in ("selection/", "calibration/")
    )
    selector = restore_selector(config.selection, selection, len(arrays["items/ids"]))
    return selector, restore_calibration(config.calibration, calibration)
