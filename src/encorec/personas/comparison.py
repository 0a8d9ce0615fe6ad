"""The same personas put to several systems, each asked as the service is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encorec.errors import ConfigError, QueryError, unknown_name
from encorec.evaluation.metrics.beyond_accuracy import miuf
from encorec.evaluation.metrics.diversity import intra_list_distance
from encorec.evaluation.metrics.lists import JudgedLists
from encorec.evaluation.options import DEFAULT_OPTIONS, MetricOptions
from encorec.personas.answers import Comparison, PersonaAnswers, PersonaList, Shown
from encorec.personas.persona import Persona
from encorec.personas.shelf import Shelf
from encorec.personas.systems import System
from encorec.pipeline.requests import Answer, PastEvent, Request

__all__ = ["compare_personas"]

_DAY = 86_400


def compare_personas(
    systems: Sequence[System],
    personas: Mapping[str, Persona],
    *,
    k: int = 10,
    now: Mapping[str, int] | None = None,
    options: MetricOptions = DEFAULT_OPTIONS,
) -> Comparison:
    """Ask every system for every persona.

    Args:
        systems: of ``open_systems``.
        personas: by name.
        k: places of a list.
        now: system -> the second of asking; none = the end of the data of each.
        options: conventions of the metrics.

    Raises:
        DataError: a title or id that a system does not know, or a title of several items.
        ConfigError: a feature or a value of a feature that a system does not know.
        QueryError: k below 1.

    Example:
        >>> compare_personas([], {"newcomer": Persona()}).personas["newcomer"].lists
        {}
    """
    if k < 1:
        raise QueryError(f"k is {k}, allowed is 1 or more")
    asked = {one.name: _lists(one, personas, k, (now or {}).get(one.name), options) for one in systems}
    names = tuple(asked)
    shelf = systems[0].shelf if systems else None
    answers: dict[str, PersonaAnswers] = {}
    for name, persona in personas.items():
        lists = {system: asked[system][name] for system in names}
        ids = [{item.item_id for item in one.items} for one in lists.values()]
        common = np.array([[len(one & other) for other in ids] for one in ids], np.int64).reshape(len(ids), len(ids))
        history = tuple(_past(shelf, persona)) if shelf else ()
        answers[name] = PersonaAnswers(persona.about, history, lists, common)
    sources = {one.name: tuple(one.engine.artifact.pipeline.first.retrievers) for one in systems}
    return Comparison(k, names, answers, sources, shelf.traits_name if shelf else "")


def _lists(
    system: System, personas: Mapping[str, Persona], k: int, now: int | None, options: MetricOptions
) -> dict[str, PersonaList]:
    """Persona -> what the system shows it."""
    shelf, artifact = system.shelf, system.shelf.artifact
    moment = artifact.data_end if now is None else now
    requests = [_request(shelf, name, persona, k, moment) for name, persona in personas.items()]
    answers = system.engine.recommend(requests, now=moment)
    rows = np.full((len(answers), k), -1, np.int32)
    for place, answer in enumerate(answers):
        rows[place, : len(answer.items)] = artifact.items.rows([item.item_id for item in answer.items])
    nothing = np.zeros(rows.shape, bool)
    lists = JudgedLists(rows, nothing, np.ones(len(rows), np.int64))
    novelty = miuf(lists, shelf.train, k, unseen=options.miuf_unseen) if len(rows) else np.zeros(0)
    apart = [None] * len(rows)
    if shelf.attributes is not None and len(rows):
        apart = intra_list_distance(lists, shelf.attributes, k, distance=options.ild_distance).tolist()
    return {
        name: _list(shelf, answer, ild, float(bits))
        for name, answer, ild, bits in zip(personas, answers, apart, novelty, strict=True)
    }


def _list(shelf: Shelf, answer: Answer, ild: float | None, bits: float) -> PersonaList:
    items = tuple(
        _shown(shelf, shelf.artifact.items.row(one.item_id), source=tuple(one.source), score=one.score)
        for one in answer.items
    )
    ranks = [one.popularity_rank for one in items]
    return PersonaList(items, ild, bits, float(np.median(ranks)) if ranks else None)


def _request(shelf: Shelf, name: str, persona: Persona, k: int, now: int) -> Request:
    """The persona as a guest of the service, with its history in the request."""
    history = tuple(
        PastEvent(
            shelf.artifact.items.externals([shelf.row(one.item)])[0], now - _DAY * (one.days_ago or 0), one.weight
        )
        for one in persona.taken()
    )
    _refuse_unknown(shelf, name, persona.features)
    return Request(k=k, history=history, user=persona.features or None)


def _refuse_unknown(shelf: Shelf, name: str, features: Mapping[str, Any]) -> None:
    """A request may carry features that the model does not know; a persona that is to show something may not."""
    schema = shelf.artifact.user_schema
    for feature, value in features.items():
        where = f"{shelf.name}: persona {name!r}"
        if feature not in schema.dense_names:
            raise ConfigError(f"{where}: {unknown_name('feature', feature, schema.dense_names)}")
        if feature in schema.categorical and str(value) not in schema.categorical[feature].values:
            raise ConfigError(f"{where}: {unknown_name(feature, str(value), schema.categorical[feature].values)}")
        if feature in schema.numeric and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ConfigError(f"{where}: {feature} is {value!r}, allowed is a number")


def _past(shelf: Shelf, persona: Persona) -> list[Shown]:
    taken = sorted(persona.taken(), key=lambda one: -(one.days_ago or 0))
    return [_shown(shelf, shelf.row(one.item), days_ago=one.days_ago) for one in taken]


def _shown(shelf: Shelf, row: int, **more: Any) -> Shown:
    item_id = shelf.artifact.items.externals([row])[0]
    return Shown(item_id, shelf.title(row), shelf.traits(row), int(shelf.popularity_rank[row]), **more)
