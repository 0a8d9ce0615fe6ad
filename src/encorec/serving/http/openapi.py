"""The page that describes the service, made from the very structs and routes that serve it."""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from encorec import __version__
from encorec.serving.http.answers import ErrorAnswer
from encorec.serving.http.api_key import HEADER, OPEN
from encorec.serving.limits.admission import ALWAYS_HEARD
from encorec.serving.settings import Settings

__all__ = ["Endpoint", "Json", "Parameter", "describe"]

Json: TypeAlias = dict[str, Any]

_ABOUT = (
    "Every answer is given for the moment that the service's clock shows; the clock of this service is `{clock}`. "
    "`now` is the real clock: what is dated later is stored, and counts from its time on. `data-end` and an ISO-8601 "
    "time make a clock that stands at that moment, so that a question has the same answer here, in a batch job and in "
    "a notebook, whenever it is asked. At a standing clock there is no future: an event or an entry of a history that "
    "is dated later happens at its moment and counts in the next answer. Among events of equal times the order is "
    "that of arrival."
)
_KEY: Json = {"ApiKey": {"type": "apiKey", "in": "header", "name": HEADER}}
_REFERENCE = "#/components/schemas/{name}"
_MEANING = {
    400: "not JSON",
    401: "no API key, or not the one of this service",
    404: "no such route, or an id that the snapshot does not know",
    413: "a body larger than `max_body_bytes`",
    422: "JSON or a parameter of another form or outside its bounds",
    503: "not now; send it again",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of the path or the query string.

    Args:
        name: as in the path or the query string.
        place: ``path`` or ``query``.
        kind: type of the value.
        about: what it means.

    Example:
        >>> Parameter("k", "query", int, "places to fill").place
        'query'
    """

    name: str
    place: str
    kind: Any
    about: str


@dataclass(frozen=True)
class Endpoint:
    """A route and all that is said of it.

    Args:
        route: method and path, parameters in braces.
        summary: what it does, in a line.
        handler: answers it.
        answer: struct of the answer; none = plain text.
        body: struct of the request; none = it has no body.
        parameters: of the path and the query string.
        answering: statuses that come with the answer.
        refusing: statuses that come with a fault, besides those that every body may earn.
        example: a request body.
        keyed: whether it always asks for the API key.

    Example:
        >>> async def live(_: Request) -> Response:
        ...     return Response()
        >>> Endpoint("GET /health/live", "Is the process up?", live, ErrorAnswer).method
        'GET'
    """

    route: str
    summary: str
    handler: Callable[[Request], Awaitable[Response]]
    answer: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None = None
    parameters: tuple[Parameter, ...] = ()
    answering: tuple[int, ...] = (200,)
    refusing: tuple[int, ...] = ()
    example: Json | None = None
    keyed: bool = False

    @property
    def method(self) -> str:
        """``GET`` or ``POST``."""
        return self.route.split()[0]

    @property
    def path(self) -> str:
        """The path as the router reads it."""
        return self.route.split()[1]

    @property
    def public_path(self) -> str:
        """The path as OpenAPI writes it."""
        return self.path.replace(":path}", "}")


def describe(endpoints: Sequence[Endpoint], settings: Settings) -> Json:
    """The OpenAPI 3.1 document of the routes.

    Args:
        endpoints: every route of the service.
        settings: the bounds that they enforce.

    Example:
        >>> describe([], Settings())["openapi"]
        '3.1.0'
    """
    kinds = {kind: None for one in endpoints for kind in (one.body, one.answer) if kind} | {ErrorAnswer: None}
    _, components = msgspec.json.schema_components(list(kinds), ref_template=_REFERENCE)
    paths: Json = {one.public_path: {one.method.lower(): _operation(one, settings)} for one in endpoints}
    keys = {"securitySchemes": _KEY} if any(_keyed(one, settings) for one in endpoints) else {}
    info = {
        "title": "Encorec",
        "version": __version__,
        "summary": "Recommendations in real time",
        "description": _ABOUT.format(clock=settings.clock),
    }
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": paths,
        "components": {"schemas": {name: _readable(one, settings) for name, one in sorted(components.items())}} | keys,
    }


def _operation(one: Endpoint, settings: Settings) -> Json:
    operation: Json = {
        "tags": [one.public_path.split("/")[1]],
        "summary": one.summary,
        "operationId": re.sub(r"\W+", "_", one.public_path).strip("_"),
        "responses": _responses(one, settings),
    }
    if _keyed(one, settings):
        operation["security"] = [{name: []} for name in _KEY]
    if one.parameters:
        operation["parameters"] = [_parameter(parameter, settings) for parameter in one.parameters]
    if one.body:
        content: Json = {"schema": _reference(one.body)} | ({"example": one.example} if one.example else {})
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _keyed(one: Endpoint, settings: Settings) -> bool:
    return one.keyed or (settings.protect == "all" and one.path not in OPEN)


def _responses(one: Endpoint, settings: Settings) -> Json:
    refusing = {*one.refusing, *((400, 413, 422) if one.body else ()), *((401,) if _keyed(one, settings) else ())}
    refusing |= set[int]() if one.path.startswith(ALWAYS_HEARD) else {503}
    answers: Json = {str(status): _content(HTTPStatus(status).phrase, one.answer) for status in one.answering}
    return answers | {str(status): _content(_MEANING[status], ErrorAnswer) for status in sorted(refusing)}


def _content(about: str, kind: type[msgspec.Struct] | None) -> Json:
    if kind is None:
        return {"description": about, "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"description": about, "content": {"application/json": {"schema": _reference(kind)}}}


def _parameter(one: Parameter, settings: Settings) -> Json:
    schema = _bounded(one.name, msgspec.json.schema(one.kind), settings)
    required = one.place == "path"
    return {"name": one.name, "in": one.place, "required": required, "description": one.about, "schema": schema}


def _reference(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _bounded(name: str, schema: Json, settings: Settings) -> Json:
    """With the bounds that are settings, not types."""
    most = {"k": ("maximum", settings.max_k), "requests": ("maxItems", settings.max_batch)}.get(name)
    return schema | {most[0]: most[1]} if most else schema


def _readable(schema: Json, settings: Settings) -> Json:
    """A component whose docstring is split into the say on the whole and on each field."""
    text = inspect.cleandoc(schema.get("description", ""))
    about = {name: " ".join(say.split()) for name, say in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, re.M)}
    fields: Json = {
        name: _bounded(name, field, settings) | ({"description": about[name]} if name in about else {})
        for name, field in schema.get("properties", {}).items()
    }
    return schema | {"description": " ".join(text.split("\n\n")[0].split()), "properties": fields}
