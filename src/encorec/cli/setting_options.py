"""Every setting of the service as an option of a command and a variable of the environment."""

import inspect
import os
import re
from collections.abc import Callable
from functools import wraps
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import typer

from encorec.serving.operations.environment import PREFIX, settings_from
from encorec.serving.settings import Settings

__all__ = ["with_settings"]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option per setting in the place of its parameter ``settings``.

    What is not given comes from ``ENCOREC_<NAME>``, then from the defaults of ``Settings``.

    Args:
        command: takes ``settings``, a ``Settings``, by name.

    Raises:
        ConfigError: when it is called with a value that is none of its setting.

    Example:
        >>> @with_settings
        ... def told(settings: Settings) -> None:
        ...     print(settings.port)
        >>> told(port=80)
        80
    """
    options = _options()

    @wraps(command)
    def called(**given: Any) -> None:
        chosen = {name: None if (one := given.pop(name, None)) == [] else one for name in options}
        command(**given, settings=settings_from(os.environ, **chosen))

    own = inspect.signature(command).parameters
    kept = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, one in own.items() if name != "settings"]
    called.__signature__ = inspect.Signature([*kept, *options.values()])  # pyright: ignore[reportAttributeAccessIssue]
    return called


def _options() -> dict[str, inspect.Parameter]:
    about = _about()
    options: dict[str, inspect.Parameter] = {}
    for field in msgspec.structs.fields(Settings):
        shown = f"{about[field.name].replace('``', '')} ({PREFIX}{field.name.upper()}; default: {field.default})"
        kind = Annotated[_kind(field.type) | None, typer.Option(help=shown, show_default=False)]
        options[field.name] = inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
        )
    return options


def _kind(kind: Any) -> Any:
    """The type that typer reads; the value is checked by ``Settings``."""
    given = [one for one in get_args(kind) if one is not NoneType] if type(None) in get_args(kind) else [kind]
    if get_origin(given[0]) is tuple:
        return list[str]
    return str if get_origin(given[0]) is Literal else given[0]


def _about() -> dict[str, str]:
    text = inspect.getdoc(Settings) or ""
    return {name: " ".join(say.split()) for name, say in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, re.M)}
