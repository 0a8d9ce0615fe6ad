"""A typo in a configuration fails at once, with its path and the nearest valid name."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from encorec.config import Config, bounded, decode, load_toml
from encorec.errors import ConfigError


class Green(Config, tag="green", tag_field="kind"):
    minutes: int = 3
    sugar: float | None = None

    def __post_init__(self) -> None:
        bounded(self, minutes=(1, 10), sugar=(0, 0.5))


class Black(Config, tag="black", tag_field="kind"):
    shape: Literal["leaf", "bag"] = "leaf"


class Pot(Config):
    tea: Green | Black
    cups: dict[str, Green | Black] = msgspec.field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    lid: Black | None = None
    notes: dict[str, int] = msgspec.field(default_factory=dict)


class Shelf(Config):
    best: Pot | None = None


GREEN = {"kind": "green"}
FAULTS: dict[str, tuple[Any, Any]] = {
    "Object missing required field `tea`": ({}, Pot),
    "unknown field 'sizs': did you mean 'sizes'? allowed: cups, lid, notes, sizes, tea": (
        {"tea": GREEN, "sizs": []},
        Pot,
    ),
    "did you mean 'minutes'? allowed: kind, minutes, sugar (at tea)": ({"tea": {**GREEN, "minuts": 3}}, Pot),
    "unknown kind 'gren': did you mean 'green'? allowed: black, green (at tea.kind)": ({"tea": {"kind": "gren"}}, Pot),
    "Object missing required field `kind` (at tea)": ({"tea": {}}, Pot),
    "Expected `int`, got `str` (at tea.minutes)": ({"tea": {**GREEN, "minutes": "x"}}, Pot),
    "Green.minutes is 30, allowed is 1 to 10 (at tea)": ({"tea": {**GREEN, "minutes": 30}}, Pot),
    "'blak': did you mean 'black'? allowed: black, green (at cups.a.kind)": (
        {"tea": GREEN, "cups": {"a": {"kind": "blak"}}},
        Pot,
    ),
    "did you mean 'sugar'? allowed: kind, minutes, sugar (at cups.b)": (
        {"tea": GREEN, "cups": {"a": GREEN, "b": {**GREEN, "sugr": 1}}},
        Pot,
    ),
    "Green.minutes is 0, allowed is 1 to 10 (at cups.b)": (
        {"tea": GREEN, "cups": {"a": GREEN, "b": {**GREEN, "minutes": 0}}},
        Pot,
    ),
    "unknown shape 'bagg': did you mean 'bag'? allowed: bag, leaf (at lid.shape)": (
        {"tea": GREEN, "lid": {"kind": "black", "shape": "bagg"}},
        Pot,
    ),
    "Expected `int`, got `str` (at sizes[1])": ({"tea": GREEN, "sizes": [1, "b"]}, Pot),
    "Expected `int`, got `str` (at notes.b)": ({"tea": GREEN, "notes": {"a": 1, "b": "c"}}, Pot),
    "did you mean 'minutes'? allowed: kind, minutes, sugar (at best.tea)": (
        {"best": {"tea": {**GREEN, "minuts": 3}}},
        Shelf,
    ),
    "unknown kind 'balck': did you mean 'black'? allowed: black, green (at kind)": ({"kind": "balck"}, Green | Black),
    "Expected `object`, got `int`": (5, Pot),
}


@pytest.mark.parametrize("told", FAULTS)
def test_a_fault_is_named_with_its_place_and_the_file(told: str) -> None:
    content, kind = FAULTS[told]
    with pytest.raises(ConfigError) as caught:
        decode(content, kind, where="pot.toml")
    assert str(caught.value).startswith("pot.toml: ")
    assert str(caught.value).endswith(told)


def test_valid_content_becomes_structs() -> None:
    content = {"tea": {"kind": "green", "minutes": 5}, "cups": {"mine": {"kind": "black"}}, "sizes": [1, 2]}
    assert decode(content, Pot) == Pot(tea=Green(minutes=5), cups={"mine": Black()}, sizes=(1, 2))


@pytest.mark.parametrize("minutes", [1, 10])
def test_bounds_are_allowed_values(minutes: int) -> None:
    assert Green(minutes=minutes).minutes == minutes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"minutes": 0}, "Green.minutes is 0, allowed is 1 to 10"),
        ({"minutes": 11}, "Green.minutes is 11, allowed is 1 to 10"),
        ({"sugar": 0.75}, "Green.sugar is 0.75, allowed is 0 to 0.5"),
        ({"sugar": float("nan")}, "Green.sugar is nan, allowed is 0 to 0.5"),
    ],
)
def test_values_out_of_bounds_are_refused_by_the_constructor_too(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Green(**given)
    assert str(caught.value) == told


def test_no_value_has_no_bounds() -> None:
    assert Green(sugar=None).sugar is None


def test_a_config_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Green().minutes = 4  # pyright: ignore[reportAttributeAccessIssue]


def test_a_toml_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pot.toml"
    file.write_text(
        'sizes = [3]\n[tea]\nkind = "black"\nshape = "bag"\n[cups."чай"]\nkind = "green"\n', encoding="utf-8"
    )
    assert load_toml(file, Pot) == Pot(tea=Black(shape="bag"), cups={"чай": Green()}, sizes=(3,))
    assert load_toml(str(file), Pot) == load_toml(file, Pot)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[tea\n", "not valid TOML: "),
        (b"tea = '\xff'", "not UTF-8 text (invalid start byte at byte 7)"),
        (b"[tea]\nkind = 'gren'", "unknown kind 'gren': did you mean 'green'?"),
    ],
)
def test_a_bad_file_is_named(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "pot.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_toml(file, Pot)
    assert str(caught.value).startswith(f"{file}: {told}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            load_toml(path, Pot)
        assert str(caught.value).startswith(f"{path}: ")


class Shop(Config):
    tea: Green | Black = Green(minutes=4)


def test_a_table_without_a_kind_is_of_the_kind_of_the_default() -> None:
    assert decode({"tea": {"minutes": 5}}, Shop).tea == Green(minutes=5)
    assert decode({"tea": {}}, Shop).tea == Green()
    assert decode({}, Shop).tea == Green(minutes=4)
    assert decode({"tea": {"kind": "black", "shape": "bag"}}, Shop).tea == Black(shape="bag")
    with pytest.raises(ConfigError, match=r"did you mean 'minutes'\? allowed: kind, minutes, sugar \(at tea\)"):
        decode({"tea": {"minuts": 5}}, Shop)
