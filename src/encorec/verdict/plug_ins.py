"""Systems of one's own: named in a configuration or given as functions, and trusted only as far as their lists hold.

Code is imported here because the user's own configuration names it; an artifact names none.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from encorec.data.dataset import Dataset
from encorec.errors import ConfigError, DataError, unknown_name
from encorec.evaluation.backtest.settings import SystemConfig
from encorec.types import Candidates, IntMatrix, Queries, Slate
from encorec.verdict.systems import FUSION, TWO_STAGE, System

__all__ = ["Factory", "plug_in_factories", "plug_in_system"]

Factory: TypeAlias = Callable[[Dataset, np.random.Generator], Any]


def plug_in_factories(
    configured: Mapping[str, SystemConfig], given: Mapping[str, Factory] | None, retrievers: Mapping[str, Any]
) -> dict[str, Factory]:
    """Every system of one's own as a function from the past of an exam to an object that answers.

    Args:
        configured: by name, from the configuration.
        given: by name, from Python.
        retrievers: whose names are taken.

    Raises:
        ConfigError: a module or attribute that is not there, or a name that is taken.

    Example:
        >>> plug_in_factories({"mine": SystemConfig(factory="encorec.verdit:make")}, None, {})
        Traceback (most recent call last):
        ...
        encorec.errors.ConfigError: evaluation.systems.mine.factory: there is no module 'encorec.verdit'; ...
    """
    found = {name: _imported(name, one) for name, one in configured.items()}
    taken = {TWO_STAGE, FUSION, *retrievers}
    for name, factory in (given or {}).items():
        if name in found:
            raise ConfigError(f"systems: {name!r} is in the configuration too; choose another name")
        if not callable(factory):
            raise ConfigError(f"systems: {name!r} is {type(factory).__name__}, wanted is a function of (past, rng)")
        found[name] = factory
    for name in found.keys() & taken:
        raise ConfigError(f"evaluation.systems: {name!r} is a system of the pipeline; choose another name")
    return found


def plug_in_system(name: str, factory: Factory, past: Dataset, rng: np.random.Generator) -> System:
    """The system that a factory makes of the past of an exam; its lists are checked at every call.

    Args:
        name: of the system.
        factory: made by ``plug_in_factories``.
        past: what may be learnt from.
        rng: of the system.

    Raises:
        ConfigError: an object that answers neither ``retrieve`` nor ``recommend``.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.types import Eligibility, Histories
        >>> class First:
        ...     def recommend(self, queries, k):
        ...         return np.zeros((len(queries), 1), int)
        >>> past = Dataset.of(Interactions.of([0], [0], [5]))
        >>> system = plug_in_system("first", lambda past, rng: First(), past, np.random.default_rng(0))
        >>> system(Queries(Histories.empty(1), np.array([9]), Eligibility(np.ones(1, bool))), 2).tolist()
        [[0, -1]]
    """
    made = factory(past, rng)
    where = f"evaluation.systems.{name}"
    for method in ("retrieve", "recommend"):
        if callable(getattr(made, method, None)) and not isinstance(made, type):
            return partial(_answered, where, getattr(made, method), past)
    kind = f"the class {made.__name__}" if isinstance(made, type) else f"a {type(made).__name__}"
    raise ConfigError(
        f"{where}: the factory returned {kind}, wanted is an object with retrieve(queries, n) or recommend(queries, k)"
    )


def _imported(name: str, config: SystemConfig) -> Factory:
    where = f"evaluation.systems.{name}.factory"
    module_name, _, attribute = config.factory.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise ConfigError(f"{where} is {config.factory!r}, allowed is package.module:attribute")
    found: Any = _module(where, module_name)
    for step in attribute.split("."):
        if not hasattr(found, step):
            names = [one for one in dir(found) if not one.startswith("_")]
            raise ConfigError(f"{where}: {unknown_name(f'attribute of {module_name}', step, names)}")
        found = getattr(found, step)
    if not callable(found):
        raise ConfigError(f"{where}: {config.factory} is {type(found).__name__}, wanted is a function of (past, rng)")
    return partial(found, **config.options)


def _module(where: str, name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if f"{name}.".startswith(f"{missing}."):
            raise ConfigError(
                f"{where}: there is no module {missing!r}; it is looked for in the current folder and among the "
                "installed packages"
            ) from error
        raise ConfigError(f"{where}: {name} needs the module {missing!r}, which is not installed") from error
    except Exception as error:  # somebody else's module may fail in any way while it is imported
        raise ConfigError(f"{where}: importing {name} failed: {type(error).__name__}: {error}") from error


def _answered(where: str, answer: Callable[[Queries, int], Any], past: Dataset, queries: Queries, k: int) -> IntMatrix:
    given = answer(queries, k)
    lists = (
        _of_candidates(where, given, queries, k)
        if isinstance(given, Candidates)
        else _as_lists(where, given, queries, k)
    )
    _check(where, lists, past, queries)
    return lists


def _of_candidates(where: str, found: Candidates, queries: Queries, k: int) -> IntMatrix:
    """(n, k) items of candidates, in the order of their rank."""
    query, rank = np.asarray(found.query), np.asarray(found.rank, np.float64)
    if not len(query):
        return np.full((len(queries), k), -1, np.int64)
    if not 0 <= query.min() <= query.max() < len(queries):
        raise DataError(f"{where}: candidates of query {query.max()}, asked were {len(queries)}")
    if rank.shape != (len(query), 1) or np.isnan(rank).any():
        raise DataError(
            f"{where}: candidates of {len(found.sources)} sources or without rank; wanted is one rank for each"
        )
    order = np.lexsort((rank[:, 0], query))
    ordered = query[order]
    place = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    if (place >= k).any():
        raise DataError(f"{where}: {int(place.max()) + 1} candidates for one query, asked were {k}")
    lists = np.full((len(queries), k), -1, np.int64)
    lists[ordered, place] = np.asarray(found.item)[order]
    return lists


def _as_lists(where: str, given: Any, queries: Queries, k: int) -> IntMatrix:
    """(n, k) items of a slate or a matrix with at most k columns."""
    matrix = np.asarray(given.item if isinstance(given, Slate) else given)
    if matrix.ndim != 2 or matrix.dtype.kind not in "iu":
        shape = f"shape {matrix.shape} of {matrix.dtype}"
        raise DataError(
            f"{where}: the lists have {shape}, wanted are candidates, a slate or integers ({len(queries)}, {k})"
        )
    if len(matrix) != len(queries) or matrix.shape[1] > k:
        raise DataError(f"{where}: the lists have shape {matrix.shape}, wanted is ({len(queries)}, {k})")
    lists = np.full((len(queries), k), -1, np.int64)
    lists[:, : matrix.shape[1]] = matrix
    return lists


def _check(where: str, lists: IntMatrix, past: Dataset, queries: Queries) -> None:
    """Refuse lists with items that do not exist or may not be shown, with an item twice or with a gap."""
    outside = (lists < -1) | (lists >= queries.items)
    if outside.any():
        row, place = np.argwhere(outside)[0]
        raise DataError(
            f"{where}: item {lists[row, place]} for {_asked(past, queries, row)}, allowed are the rows 0 to "
            f"{queries.items - 1} and -1 for an empty place"
        )
    empty = lists < 0
    gap = (empty[:, :-1] & ~empty[:, 1:]).any(axis=1)
    ordered = np.sort(lists, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
    for rows, fault in ((gap, "an empty place before an item"), (twice, "an item twice")):
        if rows.any():
            raise DataError(f"{where}: the list for {_asked(past, queries, rows.argmax())} has {fault}")
    mask = queries.eligible.mask(len(queries))
    refused = ~empty & ~np.take_along_axis(mask, np.maximum(lists, 0), axis=1)
    if refused.any():
        row, place = np.argwhere(refused)[0]
        item = past.items.externals([int(lists[row, place])])[0]
        raise DataError(
            f"{where}: item {item!r} at place {place + 1} for {_asked(past, queries, row)} may not be shown (seen, or "
            "without a past); obey queries.eligible, for example with queries.eligible.mask(len(queries))"
        )


def _asked(past: Dataset, queries: Queries, row: Any) -> str:
    if queries.user is None:
        return f"query {int(row)}"
    return f"user {past.users.externals([int(queries.user[row])])[0]!r}"
