"""Every error Encorec raises on purpose, and the sentence each one is written in.

The form is always: where, what was given, what was allowed, what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ArtifactError",
    "ConfigError",
    "DataError",
    "EncorecError",
    "MissingExtra",
    "NotFitted",
    "QueryError",
    "unknown_name",
]


class EncorecError(Exception):
    """The root: catch this to catch everything that Encorec raises on purpose.

    Example:
        >>> issubclass(DataError, EncorecError)
        True
    """


class DataError(EncorecError):
    """A table that cannot be used as it is: names the file, the column, the count and the first bad row."""


class ConfigError(EncorecError, ValueError):
    """A configuration that cannot be used: names the path of the fault and the nearest valid name."""


class ArtifactError(EncorecError):
    """A saved pipeline that is torn, altered or from an unknown format: nothing of it is loaded."""


class QueryError(EncorecError):
    """A query that cannot be answered: names the field and what is allowed."""


class NotFitted(EncorecError):
    """A component was asked for answers before ``fit`` or ``load``.

    Example:
        >>> str(NotFitted("ALS"))
        'ALS has not been fitted: call fit(data, rng=...) or load it from an artifact first'
    """

    def __init__(self, component: str) -> None:
        super().__init__(f"{component} has not been fitted: call fit(data, rng=...) or load it from an artifact first")


class MissingExtra(EncorecError):
    """An optional package is not installed.

    Example:
        >>> str(MissingExtra("faiss", "ann"))
        "this needs the package 'faiss': pip install 'encorec[ann]'"
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package {package!r}: pip install 'encorec[{extra}]'")


def unknown_name(what: str, given: str, allowed: Iterable[str]) -> str:
    """The sentence for a name that does not exist, with the nearest one that does.

    Example:
        >>> unknown_name("retriever kind", "eas", ["als", "ease"])
        "unknown retriever kind 'eas': did you mean 'ease'? allowed: als, ease"
    """
    names = sorted(allowed)
    near = get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {given!r}: {hint}allowed: {', '.join(names)}"
