import pytest

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.evaluation.options import MetricOptions


def test_the_defaults_are_those_of_the_conventions() -> None:
    defaults = MetricOptions()
    assert (defaults.recall_denominator, defaults.map_denominator) == ("all", "all")
    assert (defaults.ndcg_ideal, defaults.miuf_unseen, defaults.ild_distance) == ("achievable", "one_user", "hamming")


@pytest.mark.parametrize(
    "field",
    [
        "recall_denominator",
        "map_denominator",
        "ndcg_ideal",
        "ndcg_gain",
        "miuf_unseen",
        "ild_distance",
        "serendipity_catalogue",
        "calibration_divergence",
        "sufficient_unit",
        "unrepeated_unit",
        "debias_method",
    ],
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


def test_pairs_reach_every_option() -> None:
    pairs = {
        "recall.denominator": "min", "map.denominator": "k", "ndcg.ideal": "k", "ndcg.gain": "exponential",
        "miuf.unseen": "skip", "serendipity.catalogue": "given", "ild.distance": "jaccard",
        "coverage.absolute": "true", "calibration.divergence": "js", "calibration.alpha": "0.05",
        "calibration.feature": "genres", "intersection.reference_k": "20", "sufficient.unit": "place",
        "unrepeated.unit": "place", "debias.method": "iqr", "debias.coefficient": "2.5", "debias.seed": "7",
        "debias.power": "0.5",
    }  # fmt: skip
    options = MetricOptions.from_pairs([f"{name}={value}" for name, value in pairs.items()])
    found = {name.replace("_", ".", 1): getattr(options, name) for name in MetricOptions.__struct_fields__}
    assert {name: str(value).lower() for name, value in found.items()} == pairs
    assert all(getattr(options, name) != getattr(MetricOptions(), name) for name in MetricOptions.__struct_fields__)


def test_no_pairs_are_the_defaults_and_spaces_do_not_matter() -> None:
    assert MetricOptions.from_pairs([]) == MetricOptions()
    assert MetricOptions.from_pairs([" map.denominator = min ", "map.denominator=min"]).map_denominator == "min"
    assert MetricOptions.from_pairs(["coverage.absolute=False"]) == MetricOptions()


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("map.denominator", "option 'map.denominator' must be written metric.option=value"),
        ("map.denominator=", "must be written metric.option=value"),
        ("", "must be written metric.option=value"),
        ("map.denom=min", "unknown option 'map.denom': did you mean 'map.denominator'? allowed: calibration.alpha"),
        ("map_denominator=min", "did you mean 'map.denominator'?"),
        ("map.denominator=mim", "unknown map.denominator 'mim': did you mean 'min'? allowed: all, k, min"),
        ("map.denominator=MIN", "unknown map.denominator 'MIN'"),
        ("coverage.absolute=yes", "unknown coverage.absolute 'yes': allowed: false, true"),
        ("calibration.alpha=a", "option calibration.alpha is 'a', allowed is a number (float)"),
        ("intersection.reference_k=2.5", "allowed is a number (int)"),
        ("calibration.alpha=2", "MetricOptions.calibration_alpha is 2.0, allowed is 1e-12 to 1"),
        ("calibration.alpha=nan", "MetricOptions.calibration_alpha is nan"),
        ("intersection.reference_k=0", "MetricOptions.intersection_reference_k is 0, allowed is 1 to"),
        ("debias.coefficient=-1", "MetricOptions.debias_coefficient is -1.0, allowed is 0 to"),
        ("debias.coefficient=inf", "MetricOptions.debias_coefficient is inf"),
        ("debias.seed=-1", "MetricOptions.debias_seed is -1"),
    ],
)
def test_a_pair_that_is_no_option_is_refused_with_the_nearest(pair: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MetricOptions.from_pairs([pair])
    assert message in str(caught.value)


def test_an_option_has_one_value() -> None:
    with pytest.raises(ConfigError, match=r"option map\.denominator is given as 'min' and as 'k'; keep one of them"):
        MetricOptions.from_pairs(["map.denominator=min", "map.denominator=k"])
