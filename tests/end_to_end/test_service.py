"""The trained artifact behind HTTP, as processes: fresh events count, nobody goes without, the end is clean."""

from pathlib import Path

from tests.end_to_end.service import Service


def event(name: str, user: str, item: str) -> dict[str, str]:
    return {"event_id": name, "user_id": user, "item_id": item}


def test_an_event_changes_the_next_answer_and_its_item_is_not_shown_again(service: Service) -> None:
    before = service.ids(user_id="fan")
    assert "f001" not in before[:3]
    answer = service.post("/v1/events", {"events": [event("fan-1", "fan", "f000")]})
    assert (answer["accepted"], answer["rejected"]) == (1, [])
    after = service.ids(user_id="fan")
    assert after != before
    assert "f000" not in after
    assert "f001" in after[:3], "the next part of the series"


def test_events_one_by_one_lead_through_a_series(service: Service) -> None:
    seen = []
    for place in range(3):
        item = f"f{6 + place:03d}"
        seen.append(item)
        service.post("/v1/events", {"events": [event(f"step-{place}", "walker", item)]})
        shown = service.ids(user_id="walker", k=500)
        assert set(shown).isdisjoint(seen)
        assert f"f{7 + place:03d}" in shown[:3]


def test_an_unknown_user_and_a_guest_get_a_full_answer(service: Service) -> None:
    for question in ({"user_id": "never seen"}, {}, {"user_id": "v299"}):
        assert len(service.ids(**question)) == 10


def test_an_allow_list_of_one_percent_is_filled(service: Service) -> None:
    assert sorted(service.ids(user_id="never seen", allow=["f100", "f140"])) == ["f100", "f140"]


def test_explained_items_name_their_reason(service: Service) -> None:
    service.post("/v1/events", {"events": [event("why-1", "curious", "f024")]})
    answer = service.post("/v1/recommend", {"user_id": "curious", "explain": True, "allow": ["f025"]})
    [item] = answer["items"]
    assert item["explanation"]["because"] == ["f024"]
    assert item["explanation"]["features"]["user_events"] == 1
    assert item["explanation"]["contributions"]


def test_a_known_item_has_its_title(service: Service) -> None:
    assert service.get("/v1/items/f003") == {"item_id": "f003", "title": "Part 3"}


def test_readiness_and_the_documentation_name_the_model(service: Service) -> None:
    health = service.get("/health/ready")
    assert health["status"] == "ready"
    assert service.post("/v1/recommend", {})["model"] == health["model"]
    assert "/v1/recommend" in service.get("/openapi.json")["paths"]


def test_state_outlives_the_process(project: Path, tmp_path: Path) -> None:
    """Both ends are by SIGTERM; the service checks that the exit code is 0."""
    for _ in range(2):
        with Service(tmp_path, project / "artifact", "--clock", "data-end") as running:
            shown = running.ids(user_id="fan")
            running.post("/v1/events", {"events": [event("fan-1", "fan", "f000")]})
    assert "f001" in shown[:3]
    assert "f000" not in shown


def test_at_the_real_clock_the_age_of_the_data_is_said_aloud(project: Path, tmp_path: Path) -> None:
    with Service(tmp_path, project / "artifact") as running:
        assert len(running.ids(user_id="v007")) == 10
    assert "note: the data end on 2025-01-1" in running.log.read_text()
