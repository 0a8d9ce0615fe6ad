"""Who answers a request, and with what left to chance: units, layers, placements, dates, overrides, snapshots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serving.specs import write_spec
from tests.serving.toy_engine import ToyEngine
from tests.worlds import Trained

from encorec.errors import ArtifactError, ConfigError
from encorec.experiment.assignment.draw import assign
from encorec.pipeline.chances import ExplorationConfig, seed_of
from encorec.pipeline.engine import Engine
from encorec.pipeline.requests import Chance, Request
from encorec.serving.experiments.rollouts import load_rollouts
from encorec.serving.experiments.variants import Plan, Variants, answer_planned
from encorec.serving.http.bodies import RecommendBody
from encorec.serving.snapshots.holder import ServedEngine


def variants(
    folder: Path, exploration: Mapping[str, ExplorationConfig] | None = None, load: Any = None, **specs: str
) -> Variants:
    """Experiments by name: what ``NAME.variants.toml`` says; each in a layer of its own."""
    for name, settings in specs.items():
        write_spec(folder, name, f'layer = "{name}"', settings=settings)
    return Variants(load_rollouts([folder]), exploration, load)


def plan(of: Variants, engine: ServedEngine | None = None, name: str = "r", moment: float = 0, **asked: Any) -> Plan:
    return of.plan(RecommendBody(**asked), name, engine or ENGINE, moment=moment)


ENGINE = ToyEngine()


def test_without_experiments_and_exploration_nothing_changes() -> None:
    assert plan(Variants(), user_id=17) == (ENGINE, {}, None)


def test_the_variant_is_that_of_offline_analysis(tmp_path: Path) -> None:
    of = variants(tmp_path, shelf="", row="")
    specs = {one.spec.name: one.spec for one in load_rollouts([tmp_path])}
    offline = {name: assign(spec, range(500)).names.to_list() for name, spec in specs.items()}
    for user in range(500):
        assert plan(of, user_id=user).variants == {name: offline[name][user] for name in specs}
        assert plan(of, user_id=str(user)).variants == plan(of, user_id=user).variants
    pairs = {(plan(of, user_id=one).variants["shelf"], plan(of, user_id=one).variants["row"]) for one in range(99)}
    assert len(pairs) == 4, "layers are independent"


def test_experiments_of_a_layer_exclude_each_other(tmp_path: Path) -> None:
    write_spec(tmp_path, "a", "share = 0.4")
    write_spec(tmp_path, "b", "layer_from = 0.4\nshare = 0.4")
    of = Variants(load_rollouts([tmp_path]))
    met = [tuple(plan(of, user_id=one).variants) for one in range(2000)]
    assert set(met) == {("a",), ("b",), ()}
    shares = [met.count(one) / 2000 for one in (("a",), ("b",), ())]
    assert shares == pytest.approx([0.4, 0.4, 0.2], abs=0.04)


def test_a_guest_is_assigned_by_the_session_or_not_at_all(tmp_path: Path) -> None:
    of = variants(tmp_path, shelf="")
    assert plan(of).variants == {}
    by_session = plan(of, session_id="s-1").variants
    assert by_session == plan(of, user_id="s-1").variants != {}
    users = [plan(of, user_id=one, session_id="s-1").variants for one in range(50)]
    assert users == [plan(of, user_id=one).variants for one in range(50)], "a user counts before the session"
    assert plan(of, user_id="").variants == {}


def test_where_sessions_are_randomised_users_do_not_count(tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", 'unit = "session_id"')
    of = Variants(load_rollouts([tmp_path]))
    assert plan(of, user_id=17).variants == {}
    assert {plan(of, user_id=17, session_id=f"s-{one}").variants["shelf"] for one in range(50)} == {
        "control",
        "treatment",
    }
    assert len({plan(of, user_id=one, session_id="s").variants["shelf"] for one in range(50)}) == 1


def test_dates_and_placements_bound_an_experiment(tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", 'start = "1970-01-02"\ndays = 1', settings='placements = ["main"]')
    of = Variants(load_rollouts([tmp_path]))
    met = [bool(plan(of, user_id=17, moment=one).variants) for one in (0, 86_399, 86_400, 172_799.9, 172_800)]
    assert met == [False, False, True, True, False]
    assert plan(of, user_id=17, moment=86_400, placement="mail").variants == {}


def test_requests_of_other_routes_are_left_alone(tmp_path: Path) -> None:
    of = variants(tmp_path, {"main": ExplorationConfig(temperature=1)}, shelf="")
    assert of.plan(Request(user_id=17), "r", ENGINE, moment=0) == (ENGINE, {}, None)


def test_temperature_and_head_come_from_the_variant_then_from_the_placement(tmp_path: Path) -> None:
    usual = {"main": ExplorationConfig(temperature=0.5, head=20), "calm": ExplorationConfig()}
    of = variants(tmp_path, usual, shelf="[variant.treatment]\ntemperature = 2\n[variant.control]\ntemperature = 0")
    arms = {plan(of, user_id=one).variants["shelf"]: one for one in range(50)}
    treated: dict[str, Any] = {"user_id": arms["treatment"]}
    assert plan(of, **treated).chance == Chance(temperature=2, seed=seed_of("r"), head=20)
    assert plan(of, **treated, placement="calm").chance == Chance(temperature=2, seed=seed_of("r"), head=50)
    assert plan(of, user_id=arms["control"]).chance is None
    assert plan(of, user_id=None).chance == Chance(temperature=0.5, seed=seed_of("r"), head=20)
    assert plan(of, placement="calm").chance is None
    assert plan(of, placement="elsewhere").chance is None
    assert plan(of, name="r-2").chance == Chance(temperature=0.5, seed=seed_of("r-2"), head=20)


def test_testers_may_be_in_two_experiments_of_a_layer_and_the_first_file_counts(tmp_path: Path) -> None:
    for name, places, degrees in (("a", "share = 0.5", 1), ("b", "layer_from = 0.5\nshare = 0.5", 2)):
        settings = f"[variant.treatment]\ntemperature = {degrees}"
        write_spec(tmp_path, name, places, overrides='tester = "treatment"', settings=settings)
    found = plan(Variants(load_rollouts([tmp_path])), user_id="tester")
    assert found.variants == {"a": "treatment", "b": "treatment"}
    assert found.chance is not None
    assert found.chance.temperature == 1


@pytest.fixture(scope="module")
def engine(trained: Trained) -> Engine:
    return trained.engine


def arms(of: Variants, engine: ServedEngine, name: str = "shelf") -> dict[str, Plan]:
    return {one.variants[name]: one for one in (plan(of, engine, user_id=user) for user in range(50))}


def shown(one: Plan, user: int = 7) -> list[Any]:
    [answer] = answer_planned([one], [RecommendBody(user_id=user)], [None], now=2_000_000_000)
    return [item.item_id for item in answer.items]


def test_a_variant_with_another_order_is_answered_in_that_order(tmp_path: Path, engine: Engine) -> None:
    source = next(iter(engine.artifact.pipeline.first.retrievers))
    of = variants(tmp_path, shelf=f'[variant.treatment]\norder = "{source}"')
    of.prepare(engine)
    found = arms(of, engine)
    assert found["control"].engine is engine
    assert found["treatment"].engine is arms(of, engine)["treatment"].engine, "made once"
    assert shown(found["control"]) != shown(found["treatment"])
    scores = engine.artifact.pipeline._ordered_by(source)  # pyright: ignore[reportPrivateUsage]
    by_hand = Engine(_with(engine, scores))
    [expected] = by_hand.recommend([Request(user_id=7)], now=2_000_000_000)
    assert shown(found["treatment"]) == [item.item_id for item in expected.items]


def _with(engine: Engine, pipeline: Any) -> Any:
    from dataclasses import replace

    return replace(engine.artifact, pipeline=pipeline)


def test_every_request_of_a_batch_gets_its_own_engine(tmp_path: Path, engine: Engine) -> None:
    of = variants(tmp_path, {"main": ExplorationConfig(temperature=1)}, shelf='[variant.treatment]\norder = "rrf"')
    requests = [RecommendBody(user_id=one, k=3 + one % 2) for one in range(40)]
    plans = [of.plan(one, f"r-{at}", engine, moment=0) for at, one in enumerate(requests)]
    assert len({id(one.engine) for one in plans}) == 2
    together = answer_planned(plans, requests, [None] * 40, now=2_000_000_000)
    for one, request, answer in zip(plans, requests, together, strict=True):
        assert answer_planned([one], [request], [None], now=2_000_000_000) == [answer]
        assert answer.user_id == request.user_id
    assert answer_planned([], [], [], now=1) == []


def test_two_experiments_together_change_both_things(tmp_path: Path, engine: Engine) -> None:
    order = '[variant.treatment]\norder = "rrf"\n[variant.control]\norder = "rrf"'
    selection = "[variant.treatment.selection]\npopularity = 5.0\n[variant.control.selection]\npopularity = 5.0"
    of = variants(tmp_path, row=order, shelf=selection)
    of.prepare(engine)
    both = plan(of, engine, user_id=3).engine.artifact
    assert isinstance(both, type(engine.artifact))
    assert both.pipeline.ranker is None
    assert both.pipeline.selector.config.popularity == 5  # pyright: ignore[reportAttributeAccessIssue]
    assert both.snapshot_id == engine.artifact.snapshot_id


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('order = "alz"', "unknown source 'alz'"),
        ("quotas.alz = 3", "unknown source 'alz'"),
        ("selection.strenth = 0.5", "unknown field 'strenth': did you mean 'strength'"),
        ("selection.strength = 5.0", "strength is 5.0, allowed is 0 to 1"),
        ("selection.caps.colour = 2", "colour"),
    ],
)
def test_what_the_engine_does_not_have_is_refused_before_it_serves(
    tmp_path: Path, engine: Engine, settings: str, message: str
) -> None:
    of = variants(tmp_path, shelf=f"[variant.treatment]\n{settings}")
    with pytest.raises(ConfigError) as error:
        of.prepare(engine)
    assert message in str(error.value)
    assert "shelf.variants.toml: variant 'treatment'" in str(error.value)


def test_an_engine_that_answers_in_one_way_only_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="answers in one way only"):
        variants(tmp_path, shelf='[variant.treatment]\norder = "als"').prepare(ENGINE)


def test_a_variant_can_be_answered_from_another_snapshot(tmp_path: Path) -> None:
    other = ToyEngine([901, 902, 903])
    of = variants(tmp_path, load={"older": other}.__getitem__, shelf='[variant.treatment]\nsnapshot = "older"')
    found = arms(of, ENGINE)
    assert (found["control"].engine, found["treatment"].engine) == (ENGINE, other)
    current = variants(tmp_path, load=lambda _: other, shelf='[variant.treatment]\nsnapshot = "toy-1"')
    assert arms(current, ENGINE)["treatment"].engine is ENGINE


def test_a_snapshot_that_cannot_be_loaded_stops_the_start(tmp_path: Path) -> None:
    def refuse(name: str) -> ServedEngine:
        raise ArtifactError(f"{name}: torn")

    settings = '[variant.treatment]\nsnapshot = "older"'
    with pytest.raises(ConfigError, match=r"shelf\.variants\.toml: snapshot 'older': older: torn"):
        variants(tmp_path, load=refuse, shelf=settings)
    with pytest.raises(ConfigError, match="the service was given one engine"):
        variants(tmp_path, shelf=settings)


def test_another_engine_is_prepared_for_when_it_takes_over(tmp_path: Path, engine: Engine) -> None:
    of = variants(tmp_path, shelf='[variant.treatment]\norder = "rrf"')
    before = arms(of, engine)["treatment"].engine
    successor = Engine(engine.artifact)
    assert arms(of, successor)["treatment"].engine is not before
    assert arms(of, engine)["control"].engine is engine


def test_too_many_combinations_are_refused(tmp_path: Path) -> None:
    many: dict[str, Any] = {f"e{one}": "" for one in range(6)}
    of = variants(tmp_path, **many)
    with pytest.raises(ConfigError, match="729 combinations of variants, allowed are 256"):
        of.prepare(ENGINE)


def test_slates_of_a_warm_variant_differ_and_carry_their_chances(tmp_path: Path, engine: Engine) -> None:
    of = variants(tmp_path, shelf="[variant.treatment]\ntemperature = 1\nhead = 12")
    user = next(one for one in range(50) if plan(of, engine, user_id=one).variants["shelf"] == "treatment")
    request, seen = RecommendBody(user_id=user, k=3), set[tuple[Any, ...]]()
    for one in range(60):
        [answer] = answer_planned([plan(of, engine, f"r-{one}", user_id=user)], [request], [None], now=2_000_000_000)
        seen.add(tuple(item.item_id for item in answer.items))
        assert all(0 < item.propensity < 1 for item in answer.items)
    assert len(seen) > 20
    assert len(np.unique([item for slate in seen for item in slate])) <= 12
