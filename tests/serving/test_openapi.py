import msgspec
import pytest
from fastapi.openapi.models import OpenAPI

from encorec.serving.http.answers import RecommendAnswer
from encorec.serving.http.openapi import describe
from encorec.serving.http.routes import endpoints
from encorec.serving.settings import Settings


@pytest.fixture
def document(service):
    return service.get("/openapi.json").json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value):
    """Every ``$ref`` inside a JSON value."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(one)


def test_the_page_is_a_valid_openapi_document(document):
    OpenAPI.model_validate(document)
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(identifiers)) == len(identifiers)


def test_every_reference_leads_somewhere_and_nothing_is_left_over(document):
    defined = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == defined


def test_the_page_describes_every_route_and_no_other(service, document):
    own = {"/openapi.json", "/docs"}
    served = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in service.app.routes
        if route.path not in own
        for method in route.methods - {"HEAD"}
    }
    assert {(path, method) for path, method, _ in operations(document)} == served
    assert len(served) == 12


def test_every_field_of_every_body_and_answer_is_explained(document):
    silent = {"Recommended", "Similar"}  # explained as a whole
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        assert "Args:" not in schema["description"]
        for field, about in schema["properties"].items():
            assert name in silent or about["description"], (name, field)


def test_every_example_is_accepted(service, document):
    tried = 0
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if method == "post":
            answer = service.post(path, content["example"])
            assert answer.status_code == 200, (path, answer.text)
            tried += 1
    assert tried == 6


def test_bounds_on_the_page_are_those_of_the_settings():
    document = describe(endpoints_of_nobody(), Settings(max_k=7, max_batch=3))
    schemas = document["components"]["schemas"]
    assert schemas["RecommendBody"]["properties"]["k"]["maximum"] == 7
    assert schemas["SimilarBody"]["properties"]["k"]["minimum"] == 1
    assert schemas["BatchBody"]["properties"]["requests"]["maxItems"] == 3
    [k] = document["paths"]["/v1/popular"]["get"]["parameters"]
    assert (k["schema"]["minimum"], k["schema"]["maximum"]) == (1, 7)


def endpoints_of_nobody():
    from encorec.serving.http.handlers import Handlers

    return endpoints(Handlers.__new__(Handlers))


def test_answers_have_the_form_that_the_page_promises(service):
    answer = service.post("/v1/recommend", {"user_id": 17}).content
    decoded = msgspec.json.decode(answer, type=RecommendAnswer)
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == msgspec.json.decode(answer)


@pytest.mark.parametrize("clock", ["now", "data-end", "1998-04-22T23:10:38Z"])
def test_the_clock_of_the_service_is_told(start_service, clock):
    about = start_service(clock=clock).get("/openapi.json").json()["info"]["description"]
    assert f"the clock of this service is `{clock}`" in about
    assert "no future" in about


@pytest.mark.parametrize(("field", "about"), [("placement", "experiments"), ("deadline_ms", "skipped")])
def test_what_placement_and_deadline_do_is_told(document, field, about):
    assert about in document["components"]["schemas"]["RecommendBody"]["properties"][field]["description"]


def test_every_route_but_those_of_operators_may_say_not_now(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operator = path.startswith(("/health", "/metrics", "/admin"))
            assert operator or "503" in operation["responses"], path


def test_the_docs_can_be_turned_off(start_service):
    closed = start_service(docs=False)
    assert [closed.get(path).status_code for path in ("/docs", "/openapi.json", "/redoc")] == [404, 404, 404]
