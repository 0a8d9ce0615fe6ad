"""Hostile requests made from the documentation, to a real process: never 5xx, and answers have the promised form."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.end_to_end.service import Service

CHECKED = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def hostile(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "key").write_text("the key of this test")
    options = ("--clock", "data-end", "--api-key-file", str(folder / "key"), "--logs", str(folder / "logs"))
    with Service(folder, project / "artifact", *options) as running:
        yield running


def test_the_service_is_what_its_page_says(hostile: Service) -> None:
    url = str(hostile._client.base_url)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations: list[Any] = [one.ok() for one in schema.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
    routes = {(one.method.upper(), one.path) for one in operations}
    assert {("GET", "/metrics"), ("POST", "/v1/recommend"), ("POST", "/admin/reload"), ("POST", "/v1/events")} <= routes
    tried = 0
    for operation in operations:

        @settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        def ask(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            key = {"x-api-key": "the key of this test"} if tried % 2 and case.path.startswith("/admin") else {}
            response = case.call(base_url=url, headers=key)
            case.validate_response(response, checks=CHECKED)

        for mode in schemathesis.GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)
            with suppress(Unsatisfiable):  # there is no wrong way to ask for what takes no parameters
                given(case=strategy)(ask)()
    assert tried > 10 * len(operations)
