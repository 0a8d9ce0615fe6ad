from dataclasses import replace

import msgspec
import pytest
from tests.serving.toy_engine import DATA_END, ToyEngine

from encorec.pipeline.requests import Request

ALL = [242, 302, *range(1, 19)]


def event(name, **more):
    return {"event_id": name, "user_id": 17, "item_id": 242} | more


def test_an_answer_says_who_what_why_and_by_which_model(service):
    answer = service.post("/v1/recommend", {"user_id": 17, "k": 2}).json()
    request_id = answer.pop("request_id")
    assert len(request_id) == 32
    assert answer == {
        "user_id": 17,
        "items": [
            {"item_id": 242, "score": 20.0, "position": 1, "source": ["popularity"], "propensity": 1.0},
            {"item_id": 302, "score": 19.0, "position": 2, "source": ["popularity"], "propensity": 1.0},
        ],
        "model": "toy-1",
        "variants": {},
        "degraded": [],
        "unknown_ids": 0,
    }
    assert service.post("/v1/recommend", {}).json()["request_id"] != request_id


@pytest.mark.parametrize("user_id", [17, "17", 99_999, "new", "", -1, None, 2**63 - 1])
def test_every_user_is_served_and_named_as_asked(service, user_id):
    answer = service.post("/v1/recommend", {"user_id": user_id}).json()
    assert answer["user_id"] == user_id
    assert len(answer["items"]) == 10


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"k": 500}, ALL),
        ({"allow": [5, 302, 999]}, [302, 5]),
        ({"allow": []}, []),
        ({"allow": ["5"]}, [5]),
        ({"deny": [242], "k": 1}, [302]),
        ({"allow": [5, 6], "deny": [5, "x"]}, [6]),
        ({"history": [{"item_id": 242, "timestamp": 5}], "k": 1}, [302]),
        ({"deny": ALL[3:]}, ALL[:3]),
    ],
)
def test_exactly_the_eligible_items_are_shown(service, request_, expected):
    assert service.items(user_id=17, **request_) == expected


def test_unknown_ids_are_counted(service):
    request = {"allow": [242, 999], "deny": ["x"], "history": [{"item_id": 998, "timestamp": 5}]}
    assert service.post("/v1/recommend", request).json()["unknown_ids"] == 3


def test_an_event_counts_in_the_next_answer(service):
    assert service.items(user_id=17, k=1) == [242]
    assert service.post("/v1/events", {"events": [event("a")]}).json()["accepted"] == 1
    assert service.items(user_id=17, k=1) == [302]
    assert service.items(user_id="17", k=1) == [302]
    assert service.items(user_id=18, k=1) == [242]


def test_a_history_in_the_request_replaces_the_remembered_one(service):
    service.post("/v1/events", {"events": [event("a")]})
    assert service.items(user_id=17, k=1, history=[{"item_id": 302, "timestamp": 5}]) == [242]
    assert service.items(user_id=17, k=1, history=[]) == [242]


def test_a_batch_answers_in_order_as_one_by_one(service):
    service.post("/v1/events", {"events": [event("a")]})
    requests = [{"user_id": 17}, {"k": 3, "deny": [242]}, {"user_id": "x", "history": []}, {"user_id": 17, "k": 1}]
    answers = service.post("/v1/recommend/batch", {"requests": requests}).json()["answers"]
    single = [service.post("/v1/recommend", request).json() for request in requests]
    for one in (*answers, *single):
        one.pop("request_id")
    assert answers == single


def test_an_empty_batch_is_an_empty_answer(service):
    assert service.post("/v1/recommend/batch", {"requests": []}).json() == {"answers": []}


def test_explanations_of_the_engine_are_passed_on(service):
    answer = service.post("/v1/recommend", {"explain": True, "k": 1}).json()
    assert answer["items"][0]["explanation"].keys() == {"now"}


@pytest.mark.parametrize(
    ("clock", "now"),
    [("data-end", DATA_END), ("1998-04-22T23:10:38Z", DATA_END), ("2001-09-09T01:46:40.5Z", 1_000_000_001)],
)
def test_with_a_chosen_clock_the_answer_is_that_of_the_engine_at_this_moment(start_service, clock, now):
    service = start_service(clock=clock)
    answer = service.post("/v1/recommend", {"user_id": 17, "explain": True}).json()
    [alone] = ToyEngine().recommend([Request(user_id=17, explain=True)], now=now)
    assert answer["items"] == msgspec.to_builtins(alone.items)
    assert answer["items"][0]["explanation"]["now"] == now


def entry(item, timestamp):
    return {"item_id": item, "timestamp": timestamp}


def test_a_history_dated_after_a_standing_clock_counts_now(start_service):
    history = [entry(242, 4e9), entry(302, 5)]
    standing, real = start_service(clock="data-end"), start_service()
    assert standing.items(k=1, history=history) == [1]
    assert real.items(k=1, history=history) == [242]
    batch = standing.post("/v1/recommend/batch", {"requests": [{"k": 1, "history": history}]}).json()
    assert batch["answers"][0]["items"][0]["item_id"] == 1


def test_a_standing_clock_keeps_the_order_and_the_weights_of_a_history(start_service):
    engine = Listening()
    history = [entry(1, 4e9), entry(2, 3e9) | {"weight": 2.5}, entry(3, 3e9), entry(4, 5.5), entry(999, 4e9)]
    start_service(engine, clock="data-end").items(history=history)
    now = DATA_END - 1
    assert engine.heard == [(4, 5.5, 1.0), (2, now, 2.5), (3, now, 1.0), (1, now, 1.0), (999, now, 1.0)]


class Listening(ToyEngine):
    """Remembers the history that it was asked with last."""

    def recommend(self, requests, states=None, **how):
        self.heard = [(one.item_id, one.timestamp, one.weight) for one in requests[-1].history or ()]
        return super().recommend(requests, states, **how)


def test_placement_and_deadline_change_nothing_where_there_is_time(service):
    wishes = [{}, {"placement": "home", "deadline_ms": 50_000}, {"deadline_ms": 1e9}, {"deadline_ms": None}]
    answers = service.post("/v1/recommend/batch", {"requests": wishes}).json()["answers"]
    answers += [service.post("/v1/recommend", wish).json() for wish in wishes]
    assert len({str(answer["items"]) for answer in answers}) == 1
    assert all(answer["degraded"] == [] for answer in answers)


def test_ids_have_the_type_of_the_data(start_service):
    service = start_service(ToyEngine([f"tt{i}" for i in range(5)]))
    assert service.items(k=2) == ["tt0", "tt1"]
    numbered = start_service(ToyEngine(["7", "8"]))
    assert numbered.items(deny=[7]) == ["8"]


class TestWhenTheStateFails:
    def test_the_answer_is_given_without_it_and_says_so(self, service):
        service.state.close()
        answer = service.post("/v1/recommend", {"user_id": 17, "k": 1}).json()
        assert answer["degraded"] == ["state"]
        assert [item["item_id"] for item in answer["items"]] == [242]

    def test_in_a_batch_only_those_who_needed_it_are_degraded(self, service):
        service.state.close()
        requests = [{"user_id": 17}, {}, {"user_id": 17, "history": []}]
        answers = service.post("/v1/recommend/batch", {"requests": requests}).json()["answers"]
        assert [answer["degraded"] for answer in answers] == [["state"], [], []]

    def test_events_are_refused_for_now(self, service):
        service.state.close()
        answer = service.post("/v1/events", {"events": [event("a")]})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["path"] == "$"


class TestSimilar:
    def test_neighbours_of_an_item_best_first(self, service):
        answer = service.post("/v1/similar", {"item_id": 242, "k": 2}).json()
        assert answer["items"] == [
            {"item_id": 302, "score": -1, "position": 1},
            {"item_id": 1, "score": -2, "position": 2},
        ]
        assert (answer["item_id"], answer["model"]) == (242, "toy-1")

    def test_only_what_is_allowed_and_not_denied(self, service):
        answer = service.post("/v1/similar", {"item_id": "242", "allow": [302, 1, 2, 999], "deny": [1]}).json()
        assert [item["item_id"] for item in answer["items"]] == [302, 2]

    def test_an_unknown_item_is_a_404_at_its_place(self, service):
        answer = service.post("/v1/similar", {"item_id": 999})
        assert answer.status_code == 404
        assert answer.json() == {"error": {"message": "item 999 is not known to snapshot toy-1", "path": "$.item_id"}}


class TestCourse:
    ROUTES = pytest.mark.parametrize("route", ["/api/v1/recommend_for_user", "/api/v1/recommend_bruteforce"])

    @ROUTES
    @pytest.mark.parametrize(
        ("whitelist", "expected"),
        [([], ALL[:10]), ([302, 5], [302, 5]), ([302, 999], [302]), ([999], []), (list(range(-50, 3)), [1, 2])],
    )
    def test_the_whitelist_is_kept_to_and_empty_means_all(self, service, route, whitelist, expected):
        answer = service.post(route, {"user_id": 17, "item_whitelist": whitelist})
        assert answer.status_code == 200
        assert answer.json() == {"user_id": 17, "item_ids": expected}

    @ROUTES
    def test_unknown_users_are_served_and_events_count(self, service, route):
        assert service.post(route, {"user_id": 10**9}).json()["item_ids"] == ALL[:10]
        service.post("/v1/events", {"events": [event("a", user_id=10**9)]})
        assert service.post(route, {"user_id": 10**9}).json()["item_ids"] == ALL[1:11]

    @ROUTES
    @pytest.mark.parametrize("body", [{}, {"user_id": "17"}, {"user_id": 1.5}, {"user_id": 1, "item_whitelist": None}])
    def test_another_form_is_refused(self, service, route, body):
        assert service.post(route, body).status_code == 422


class TestLookups:
    def test_popular_items(self, service):
        assert service.get("/v1/popular?k=3").json() == {"item_ids": ALL[:3], "model": "toy-1"}
        assert len(service.get("/v1/popular").json()["item_ids"]) == 10

    def test_an_item_has_a_title(self, service):
        assert service.get("/v1/items/242").json() == {"item_id": 242, "title": "Film 242"}
        assert service.get("/v1/items/999").status_code == 404

    def test_ids_may_hold_slashes(self, start_service):
        service = start_service(ToyEngine(["a/b", "c"]))
        assert service.get("/v1/items/a/b").json() == {"item_id": "a/b", "title": "Film a/b"}

    def test_a_user_is_what_training_and_events_say(self, service):
        service.post("/v1/events", {"events": [event("a", timestamp=100, value=2), event("b", timestamp=4e9)]})
        assert service.get("/v1/users/17").json() == {
            "user_id": 17,
            "trained": True,
            "training": {"events": 0, "last": []},
            "events": [{"item_id": 242, "timestamp": 100.0, "weight": 2.0}],
            "seen": 1,
        }
        assert service.get("/v1/users/new").json() == {
            "user_id": "new",
            "trained": False,
            "training": None,
            "events": [],
            "seen": 0,
        }

    def test_a_user_of_the_training_data_has_a_past(self, service):
        training = service.get("/v1/users/1").json()["training"]
        assert training == {
            "events": 2,
            "last": [
                {"item_id": 302, "timestamp": DATA_END - 100.0, "weight": 1.0},
                {"item_id": 242, "timestamp": DATA_END - 1.0, "weight": 1.0},
            ],
        }

    def test_of_a_long_past_the_end_is_shown(self, service):
        training = service.get("/v1/users/2").json()["training"]
        assert training["events"] == 18
        assert [event["item_id"] for event in training["last"]] == list(range(9, 19))

    def test_a_clock_before_the_end_of_the_data_hides_what_came_later(self, start_service):
        service = start_service(clock="1998-04-22T23:10:00Z")
        assert [event["item_id"] for event in service.get("/v1/users/1").json()["training"]["last"]] == [302]

    def test_an_artifact_without_histories_says_so(self, start_service):
        engine = ToyEngine()
        engine.artifact = replace(engine.artifact, histories=None)
        answer = start_service(engine).get("/v1/users/1").json()
        assert (answer["trained"], answer["training"]) == (True, None)


class TestHealth:
    def test_ready_only_between_warm_up_and_shutdown(self, service):
        assert service.get("/health/ready").json() == {"status": "ready", "model": "toy-1"}
        service.stop()
        answer = service.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "starting")
        assert service.get("/health/live").json() == {"status": "live", "model": "toy-1"}

    def test_an_engine_that_cannot_answer_is_never_started(self, start_service):
        class Broken(ToyEngine):
            def popular(self, k):
                raise ArithmeticError("no popularity")

        with pytest.raises(ArithmeticError):
            start_service(Broken())
