"""How systems are judged, read from a file: what cannot be is refused with its path."""

from typing import Any

import pytest

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.options import MetricOptions


def test_everything_can_be_written_in_a_file() -> None:
    content = {
        "metric": "map@5",
        "max_users": 1000,
        "options": {"map_denominator": "min"},
        "segments": {"history": [3, 10], "users": ["age"], "item_age": [1.5, 30]},
        "systems": {"mine": {"factory": "shop.own:make", "options": {"days": 7, "names": ["a"]}}},
    }
    config = decode(content, EvaluationConfig)
    assert config.options == MetricOptions(map_denominator="min")
    assert config.segments.history == (3, 10)
    assert config.systems["mine"].options == {"days": 7, "names": ["a"]}
    assert (config.k, config.verdict_k) == (10, 5)


def test_metrics_without_a_cut_are_judged_at_the_lists_of_the_others() -> None:
    assert EvaluationConfig(metric="r_precision", metrics=("recall@7",)).verdict_k == 7
    assert EvaluationConfig(metric="r_precision", metrics=()).k == 10


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"segment": {}}, "unknown field 'segment': did you mean 'segments'?"),
        ({"segments": {"history": [9, 3]}}, r"segments.history is \[9, 3\], allowed are rising limits of 2 or more"),
        ({"segments": {"item_age": [0]}}, r"segments.item_age is \[0.0\], allowed are rising limits of 1e-05 or more"),
        ({"segments": {"values": 0}}, "SegmentsConfig.values is 0, allowed is 1 to 1000"),
        ({"systems": {"mine": {}}}, r"missing required field `factory` \(at systems.mine\)"),
        ({"systems": {"mine": {"factory": "a:b", "option": {}}}}, r"did you mean 'options'\?.* \(at systems.mine\)"),
        ({"max_users": 0}, "EvaluationConfig.max_users is 0, allowed is 1 to 1e"),
        ({"curves": 0}, "EvaluationConfig.curves is 0"),
        ({"options": {"debias_method": "iqr"}}, "options.debias_method is 'iqr', which leaves users out"),
        ({"options": {"map_denominator": "mean"}}, "unknown map_denominator 'mean'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        decode(content, EvaluationConfig)
