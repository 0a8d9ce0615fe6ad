"""Whatever comes in, the answer is a 4xx with the path of the fault, never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROUTES = {
    "/v1/recommend": {
        "user_id": 17,
        "k": 3,
        "allow": [1, 242],
        "deny": [2],
        "history": [{"item_id": 3, "timestamp": 5, "weight": 1}],
        "user": {"age": 30, "sex": "F"},
        "explain": False,
        "placement": "main",
        "deadline_ms": 50,
    },
    "/v1/recommend/batch": {"requests": [{"user_id": 17}, {"deny": [1]}]},
    "/v1/similar": {"item_id": 242, "k": 3, "allow": [1, 302], "deny": [1]},
    "/v1/events": {
        "events": [{"event_id": "e", "user_id": 1, "item_id": 242, "timestamp": 5, "value": 1.0, "type": "watch"}]
    },
    "/api/v1/recommend_for_user": {"user_id": 17, "item_whitelist": [1, 2]},
    "/api/v1/recommend_bruteforce": {"user_id": 17, "item_whitelist": []},
}
every_route = pytest.mark.parametrize("route", ROUTES)
patient = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)

numbers = st.one_of(
    st.integers(),
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, -(10**4000)]),
    st.floats(),
)
texts = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Nd"])),
    st.sampled_from(["", "-", "--5", "-0", "007", "1e3", "9" * 256, "9" * 5_000, "\x00", "\ud800", "\U0001d7d7"]),
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def assert_told_apart(answer):
    assert answer.status_code in (200, 400, 404, 413, 422), (answer.status_code, answer.text)
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert error.keys() == {"message", "path"}
        assert error["message"]
        assert error["path"]


def places(value, path=()):
    """Every place inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def put(value, path, new):
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = put(copy[key], rest, new)
    return copy


@every_route
@patient
@given(data=st.data())
def test_any_json_in_any_place(service, route, data):
    path = data.draw(st.sampled_from(list(places(ROUTES[route]))))
    body = put(ROUTES[route], path, data.draw(anything))
    assert_told_apart(service.post(route, json.dumps(body).encode()))


@every_route
@patient
@given(body=st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_any_bytes(service, route, body):
    answer = service.post(route, body)
    assert_told_apart(answer)
    assert answer.status_code != 200


@patient
@given(name=texts, k=texts | numbers.map(str))
def test_any_parameter(service, name, k):
    text = name.encode(errors="replace").decode()
    assert_told_apart(service.get("/v1/popular", params={"k": k.encode(errors="replace").decode()}))
    for route in ("/v1/items/", "/v1/users/"):
        answer = service.get(route + "".join(f"%{byte:02X}" for byte in text.encode()))
        if text:
            assert_told_apart(answer)


@every_route
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 422),
        (b'{"events":' + b"[" * 100_000, 400),
        (b'{"user_id":NaN}', 400),
        (b'{"user_id":' + b"9" * 5_000 + b"}", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"\xff"', 422),
        (b"\xef\xbb\xbf{}", 400),
        (b" " * (2 * 2**20 + 1), 413),
    ],
)
def test_what_is_no_body_at_all(service, route, body, status):
    answer = service.post(route, body)
    assert_told_apart(answer)
    # A fault of form may be found before the fault of syntax behind it.
    assert answer.status_code in {status, 422} - ({422} if status == 413 else set())


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"k": 0}, "$.k"),
        ({"k": 501}, "$.k"),
        ({"k": -(10**30)}, "$.k"),
        ({"k": 10**30}, "$.k"),
        ({"k": "10"}, "$.k"),
        ({"k": True}, "$.k"),
        ({"k": 1.5}, "$.k"),
        ({"user_id": True}, "$.user_id"),
        ({"user_id": 1.5}, "$.user_id"),
        ({"user_id": 17.0}, "$.user_id"),
        ({"user_id": []}, "$.user_id"),
        ({"user_id": 2**63}, "$.user_id"),
        ({"user_id": "x" * 257}, "$.user_id"),
        ({"allow": [1, None]}, "$.allow[1]"),
        ({"allow": 5}, "$.allow"),
        ({"deny": [[]]}, "$.deny[0]"),
        ({"deny": [17.0]}, "$.deny[0]"),
        ({"deny": None}, "$.deny"),
        ({"history": [{"item_id": 1}]}, "$.history[0]"),
        ({"history": [{"item_id": 1, "timestamp": 1e300}]}, "$.history[0].timestamp"),
        ({"history": [{"item_id": 1, "timestamp": 5, "weight": -1}]}, "$.history[0].weight"),
        ({"history": [{"item_id": 1, "timestamp": 5, "weight": 1e39}]}, "$.history[0].weight"),
        ({"user": {"age": 10**400}}, "$.user[...]"),
        ({"user": {"age": 1e39}}, "$.user[...]"),
        ({"user": {"age": [30]}}, "$.user[...]"),
        ({"user": []}, "$.user"),
        ({"placement": ""}, "$.placement"),
        ({"placement": None}, "$.placement"),
        ({"placement": "x" * 257}, "$.placement"),
        ({"deadline_ms": 0}, "$.deadline_ms"),
        ({"deadline_ms": -5}, "$.deadline_ms"),
        ({"deadline_ms": "50"}, "$.deadline_ms"),
        ({"deadline_ms": 10**400}, "$.deadline_ms"),
        ({"colour": "red"}, "$"),
        ({"allow": [1] * 60_000, "deny": [1] * 40_001}, "$.deny"),
        ({"history": [], "allow": ["x"] * 100_001}, "$.allow"),
    ],
)
def test_the_path_of_the_fault_is_named(service, body, path):
    answer = service.post("/v1/recommend", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["path"] == path
    batch = service.post("/v1/recommend/batch", {"requests": [{}, body]})
    assert batch.status_code == 422
    assert batch.json()["error"]["path"] == path.replace("$", "$.requests[1]")


def test_a_hundred_thousand_ids_are_allowed(service):
    assert service.items(allow=[*range(99_998)], deny=[1, 2], k=500) == [242, 302, *range(3, 19)]


def test_the_ids_of_a_batch_count_together(service):
    requests = [{"allow": [1] * 50_000}, {"deny": [1] * 50_000}, {"deny": [1]}]
    answer = service.post("/v1/recommend/batch", {"requests": requests})
    assert answer.json()["error"] == {
        "message": "100001 ids up to here, allowed are 100000",
        "path": "$.requests[2].deny",
    }


def test_a_batch_is_bounded(service):
    assert len(service.post("/v1/recommend/batch", {"requests": [{}] * 256}).json()["answers"]) == 256
    assert len(service.post("/v1/recommend/batch", {"requests": [{"k": 500}] * 20}).json()["answers"]) == 20


@pytest.mark.parametrize(
    ("requests", "path"),
    [
        ([{}] * 257, "$.requests"),
        ([{"k": 500}] * 20 + [{"k": 1}], "$.requests"),
        ([{}, {"explain": True}], "$.requests[1].explain"),
    ],
)
def test_no_batch_may_hold_up_the_others(service, requests, path):
    answer = service.post("/v1/recommend/batch", {"requests": requests})
    assert answer.status_code == 422
    assert answer.json()["error"]["path"] == path


@pytest.mark.parametrize(
    ("route", "body", "path"),
    [
        ("/v1/similar", {"item_id": 242, "k": 501}, "$.k"),
        ("/v1/similar", {"item_id": 242, "deny": [1] * 100_001}, "$.deny"),
        ("/v1/similar", {}, "$"),
        ("/v1/events", {"events": {}}, "$.events"),
        ("/v1/events", {}, "$"),
        ("/api/v1/recommend_for_user", {"user_id": 1, "item_whitelist": [1] * 100_001}, "$.item_whitelist"),
        ("/api/v1/recommend_for_user", {"user_id": 1, "item_whitelist": ["1"]}, "$.item_whitelist[0]"),
    ],
)
def test_so_on_the_other_routes(service, route, body, path):
    answer = service.post(route, body)
    assert answer.status_code == 422
    assert answer.json()["error"]["path"] == path


def test_bounds_are_settings(start_service):
    service = start_service(max_k=2, max_ids=3, max_batch=2, max_places=3, max_body_bytes=100)
    assert service.post("/v1/recommend", {"k": 3}).status_code == 422
    assert service.post("/v1/recommend", {"deny": [1, 2, 3, 4]}).status_code == 422
    assert service.post("/v1/recommend/batch", {"requests": [{"k": 1}, {"k": 1}, {"k": 1}]}).status_code == 422
    assert service.post("/v1/recommend/batch", {"requests": [{"k": 2}, {"k": 2}]}).status_code == 422
    assert service.post("/v1/recommend", {"user_id": "x" * 100}).status_code == 413
    assert len(service.items(k=2, deny=[1, 2, 3])) == 2


@pytest.mark.parametrize("declared", ["99999999999", "1", "-5", "x"])
def test_the_declared_length_is_not_trusted(service, declared):
    body = json.dumps({"deny": [1] * 800_000}).encode()
    answer = service.post("/v1/recommend", content=body, headers={"content-length": declared})
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("k", ["0", "501", "x", "1.5", "", "-1", "1_0", "9" * 5_000])
def test_the_query_string_is_checked_too(service, k):
    answer = service.get("/v1/popular", params={"k": k})
    assert answer.status_code == 422
    assert answer.json()["error"]["path"] == "k"


def test_other_routes_and_methods_are_refused_in_the_same_form(service):
    assert service.get("/v2").json() == {"error": {"message": "Not Found", "path": "/v2"}}
    answer = service.get("/v1/recommend")
    assert answer.status_code == 405
    assert answer.json()["error"]["path"] == "/v1/recommend"
    assert "POST" in answer.headers["allow"]
