"""The same artifact and the same question: notebook, batch command and HTTP give identical items and scores."""

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from tests.end_to_end.project import succeeded
from tests.end_to_end.service import Service

from encorec.pipeline.engine import Engine, load_engine
from encorec.pipeline.requests import PastEvent, Request, UserState

USERS = [*(f"v{row:03d}" for row in range(0, 300, 7)), "v299", "somebody new"]
K = 12


@pytest.fixture(scope="module")
def engine(project: Path) -> Engine:
    return load_engine(project / "artifact")


@pytest.fixture(scope="module")
def notebook(engine: Engine) -> dict[str, list[tuple[Any, float]]]:
    answers = engine.recommend([Request(user_id=user, k=K) for user in USERS])
    return {str(answer.user_id): [(item.item_id, item.score) for item in answer.items] for answer in answers}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_batch_command_gives_what_the_notebook_gives(
    project: Path, notebook: dict[str, list[tuple[Any, float]]], suffix: str, tmp_path: Path
) -> None:
    (tmp_path / "users.txt").write_text("\n".join(USERS))
    out = tmp_path / f"slates.{suffix}"
    options = ("--users", tmp_path / "users.txt", "--out", out, "-k", K, "--clock", "data-end")
    succeeded(project, "recommend", "artifact", *options)
    frame = pl.read_csv(out) if suffix == "csv" else pl.read_parquet(out)
    assert frame["rank"].to_list() == [*range(1, K + 1)] * len(USERS)
    rows = frame.group_by("user_id", maintain_order=True).agg("item_id", "score").rows()
    given = {user: list(zip(items, scores, strict=True)) for user, items, scores in rows}
    assert given == notebook


def test_http_gives_what_the_notebook_gives(service: Service, notebook: dict[str, list[tuple[Any, float]]]) -> None:
    assert {user: service.items(user_id=user, k=K) for user in USERS} == notebook


def test_a_batch_over_http_gives_what_the_notebook_gives(
    service: Service, notebook: dict[str, list[tuple[Any, float]]]
) -> None:
    requests = [{"user_id": user, "k": K} for user in USERS]
    answers = service.post("/v1/recommend/batch", {"requests": requests})["answers"]
    given = {one["user_id"]: [(item["item_id"], item["score"]) for item in one["items"]] for one in answers}
    assert given == notebook


QUESTIONS: dict[str, dict[str, Any]] = {
    "an allow-list of 1 %": {"user_id": "v007", "allow": ["f140", "f141"]},
    "a deny-list": {"user_id": "v007", "deny": [f"f{row:03d}" for row in range(96)]},
    "a history in the request": {"history": [{"item_id": "f000", "timestamp": 1_730_000_000}], "k": 5},
    "user features": {"user_id": "nobody", "user": {"age": 70, "sex": "F"}},
    "all there is": {"user_id": "v007", "k": 500},
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_every_kind_of_question_is_answered_alike(service: Service, engine: Engine, case: str) -> None:
    question = QUESTIONS[case]
    [answer] = engine.recommend([msgspec.convert(question, Request)])
    assert answer.items
    assert service.items(**question) == [(item.item_id, item.score) for item in answer.items]


def test_after_an_event_http_gives_what_the_notebook_gives_with_that_state(service: Service, engine: Engine) -> None:
    now = engine.artifact.data_end
    event = {"event_id": "parity-1", "user_id": "v014", "item_id": "f012", "timestamp": now - 100, "value": 2.0}
    service.post("/v1/events", {"events": [event]})
    state = UserState((PastEvent("f012", float(now - 100), 2.0),), ("f012",))
    [answer] = engine.recommend([Request(user_id="v014")], [state], now=now)
    assert service.items(user_id="v014") == [(item.item_id, item.score) for item in answer.items]


def test_similar_items_are_the_same(service: Service, engine: Engine) -> None:
    given = service.post("/v1/similar", {"item_id": "f006", "k": 8})["items"]
    assert [(one["item_id"], one["score"]) for one in given] == [
        (one.item_id, one.score) for one in engine.similar("f006", 8)
    ]
