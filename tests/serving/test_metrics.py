"""What is counted, against the parser of the Prometheus client; and what workers count together."""

import math
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from tests.serving.toy_engine import ToyEngine

from encorec.data.vocabulary import Vocabulary
from encorec.errors import ConfigError
from encorec.pipeline.requests import Recommended
from encorec.serving.http.answers import EventsAnswer, RecommendAnswer, RejectedEvent
from encorec.serving.operations.cells import CAPACITY, MetricCells
from encorec.serving.operations.drift import WINDOW, ShownItems
from encorec.serving.operations.exposition import Family, Sample, exposition
from encorec.serving.operations.families import FAMILIES
from encorec.serving.operations.metrics import Metrics
from encorec.serving.state.sqlite_state import SqliteState
from encorec.serving.state.store import StateError


def read(text):
    """(name, labels without the worker) -> value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "worker"}
            found[sample.name, *sorted(labels.items())] = sample.value
    return found


def slate(*item_ids, degraded=(), source=("als",), model="toy-1", variants=None):
    items = [
        Recommended(item_id=one, score=1.0, position=place, source=list(source), propensity=1.0)
        for place, one in enumerate(item_ids, 1)
    ]
    told = {"model": model, "degraded": list(degraded), "variants": variants or {}}
    return RecommendAnswer(request_id="r", user_id=1, items=items, unknown_ids=2, **told)


def test_variants_are_counted_apart():
    metrics = Metrics()
    both = {"shelf": "treatment", "mail": "a"}
    metrics.answered(slate(1, 2, 3, degraded=["state", "ranker"], variants=both), k=3)
    metrics.answered(slate(4, 5, variants={"shelf": "treatment"}), k=3)
    metrics.answered(slate(6, variants={"shelf": "control"}), k=1)
    metrics.answered(slate(7, 8), k=2)
    found = {name: value for name, value in read(metrics.text()).items() if "_variant_" in name[0]}
    a, control, treatment = (
        (("experiment", "mail"), ("variant", "a")),
        (("experiment", "shelf"), ("variant", "control")),
        (("experiment", "shelf"), ("variant", "treatment")),
    )
    degraded = {
        ("encorec_variant_degraded_total", one[0], ("reason", reason), one[1]): 1
        for one in (a, treatment)
        for reason in ("ranker", "state")
    }
    assert found == degraded | {
        ("encorec_variant_answers_total", *a): 1,
        ("encorec_variant_answers_total", *control): 1,
        ("encorec_variant_answers_total", *treatment): 2,
        ("encorec_variant_shown_total", *a): 3,
        ("encorec_variant_shown_total", *control): 1,
        ("encorec_variant_shown_total", *treatment): 5,
    }


def test_what_is_counted_is_told():
    metrics = Metrics()
    metrics.begun()
    metrics.begun()
    metrics.ended("/v1/recommend", 200, 0.0021)
    metrics.answered(slate(242, 302, degraded=["state"], source=("als", "popularity")), k=3)
    metrics.shed()
    metrics.log_dropped("impressions", 5)
    metrics.events(EventsAnswer(accepted=3, duplicates=2, future=1, rejected=[RejectedEvent(0, "x")]))
    metrics.state_error("read")
    metrics.candidates({"als": 100, "popularity": 50})
    metrics.stage("rank", 0.0006)
    found = read(metrics.text())
    assert found["encorec_requests_in_flight",] == 1
    assert found["encorec_requests_total", ("route", "/v1/recommend"), ("status", "200")] == 1
    assert found["encorec_request_seconds_sum", ("route", "/v1/recommend")] == 0.0021
    assert found["encorec_request_seconds_bucket", ("le", "0.002"), ("route", "/v1/recommend")] == 0
    assert found["encorec_request_seconds_bucket", ("le", "0.003"), ("route", "/v1/recommend")] == 1
    assert found["encorec_degraded_total", ("reason", "state")] == 1
    assert found["encorec_shown_total", ("source", "popularity")] == 2
    assert found["encorec_candidates_total", ("source", "als")] == 100
    assert found["encorec_short_total",] == found["encorec_answers_total",] == found["encorec_shed_total",] == 1
    assert found["encorec_unknown_ids_total",] == 2
    assert found["encorec_log_dropped_total", ("log", "impressions")] == 5
    assert found["encorec_state_errors_total", ("action", "read")] == 1
    outcomes = {
        one: found["encorec_events_total", ("outcome", one)] for one in ("accepted", "duplicate", "future", "rejected")
    }
    assert list(outcomes.values()) == [3, 2, 1, 1]


@given(
    st.lists(st.floats(0, 10), max_size=30),
    st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=9),
)
def test_a_histogram_agrees_with_counting(seconds, stage):
    metrics, bounds = Metrics(), FAMILIES["encorec_stage_seconds"].bounds
    for one in seconds:
        metrics.stage(stage, one)
    found = read(metrics.text())
    for bound in bounds if seconds else ():
        told = [value for key, value in found.items() if key[0].endswith("_bucket") and ("le", repr(bound)) in key]
        assert told == [sum(one <= bound for one in seconds)]
    assert sum(value for key, value in found.items() if key[0] == "encorec_stage_seconds_count") == len(seconds)
    if seconds:
        assert math.isclose(found["encorec_stage_seconds_sum", ("stage", stage)], math.fsum(seconds), abs_tol=1e-9)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30))
def test_labels_of_any_text_can_be_read_back(text):
    told = exposition({"tea": Family("tea", "gauge", text)}, {"tea": [Sample((("kind", text),), [1.5])]})
    [family] = text_string_to_metric_families(told)
    assert [one.labels for one in family.samples] == [{"kind": text}]


WORKER = """
import sys
from encorec.serving.operations.metrics import Metrics
from tests.serving.toy_engine import ToyEngine
from tests.serving.test_metrics import slate
metrics = Metrics(sys.argv[1])
metrics.serving(ToyEngine())
for _ in range(int(sys.argv[2])):
    metrics.ended("/", 200, 0.001)
    metrics.answered(slate(int(sys.argv[3]), 302), 2)
metrics.refresh()
"""


def test_workers_count_together_and_what_a_dead_one_counted_stays(tmp_path):
    own = Metrics(tmp_path)
    own.serving(ToyEngine())
    for times, item in ((3, 242), (4, 1)):
        run = [sys.executable, "-c", WORKER, str(tmp_path), str(times), str(item)]
        subprocess.run(run, check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    own.ended("/", 200, 0.001)
    found = read(own.text())
    assert found["encorec_requests_total", ("route", "/"), ("status", "200")] == 8
    assert found["encorec_request_seconds_count", ("route", "/")] == 8
    assert found["encorec_shown_catalogue_share", ("snapshot", "toy-1")] == 3 / 20
    assert found["encorec_shown_places", ("snapshot", "toy-1")] == 14
    gauges = [line for line in own.text().splitlines() if line.startswith("encorec_requests_in_flight{")]
    assert len(gauges) == 1, "gauges are those of workers that run"


def test_files_that_are_half_written_are_let_be(tmp_path):
    own = Metrics(tmp_path)
    own.shed()
    (tmp_path / "1-a.cells").write_bytes(b"\0" * 100)
    (tmp_path / "2-b.cells").write_bytes(b"\0" * CAPACITY * 8)
    (tmp_path / "2-b.names").write_bytes(b'{"family":"encorec_shed_total","labels":[],"start":0,"size":1}\n{"fam')
    assert read(own.text())["encorec_shed_total",] == 1


def test_a_label_with_too_many_values_does_not_cost_more(tmp_path):
    metrics = Metrics(tmp_path)
    for one in range(CAPACITY + 100):
        metrics.ended(f"/{one}", 200, 0.1)
    found = read(metrics.text())
    assert found["encorec_labels_refused",] > CAPACITY
    assert found["encorec_requests_total", ("route", "/0"), ("status", "200")] == 1
    assert sum(key[0] == "encorec_request_seconds_count" for key in found) > 100


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="metrics cannot be kept there"):
        MetricCells(tmp_path / "taken")


@pytest.mark.parametrize("kept", [False, True])
@given(slates=st.lists(st.tuples(st.lists(st.integers(0, 11), max_size=4), st.floats(0, 900)), max_size=30))
def test_drift_agrees_with_counting(tmp_path_factory, kept, slates):
    items, popular = Vocabulary(np.arange(10)), [3, 1, 4]
    folder = tmp_path_factory.mktemp("drift")
    shown = ShownItems(items, popular, folder / "own.shown" if kept else None)
    other = ShownItems(items, popular, folder / "other.shown" if kept else None)
    now, counted = 0.0, Counter()
    told = []
    for place, (ids, wait) in enumerate(slates):
        now += wait
        one = (shown, other)[place % 2]
        one.add(ids, at=now)
        one.count(at=now)
        told.append((int(now // WINDOW), place % 2, ids))
    for window, who, ids in told:
        if window >= int(now // WINDOW) - 1 and (kept or not who):
            counted.update(one for one in ids if one < 10)
    figures = shown.figures(folder.glob("*.shown") if kept else (), at=now)
    order = [3, 1, 4, 0, 2, 5, 6, 7, 8, 9]
    places = sum(counted.values())
    assert figures.places == places
    assert figures.catalogue_share == len(counted) / 10
    if places:
        assert math.isclose(
            figures.popularity, sum(count * (1 - order.index(one) / 10) for one, count in counted.items()) / places
        )
        chances = [count / places for count in counted.values()]
        assert math.isclose(figures.entropy, -sum(one * math.log2(one) for one in chances), abs_tol=1e-9)


def test_a_new_snapshot_is_told_and_its_drift_starts_anew(tmp_path):
    class Other(ToyEngine):
        def __init__(self):
            super().__init__()
            object.__setattr__(self.artifact, "snapshot_id", "toy-2")

    metrics = Metrics(tmp_path)
    metrics.serving(ToyEngine())
    metrics.answered(slate(242, 302), 2)
    metrics.serving(Other())
    metrics.answered(slate(242, model="toy-1"), 1)
    metrics.answered(slate(1, model="toy-2"), 1)
    found = read(metrics.text())
    assert found["encorec_snapshot_info", ("snapshot", "toy-1")] == 0
    assert found["encorec_snapshot_info", ("snapshot", "toy-2")] == 1
    assert found["encorec_shown_places", ("snapshot", "toy-2")] == 1
    assert len(list(tmp_path.glob("*.shown"))) == 1


class Away(SqliteState):
    def read(self, user_id, *, before):
        raise StateError("away")


def test_the_service_counts_what_it_does(start_service):
    service = start_service(state=Away(":memory:"))
    service.items(user_id=17, k=2)
    service.post("/v1/recommend", {"user_id": 17, "k": 0})
    service.post("/v1/recommend", b"{")
    service.get("/v1/items/242")
    service.get("/v1/items/none")
    service.get("/nowhere/at/all")
    service.post("/v1/events", {"events": [{"event_id": 1, "user_id": 2, "item_id": 242}, {}]})
    found = read(service.get("/metrics").text)

    def requests(route, status):
        return found["encorec_requests_total", ("route", route), ("status", str(status))]

    assert [requests("/v1/recommend", one) for one in (200, 400, 422)] == [1, 1, 1]
    assert [requests("/v1/items/{item_id}", one) for one in (200, 404)] == [1, 1]
    assert requests("other", 404) == 1
    assert found["encorec_degraded_total", ("reason", "state")] == 1
    assert found["encorec_state_errors_total", ("action", "read")] == 1
    assert found["encorec_events_total", ("outcome", "accepted")] == 1
    assert found["encorec_events_total", ("outcome", "rejected")] == 1
    assert found["encorec_snapshot_info", ("snapshot", "toy-1")] == 1
    assert found["encorec_shown_places", ("snapshot", "toy-1")] == 2
    assert found["encorec_stage_seconds_count", ("stage", "state")] == 1
    assert found["encorec_requests_in_flight",] == 1, "this very request"


def test_the_metrics_can_be_turned_off(start_service):
    assert start_service(metrics=False).get("/metrics").status_code == 404
