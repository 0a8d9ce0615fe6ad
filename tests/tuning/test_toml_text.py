"""What is written is read back."""

import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.errors import ConfigError
from encorec.tuning.toml_text import toml_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), TEXT)
INNER = st.recursive(
    PLAIN, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3), max_leaves=8
)


@given(st.dictionaries(TEXT, INNER, max_size=4))
def test_reading_gives_back_what_was_written(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(content)) == content


def test_nothing_and_times() -> None:
    content = {"a": {"until": date(2025, 1, 6), "none": None, "deep": {}}, "b": [{"c": None, "d": [1, "x"]}]}
    expected = {"a": {"until": date(2025, 1, 6), "deep": {}}, "b": [{"d": [1, "x"]}]}
    assert tomllib.loads(toml_text(content)) == expected
    assert tomllib.loads(toml_text({})) == {}


@pytest.mark.parametrize("value", [object(), b"x", [None]])
def test_what_toml_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="cannot be written as TOML"):
        toml_text({"a": value})
