"""Every route of the service: what serves it and what the documentation says of it."""

from encorec.serving.http.answers import (
    BatchAnswer,
    CourseAnswer,
    EventsAnswer,
    HealthAnswer,
    ItemAnswer,
    PopularAnswer,
    RecommendAnswer,
    SimilarAnswer,
    UserAnswer,
)
from encorec.serving.http.bodies import BatchBody, Count, CourseBody, EventsBody, RecommendBody, SimilarBody, Text
from encorec.serving.http.handlers import Handlers
from encorec.serving.http.openapi import Endpoint, Json, Parameter

__all__ = ["endpoints"]

_K = Parameter("k", "query", Count, "places to fill; 10 unless told")
_ITEM = Parameter("item_id", "path", Text, "id as in the training data")
_USER = Parameter("user_id", "path", Text, "id as in the training data, or of a new user")

_QUESTION: Json = {"user_id": 17, "k": 10}
_GUEST: Json = {"history": [{"item_id": 242, "timestamp": 893286638}]}
_LIKE: Json = {"item_id": 242, "k": 10}
_EVENT: Json = {"event_id": "e-1", "user_id": 17, "item_id": 242, "type": "watch", "value": 1.0}
_COURSE: Json = {"user_id": 17, "item_whitelist": [242, 302]}


def endpoints(handlers: Handlers) -> tuple[Endpoint, ...]:
    """Every route of the service.

    Args:
        handlers: what serves them.
    """
    return (*_questions(handlers), *_events(handlers), *_lookups(handlers), *_health(handlers), *_course(handlers))


def _questions(on: Handlers) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "POST /v1/recommend",
            "Items for one user",
            on.recommend,
            RecommendAnswer,
            RecommendBody,
            example=_QUESTION,
        ),
        Endpoint(
            "POST /v1/recommend/batch",
            "Items for many users",
            on.recommend_batch,
            BatchAnswer,
            BatchBody,
            example={"requests": [_QUESTION, _GUEST]},
        ),
        Endpoint(
            "POST /v1/similar",
            "Items like one item",
            on.similar,
            SimilarAnswer,
            SimilarBody,
            refusing=(404,),
            example=_LIKE,
        ),
    )


def _events(on: Handlers) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "POST /v1/events",
            "Remember what users did; it counts in the next answer",
            on.events,
            EventsAnswer,
            EventsBody,
            refusing=(503,),
            example={"events": [_EVENT]},
        ),
    )


def _lookups(on: Handlers) -> tuple[Endpoint, ...]:
    return (
        Endpoint(
            "GET /v1/popular", "The most popular items", on.popular, PopularAnswer, parameters=(_K,), refusing=(422,)
        ),
        Endpoint(
            "GET /v1/items/{item_id:path}",
            "What is known of an item",
            on.item,
            ItemAnswer,
            parameters=(_ITEM,),
            refusing=(404, 422),
        ),
        Endpoint(
            "GET /v1/users/{user_id:path}",
            "What is known of a user",
            on.user,
            UserAnswer,
            parameters=(_USER,),
            refusing=(404, 422, 503),
        ),
    )


def _health(on: Handlers) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET /health/live", "Is the process up?", on.live, HealthAnswer),
        Endpoint("GET /health/ready", "Can it answer?", on.readiness, HealthAnswer, answering=(200, 503)),
    )


def _course(on: Handlers) -> tuple[Endpoint, ...]:
    about = "Items for one user, in the form of the course's lecture service"
    paths = ("/api/v1/recommend_for_user", "/api/v1/recommend_bruteforce")
    return tuple(
        Endpoint(f"POST {path}", about, on.course, CourseAnswer, CourseBody, example=_COURSE) for path in paths
    )
