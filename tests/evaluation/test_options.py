import pytest

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.evaluation.options import MetricOptions


def test_the_defaults_are_those_of_the_conventions() -> None:
    defaults = MetricOptions()
    assert (defaults.recall_denominator, defaults.map_denominator) == ("all", "all")
    assert (defaults.ndcg_ideal, defaults.miuf_unseen, defaults.ild_distance) == ("achievable", "one_user", "hamming")


@pytest.mark.parametrize(
    "field", ["recall_denominator", "map_denominator", "ndcg_ideal", "miuf_unseen", "ild_distance"]
)
def test_a_value_that_is_no_convention_is_refused(field: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown {field} 'oops'"):
        MetricOptions(**{field: "oops"})  # pyright: ignore[reportArgumentType]


def test_options_are_read_from_a_config_with_the_nearest_valid_name() -> None:
    assert decode({"ild_distance": "cosine"}, MetricOptions) == MetricOptions(ild_distance="cosine")
    with pytest.raises(ConfigError, match="did you mean 'jaccard'"):
        decode({"ild_distance": "jacard"}, MetricOptions)
    with pytest.raises(ConfigError, match="did you mean 'map_denominator'"):
        decode({"map_denominater": "k"}, MetricOptions)
