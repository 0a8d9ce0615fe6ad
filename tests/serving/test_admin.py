"""The admin routes: closed without the key, and what they say of reloads and rollbacks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serving.test_snapshots import ToySource, toy

from encorec.errors import ArtifactError, ConfigError
from encorec.serving.app import create_app
from encorec.serving.http.admin import Admin
from encorec.serving.http.api_key import HEADER, ApiKey, read_api_key
from encorec.serving.settings import Settings
from encorec.serving.snapshots.holder import Snapshots
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.workers.board import WorkerAnswer, WorkerBoard

KEY = {HEADER: "open sesame"}
ROUTES = [("POST", "/admin/reload"), ("POST", "/admin/rollback"), ("GET", "/admin/snapshots")]


class Service:
    """A service with an admin, asked in this process."""

    def __init__(self, snapshots: Snapshots, key: str | None = "open sesame", **settings: Any) -> None:
        self.snapshots, self.state = snapshots, SqliteState(":memory:")
        self.app = create_app(snapshots, Settings(**settings), self.state, key=None if key is None else ApiKey(key))

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return await client.request(method, path, headers=headers, json=body)

        return asyncio.run(asked())


@pytest.fixture
def source() -> ToySource:
    return ToySource("a", "b", "c")


@pytest.fixture
def service(source: ToySource) -> Iterator[Service]:
    made = Service(Snapshots(toy("a"), source))
    yield made
    made.state.close()


def test_without_the_key_nothing_happens(service: Service, source: ToySource) -> None:
    source.want("b")
    for method, path in ROUTES:
        for headers in ({}, {HEADER: ""}, {HEADER: "open barley"}, {HEADER: "\t"}):
            answer = service.ask(method, path, headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["path"] == HEADER
            assert "sesame" not in answer.text
    assert (service.snapshots.model, source.loads) == ("a", 0)


def test_without_a_key_there_are_no_admin_routes(source: ToySource) -> None:
    service = Service(Snapshots(toy("a"), source), key=None)
    for method, path in ROUTES:
        assert service.ask(method, path, KEY).status_code == 404
    assert not any(path.startswith("/admin") for path in service.ask("GET", "/openapi.json").json()["paths"])
    service.state.close()


def test_a_reload_is_seen_by_the_next_answer_and_a_rollback_takes_it_back(service: Service, source: ToySource) -> None:
    source.want("b")
    answer = service.ask("POST", "/admin/reload", KEY)
    assert (answer.status_code, answer.json()["model"], answer.json()["wanted"]) == (200, "b", "b")
    assert answer.json()["workers"][0]["previous"] == "a"
    assert service.ask("POST", "/v1/recommend", body={"user_id": 1}).json()["model"] == "b"
    assert service.ask("POST", "/admin/rollback", KEY).json()["model"] == "a"
    assert service.ask("POST", "/v1/recommend", body={"user_id": 1}).json()["model"] == "a"
    refused = service.ask("POST", "/admin/rollback", KEY)
    assert (refused.status_code, refused.json()["error"]) == (409, "nothing before it")


def test_what_is_refused_is_said_and_the_old_one_answers(service: Service, source: ToySource) -> None:
    source.want("b")
    source.faults["b"] = ArtifactError("b/items/ids.npy: altered or torn")
    answer = service.ask("POST", "/admin/reload", KEY)
    assert (answer.status_code, answer.json()["model"], answer.json()["wanted"]) == (409, "a", "b")
    assert answer.json()["error"] == "b/items/ids.npy: altered or torn"
    told = service.ask("GET", "/admin/snapshots", KEY)
    assert told.status_code == 200
    assert (told.json()["workers"][0]["refused"], told.json()["known"]) == (1, ["c", "b", "a"])
    assert service.ask("POST", "/v1/recommend", body={"user_id": 1}).status_code == 200


def test_all_routes_can_ask_for_the_key_but_those_of_health(source: ToySource) -> None:
    service = Service(Snapshots(toy("a"), source), protect="all")
    assert service.ask("POST", "/v1/recommend", body={}).status_code == 401
    assert service.ask("GET", "/docs").status_code == 401
    assert service.ask("POST", "/v1/recommend", KEY, {}).status_code == 200
    assert service.ask("GET", "/health/live").status_code == 200
    page = service.ask("GET", "/openapi.json", KEY).json()
    assert page["components"]["securitySchemes"] == {"ApiKey": {"type": "apiKey", "in": "header", "name": HEADER}}
    keyed = {path for path, methods in page["paths"].items() for one in methods.values() if "security" in one}
    assert set(page["paths"]) - keyed == {"/health/live", "/health/ready"}
    service.state.close()


def test_all_routes_cannot_be_protected_without_a_key(source: ToySource) -> None:
    with pytest.raises(ConfigError, match="protect is 'all' without a key"):
        Service(Snapshots(toy("a"), source), key=None, protect="all")


def test_the_page_names_the_key_and_what_may_come_back(service: Service) -> None:
    page = service.ask("GET", "/openapi.json").json()
    for method, path in ROUTES:
        operation = page["paths"][path][method.lower()]
        assert operation["security"] == [{"ApiKey": []}]
        assert set(operation["responses"]) == ({"200", "401"} if method == "GET" else {"200", "401", "409", "504"})
    assert f'<input name="{HEADER}" data-in="header" type="password"' in service.ask("GET", "/docs").text


def test_a_key_is_read_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    key = read_api_key({"ENCOREC_API_KEY": "of the environment"}, str(file))
    assert key is not None
    assert key.opens(b"from the file")
    assert not key.opens(b"of the environment")
    assert "file" not in repr(key) + str(vars(key))
    file.write_text(" \n")
    for given in (str(file), str(tmp_path / "nothing")):
        with pytest.raises(ConfigError, match=r"is empty|cannot be read"):
            read_api_key({}, given)
    with pytest.raises(ConfigError, match="the API key in ENCOREC_API_KEY is empty"):
        read_api_key({"ENCOREC_API_KEY": ""})


def test_a_silent_worker_is_named(source: ToySource, tmp_path: Path) -> None:
    board = WorkerBoard(tmp_path, 0, 2)
    board.put(WorkerAnswer(worker=0, pid=1, model="a", call=1))
    admin = Admin(Snapshots(toy("a"), source), ApiKey("open sesame"), board, patience=0.2)
    scope = {"type": "http", "headers": [(b"x-api-key", b"open sesame")]}

    async def reload() -> Any:
        from starlette.requests import Request

        return await admin.reload(Request(scope))

    answer = asyncio.run(reload())
    assert answer.status_code == 504
    assert b'"silent":[1]' in answer.body


def test_what_is_torn_on_the_board_counts_as_silence(tmp_path: Path) -> None:
    board = WorkerBoard(tmp_path, 1, 3)
    assert [board.called(), board.call(), board.call(), board.called()] == [0, 1, 2, 2]
    board.put(WorkerAnswer(worker=1, pid=1, model="a", call=2))
    (tmp_path / "2.json").write_text("{")
    (tmp_path / "call").write_text("?")
    assert (board.called(), board.missing(2), len(board.answers())) == (0, [0, 2], 1)
