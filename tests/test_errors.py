"""One root, and sentences that say what was given, what is allowed and what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec import errors
from encorec.errors import ConfigError, EncorecError, MissingExtra, NotFitted, unknown_name

CLASSES = [one for name in errors.__all__ if isinstance(one := getattr(errors, name), type)]


@pytest.mark.parametrize("error", CLASSES)
def test_everything_raised_on_purpose_has_one_root(error: type[Exception]) -> None:
    assert issubclass(error, EncorecError)


def test_a_config_error_is_a_value_error_so_that_decoders_tell_its_place() -> None:
    assert issubclass(ConfigError, ValueError)


def test_sentences_say_what_to_do() -> None:
    assert str(NotFitted("EASE")).endswith("call fit(data, rng=...) or load it from an artifact first")
    assert str(MissingExtra("redis", "redis")).endswith("pip install 'encorec[redis]'")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("covisitaton", "unknown kind 'covisitaton': did you mean 'covisitation'? allowed: als, covisitation, ease"),
        ("zzz", "unknown kind 'zzz': allowed: als, covisitation, ease"),
        ("", "unknown kind '': allowed: als, covisitation, ease"),
    ],
)
def test_the_nearest_name_is_offered_where_there_is_one(given: str, told: str) -> None:
    assert unknown_name("kind", given, ["ease", "als", "covisitation"]) == told


@given(st.text(), st.lists(st.text(min_size=1)))
def test_every_allowed_name_is_listed_whatever_is_given(given: str, allowed: list[str]) -> None:
    told = unknown_name("name", given, allowed)
    assert repr(given) in told
    assert all(name in told for name in allowed)
