"""What a whole run is: one TOML file."""

from encorec.data.sources import Source
from encorec.data.splits import Split
from encorec.errors import ConfigError
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.pipeline.fit import PipelineConfig
from encorec.pipeline.search_space import TuneConfig
from encorec.verdict.systems import FUSION, TWO_STAGE

__all__ = ["RunConfig"]


class RunConfig(PipelineConfig, kw_only=True):
    """A whole run: data, exam, pipeline and how it is judged. One TOML file.

    Args:
        name: of the run.
        data: where interactions and features come from.
        split: the exam.
        seed: of everything random.
        evaluation: how systems are judged.
        tune: what ``encorec tune`` searches.

    Raises:
        ConfigError: a retriever with the name of a system that every report has.
    """

    name: str
    data: Source
    split: Split
    seed: int = 0
    evaluation: EvaluationConfig = EvaluationConfig()
    tune: TuneConfig = TuneConfig()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in {TWO_STAGE, FUSION} & self.retrievers.keys():
            raise ConfigError(f"retrievers: {name!r} is a system of every report; choose another name")

    @property
    def pipeline(self) -> PipelineConfig:
        """The part that the artifact carries."""
        return PipelineConfig(**{name: getattr(self, name) for name in PipelineConfig.__struct_fields__})

    @property
    def drop_seen(self) -> bool:
        """Whether items that the user already had are left out of the truth."""
        return self.seen == "exclude"
