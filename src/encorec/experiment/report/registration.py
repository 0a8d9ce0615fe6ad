"""The specification as it was registered: its text, and what it is recognised by."""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from encorec.experiment.spec import ExperimentSpec

__all__ = ["fingerprint", "spec_text"]

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x7f": "\\u007f"}


def spec_text(spec: ExperimentSpec) -> str:
    """The specification as TOML that reads back as the same specification.

    Args:
        spec: of an experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> spec_text(spec).splitlines()[:2]
        ['name = "shelf"', 'unit = "user_id"']
    """
    return "\n".join(_table(_changed(spec), ())).strip() + "\n"


def fingerprint(spec: ExperimentSpec) -> str:
    """Twelve letters that change when anything in the specification does.

    Args:
        spec: of an experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> len(fingerprint(spec)), fingerprint(spec) == fingerprint(msgspec.structs.replace(spec, share=0.5))
        (12, False)
    """
    return sha256(spec_text(spec).encode()).hexdigest()[:12]


def _changed(spec: msgspec.Struct) -> dict[str, Any]:
    """Fields as plain values; what is none is left out, for TOML has no word for it."""
    found: dict[str, Any] = {}
    for name in spec.__struct_fields__:
        value = getattr(spec, name)
        if isinstance(value, msgspec.Struct):
            value = _changed(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            value = [_changed(one) for one in value]
        if value is not None and value not in ((), {}):
            found[name] = value
    return found


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    tables = {name: one for name, one in values.items() if _is_table(one)}
    plain = {name: one for name, one in values.items() if name not in tables}
    lines = [f"{_key(name)} = {_value(one)}" for name, one in plain.items()]
    for name, one in sorted(tables.items(), key=lambda item: isinstance(item[1], Sequence)):
        inside = (*path, _key(name))
        many = isinstance(one, Sequence)
        for part in one if many else (one,):
            heading = ".".join(inside)
            lines += ["", f"[[{heading}]]" if many else f"[{heading}]", *_table(part, inside)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_letter(one) for one in value) + '"'
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return f"\\u{ord(letter):04x}" if ord(letter) < 32 else letter
