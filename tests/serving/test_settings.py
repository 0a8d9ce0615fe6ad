import pytest

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.serving.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("port", 70_000),
        ("max_body_bytes", 0),
        ("max_ids", 0),
        ("max_k", 0),
        ("max_batch", 0),
        ("max_places", 0),
    ],
)
def test_a_value_outside_its_bounds_is_named(name, value):
    with pytest.raises(ConfigError, match=f"Settings.{name} is {value}"):
        Settings(**{name: value})


def test_a_clock_is_checked_before_anything_is_loaded():
    with pytest.raises(ConfigError, match="'noon' cannot be read"):
        Settings(clock="noon")


def test_a_misspelt_setting_gets_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'clock'"):
        decode({"clok": "now"}, Settings)
