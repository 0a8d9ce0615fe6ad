"""Plain values as TOML text: what Python reads but does not write."""

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from encorec.errors import ConfigError

__all__ = ["toml_text"]


def toml_text(content: Mapping[str, Any]) -> str:
    """Tables, arrays, texts, numbers, booleans and times as TOML 1.0; reading it gives them back.

    Args:
        content: as ``tomllib`` returns it; what is None is left out.

    Raises:
        ConfigError: a value that TOML does not know.

    Example:
        >>> print(toml_text({"name": "tea", "cups": [1, 2], "pot": {"lid": {"kind": "black"}, "hot": True}}), end="")
        name = "tea"
        cups = [1, 2]
        <BLANKLINE>
        [pot]
        hot = true
        <BLANKLINE>
        [pot.lid]
        kind = "black"
    """
    return "\n".join(_lines((), content)).strip("\n") + "\n"


def _lines(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    """Plain values first: whatever follows a heading belongs to it."""
    plain = {name: one for name, one in table.items() if one is not None and not isinstance(one, Mapping)}
    tables = {name: one for name, one in table.items() if isinstance(one, Mapping)}
    heading = ["", f"[{'.'.join(map(_key, path))}]"] if path and (plain or not tables) else []
    lines = heading + [f"{_key(name)} = {_value(one)}" for name, one in plain.items()]
    for name, one in tables.items():
        lines += _lines((*path, name), one)
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(given: str) -> str:
    """A basic string; JSON escapes as TOML does, but for one sign that TOML wants escaped too."""
    return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(one: Any) -> str:
    if isinstance(one, bool):
        return str(one).lower()
    if isinstance(one, str):
        return _text(one)
    if isinstance(one, float):
        return ("nan" if math.isnan(one) else f"{'-' if one < 0 else ''}inf") if not math.isfinite(one) else repr(one)
    if isinstance(one, int):
        return str(one)
    if isinstance(one, datetime | date | time):
        return one.isoformat()
    if isinstance(one, list | tuple):
        return f"[{', '.join(_value(inner) for inner in one)}]"
    if isinstance(one, Mapping):
        return f"{{{', '.join(f'{_key(name)} = {_value(inner)}' for name, inner in one.items() if inner is not None)}}}"
    raise ConfigError(f"{type(one).__name__} {one!r} cannot be written as TOML")
