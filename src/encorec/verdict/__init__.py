"""The two-stage and its rivals on the same exams, and one sentence that decides."""

from encorec.evaluation.backtest.settings import EvaluationConfig, SegmentsConfig, SystemConfig
from encorec.verdict.exam import judge_exam
from encorec.verdict.plug_ins import Factory, plug_in_factories
from encorec.verdict.summary import summarise
from encorec.verdict.systems import FUSION, TWO_STAGE, single_lists

__all__ = [
    "FUSION",
    "TWO_STAGE",
    "EvaluationConfig",
    "Factory",
    "SegmentsConfig",
    "SystemConfig",
    "judge_exam",
    "plug_in_factories",
    "single_lists",
    "summarise",
]
