"""TOML in, frozen structs out: a typo fails at once, with its path and the nearest valid name."""

import re
import tomllib
import typing
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, dataclass_transform

import msgspec

from encorec.errors import ConfigError, unknown_name

__all__ = ["Config", "bounded", "decode", "load_toml"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every configuration struct is: frozen, keyword-only, closed to unknown names.

    Example:
        >>> class Tea(Config):
        ...     minutes: int = 3
        >>> Tea(minutes=5).minutes
        5
    """


def bounded(owner: Config, **bounds: tuple[float, float]) -> None:
    """Refuse a config whose fields lie outside their closed bounds; for ``__post_init__``.

    Raises:
        ConfigError: names the field, its value and what is allowed.

    Example:
        >>> class Tea(Config):
        ...     minutes: int = 3
        ...     def __post_init__(self):
        ...         bounded(self, minutes=(1, 10))
        >>> Tea(minutes=11)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: Tea.minutes is 11, allowed is 1 to 10
    """
    for name, (low, high) in bounds.items():
        value = getattr(owner, name)
        if value is not None and not low <= value <= high:
            raise ConfigError(f"{type(owner).__name__}.{name} is {value}, allowed is {low:g} to {high:g}")


def load_toml(path: str | Path, kind: type[T]) -> T:
    """Read a TOML file into ``kind``.

    Raises:
        ConfigError: no such file, not TOML, or a name or value that ``kind`` does not know.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return decode(content, kind, where=str(path))


def decode(content: Any, kind: Any, where: str = "config") -> Any:
    """Turn plain dictionaries into ``kind`` (a struct or a union of structs).

    Args:
        content: what a TOML or JSON parser returned.
        kind: the type wanted.
        where: name of the file, for errors.

    Raises:
        ConfigError: with the path of the fault and the nearest valid name.

    Example:
        >>> class Tea(Config):
        ...     minutes: int = 3
        >>> decode({"minuts": 4}, Tea)
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: config: unknown field 'minuts': did you mean 'minutes'? allowed: minutes
    """
    content = _with_default_tags(content, kind)
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise ConfigError(f"{where}: {cause}{_at(_locate(kind, content, _fault(str(error))[1])[0])}") from None
        raise ConfigError(f"{where}: {_explain(str(error), content, kind)}") from error
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _with_default_tags(content: Any, kind: Any) -> Any:
    """Tables without a tag get that of the default, where a field takes one of several kinds and one is its default."""
    if not (isinstance(content, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return content
    filled = dict(content)
    for field in msgspec.structs.fields(kind):
        given, default = filled.get(field.encode_name), field.default
        if not isinstance(given, dict) or not isinstance(default, msgspec.Struct):
            continue
        tag_field, tag = _tag(type(default))
        if tag_field and tag_field not in given:
            given = {tag_field: tag, **given}
        filled[field.encode_name] = _with_default_tags(given, _member_for(field.type, given))
    return filled


def _at(names: list[str]) -> str:
    return f" (at {'.'.join(names)})" if names else ""


def _fault(message: str) -> tuple[str, list[str]]:
    """The complaint and the path in a message of msgspec; ``[...]`` is an unnamed key of a dictionary."""
    found = re.fullmatch(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", message, re.DOTALL)
    complaint, path = (found[1], found[2] or "") if found else (message, "")
    return complaint, [step for step in path.replace("[...]", ".*").split(".") if step]


def _explain(message: str, content: Any, kind: Any) -> str:
    """The message of msgspec, with real keys in its path and the nearest valid name where one was misspelt."""
    complaint, path = _fault(message)
    names, fault_kind, parent_kind = _locate(kind, content, path)
    field = re.match(r"Object contains unknown field `(.*?)`", complaint)
    if field:
        return unknown_name("field", field[1], _field_names(fault_kind)) + _at(names)
    value = re.match(r"Invalid (?:enum )?value '(.*?)'", complaint)
    allowed = (_choices(fault_kind) or _tags(parent_kind)) if value else []
    if value and allowed:
        return unknown_name(names[-1], value[1], allowed) + _at(names)
    return complaint + _at(names)


def _locate(kind: Any, content: Any, path: list[str]) -> tuple[list[str], Any, Any]:
    """Names along ``path``, the type found there and the type around it, guided by the tags in ``content``."""
    names: list[str] = []
    parent = kind = _member_for(kind, content)
    for step in path:
        parent = kind
        if step == "*":
            inner = typing.get_args(kind)[-1]
            step = _first_unfit(inner, content)
            kind = inner
        else:
            kind = typing.get_type_hints(kind).get(step) if isinstance(kind, type) else None
        content = content.get(step) if isinstance(content, dict) else None
        kind = _member_for(kind, content)
        names.append(step)
    return names, kind, parent


def _first_unfit(kind: Any, content: Any) -> str:
    for key, value in (content or {}).items():
        try:
            msgspec.convert(value, kind)
        except (msgspec.ValidationError, ConfigError):
            return key
    return "*"


def _members(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) in (Union, UnionType) else (kind,)


def _member_for(kind: Any, content: Any) -> Any:
    """The member of a tagged union that ``content`` names, else the union itself."""
    members = [member for member in _members(kind) if member is not type(None)]
    if len(members) == 1:
        return members[0]
    for member in members:
        tag_field, tag = _tag(member)
        if isinstance(content, dict) and tag_field and content.get(tag_field) == tag:
            return member
    return kind


def _tag(kind: Any) -> tuple[str | None, Any]:
    settings = getattr(kind, "__struct_config__", None)
    return (settings.tag_field, settings.tag) if settings else (None, None)


def _tags(kind: Any) -> list[str]:
    return [tag for _, tag in map(_tag, _members(kind)) if isinstance(tag, str)]


def _choices(kind: Any) -> list[str]:
    return list(typing.get_args(kind)) if typing.get_origin(kind) is typing.Literal else []


def _field_names(kind: Any) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    tag_field, _ = _tag(kind)
    return [*kind.__struct_encode_fields__, *([tag_field] if tag_field else [])]
