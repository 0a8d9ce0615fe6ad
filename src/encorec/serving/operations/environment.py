"""Settings from the environment: ``ENCOREC_PORT=80`` is ``port = 80``; containers are set up this way."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

import msgspec

from encorec.config import decode
from encorec.errors import ConfigError
from encorec.serving.settings import Settings

__all__ = ["PREFIX", "settings_from"]

PREFIX = "ENCOREC_"
"""Before the name of every setting."""


def settings_from(environment: Mapping[str, str], **given: Any) -> Settings:
    """Settings of which some are given and others stand in the environment; what is given counts.

    Args:
        environment: variables; lists are separated by commas; names that are no setting are let be.
        given: settings by name; none = not given.

    Raises:
        ConfigError: names the variable whose value is none of its setting.

    Example:
        >>> settings = settings_from({"ENCOREC_MAX_K": "50", "ENCOREC_CORS_ORIGINS": "https://a, https://b"}, port=80)
        >>> settings.max_k, settings.cors_origins, settings.port
        (50, ('https://a', 'https://b'), 80)
    """
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        variable = PREFIX + field.name.upper()
        if given.get(field.name) is not None:
            found[field.name] = given[field.name]
        elif variable in environment:
            found[field.name] = _value(variable, environment[variable], field.type)
    return decode(found, Settings, where="settings")


def _value(variable: str, text: str, kind: Any) -> Any:
    content = [one.strip() for one in text.split(",") if one.strip()] if _is_list(kind) else text
    try:
        return msgspec.convert(content, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{variable} is {text!r}: {error}") from error


def _is_list(kind: Any) -> bool:
    return any(get_origin(one) in (tuple, list) for one in (kind, *get_args(kind)))
