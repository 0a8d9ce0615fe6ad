"""Serve with exploration, let users click, and judge: by off-policy evaluation, and by the experiment itself.

Users click by chances that the test knows, so both must find what it knows: off-policy evaluation learns from the arm
that explores what the arm that does not explore earns.
"""

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from tests.end_to_end.project import encorec, succeeded
from tests.end_to_end.service import Service

from encorec.evaluation.offpolicy.impressions import log_of
from encorec.experiment.assignment.draw import assign
from encorec.experiment.spec import load_spec
from encorec.pipeline.chances import seed_of
from encorec.pipeline.engine import load_engine
from encorec.pipeline.requests import Chance, Request

USERS, HEAD, TEMPERATURE, K = 3000, 8, 1.5, 3  # so warm that slates of any order count as 430 to 600 equal ones
SHELF = [f"f{row:03d}" for row in range(HEAD)]
SPEC = """
name = "certain-slates"

[variants]
control = 0.6
treatment = 0.4

[[metric]]
name = "clicks_per_user"
value = "clicks"
role = "primary"
"""


class World(NamedTuple):
    """What was served and clicked: tables of the logs, and the chance of a click by item, best ranked first."""

    folder: Path
    answers: list[dict[str, Any]]
    clicks: pl.DataFrame
    chance: dict[str, float]

    @property
    def impressions(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "tables" / "impressions" / "*.parquet")


@pytest.fixture(scope="module")
def world(project: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everybody is new, so the ranking of the shelf is one and the same; the better an item stands, the likelier."""
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "certain.toml").write_text(SPEC)
    (folder / "certain.variants.toml").write_text("[variant.treatment]\ntemperature = 0\n")
    options = ("--clock", "data-end", "--logs", "logs", "--experiments", "certain.toml")
    with Service(folder, project / "artifact", *options, "--explore", f"main={TEMPERATURE}:{HEAD}") as service:
        order = service.ids(allow=SHELF, k=HEAD, placement="elsewhere")
        assert sorted(order) == SHELF
        chance = {item: 0.6 - 0.07 * place for place, item in enumerate(order)}
        answers = served(service)
        clicks = clicked(service, answers, chance)
    succeeded(folder, "logs", "compact", "logs", "--out", "tables")
    return World(folder, answers, clicks, chance)


def served(service: Service) -> list[dict[str, Any]]:
    requests = [{"user_id": f"new-{one}", "allow": SHELF, "k": K} for one in range(USERS)]
    return [
        answer
        for start in range(0, USERS, 250)
        for answer in service.post("/v1/recommend/batch", {"requests": requests[start : start + 250]})["answers"]
    ]


def clicked(service: Service, answers: Sequence[dict[str, Any]], chance: dict[str, float]) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    events = [
        {
            "event_id": f"{answer['request_id']}-{item['item_id']}",
            "user_id": answer["user_id"],
            "item_id": item["item_id"],
            "type": "click",
            "request_id": answer["request_id"],
        }
        for answer in answers
        for item in answer["items"]
        if rng.random() < chance[item["item_id"]]
    ]
    for start in range(0, len(events), 1000):
        told = service.post("/v1/events", {"events": events[start : start + 1000]})
        assert told["rejected"] == []
    return pl.DataFrame(events)


def test_users_are_assigned_as_offline_analysis_assigns(world: World) -> None:
    spec = load_spec(world.folder / "certain.toml")
    offline = assign(spec, [answer["user_id"] for answer in world.answers]).names.to_list()
    assert [answer["variants"] for answer in world.answers] == [{"certain-slates": one} for one in offline]
    assert offline.count("treatment") == pytest.approx(0.4 * USERS, abs=120)


def test_one_arm_explores_and_the_other_does_not(world: World) -> None:
    best = list(world.chance)[:K]
    for answer in world.answers:
        items = [item["item_id"] for item in answer["items"]]
        chances = [item["propensity"] for item in answer["items"]]
        if answer["variants"]["certain-slates"] == "treatment":
            assert (items, chances) == (best, [1.0] * K)
        else:
            assert all(0 < one < 1 for one in chances)
    assert len({tuple(item["item_id"] for item in answer["items"]) for answer in world.answers}) > 100


def test_the_log_says_what_was_answered_and_the_slates_can_be_drawn_again(world: World, project: Path) -> None:
    shown = {row["request_id"]: row for row in world.impressions.iter_rows(named=True)}
    engine = load_engine(project / "artifact")
    for answer in world.answers[:200]:
        row = shown[answer["request_id"]]
        assert row["items"] == [item["item_id"] for item in answer["items"]]
        assert row["propensities"] == [item["propensity"] for item in answer["items"]]
        variant = answer["variants"]["certain-slates"]
        assert row["variants"] == [{"experiment": "certain-slates", "variant": variant}]
        temperature = TEMPERATURE if variant == "control" else 0.0
        chance = Chance(temperature=temperature, seed=seed_of(row["request_id"]), head=HEAD)
        request = Request(user_id=answer["user_id"], allow=tuple(SHELF), k=K)
        [again] = engine.recommend([request], chances=[chance])
        assert [(item.item_id, item.propensity) for item in again.items] == [
            (item["item_id"], item["propensity"]) for item in answer["items"]
        ]


def explored(world: World) -> pl.DataFrame:
    """The off-policy log of the arm that explores: from the tables that the service's logs became."""
    arm = pl.element().struct.field("variant") == "control"
    impressions = world.impressions.filter(pl.col("variants").list.eval(arm).list.any())
    events = pl.read_parquet(world.folder / "tables" / "events" / "*.parquet")
    return log_of(impressions, events)


def estimate(world: World, log: pl.DataFrame, *options: str) -> dict[str, Any]:
    log.write_parquet(world.folder / "log.parquet")
    run = succeeded(world.folder, "ope", "--log", "log.parquet", "--resamples", "300", "--json", *options)
    return json.loads(run.stdout)


def refuse_far(found: dict[str, Any], truth: float) -> None:
    """The truth lies within the interval, widened from 1.96 to 4.5 standard errors: names of requests are random."""
    low, high = found["ci95"]
    assert abs(found["value"] - truth) < 4.5 * (high - low) / 3.92, (found, truth)
    assert high - low < truth


def test_off_policy_evaluation_learns_from_one_arm_what_the_other_earns(world: World) -> None:
    """The first place: what it would earn to show always the best item is known, and the other arm has shown it."""
    best, chance = next(iter(world.chance.items()))
    pl.DataFrame(
        {"action": list(world.chance), "probability": [float(item == best) for item in world.chance]}
    ).write_csv(world.folder / "policy.csv")
    found = estimate(world, explored(world).filter(pl.col("position") == 1).drop("position"), "--policy", "policy.csv")
    for name in ("ips", "snips"):
        refuse_far(found["estimators"][name], chance)
    earned = _clicks(world, "treatment", best)
    assert abs(found["estimators"]["snips"]["value"] - earned) < 0.15


def _clicks(world: World, variant: str, item: str) -> float:
    """Share of the answers of a variant whose first item was ``item`` and was clicked."""
    clicked = set(world.clicks.select("request_id", "item_id").iter_rows())
    arm = [one for one in world.answers if one["variants"]["certain-slates"] == variant]
    return float(np.mean([(one["request_id"], item) in clicked for one in arm if one["items"][0]["item_id"] == item]))


def test_whole_slates_of_another_policy_are_judged_too(world: World) -> None:
    """Slates of the shelf in any order, all alike: three places earn three times the mean chance of a click."""
    log = explored(world).with_columns(target_probability=1 / (HEAD + 1 - pl.col("position")))
    found = estimate(world, log)
    truth = K * float(np.mean(list(world.chance.values())))
    refuse_far(found["estimators"]["rips"], truth)


def test_wrong_propensities_are_found_out(world: World) -> None:
    log = explored(world).filter(pl.col("position") == 1).drop("position").with_columns(propensity=pl.lit(0.5))
    uniform = pl.DataFrame({"action": SHELF, "probability": [1 / HEAD] * HEAD})
    uniform.write_csv(world.folder / "uniform.csv")
    log.write_parquet(world.folder / "wrong.parquet")
    run = encorec(world.folder, "ope", "--log", "wrong.parquet", "--policy", "uniform.csv", "--resamples", "100")
    assert run.returncode == 3, run.stdout


def earned_by_chance(world: World) -> float:
    """Expected clicks of a slate of the arm that explores, over all slates; the chances of the first place say how."""
    first = {
        answer["items"][0]["item_id"]: answer["items"][0]["propensity"]
        for answer in world.answers
        if answer["variants"]["certain-slates"] == "control"
    }
    assert sum(first.values()) == pytest.approx(1, rel=1e-5), "every item of the head has stood in front"
    total = 0.0
    for slate in permutations(first, K):
        left, chance = 1.0, 1.0
        for item in slate:
            chance *= first[item] / left
            left -= first[item]
        total += chance * sum(world.chance[item] for item in slate)
    return total


def test_the_experiment_is_analysed_from_the_exposures_of_the_log(world: World) -> None:
    succeeded(world.folder, "logs", "exposures", "tables", "certain.toml", "--out", "exposures.csv")
    met = pl.read_csv(world.folder / "exposures.csv")
    assert len(met) == USERS
    clicks = world.clicks.group_by("user_id").agg(clicks=pl.len())
    metrics = (
        met.select(user_id="unit").join(clicks, on="user_id", how="left").with_columns(pl.col("clicks").fill_null(0))
    )
    metrics.write_csv(world.folder / "metrics.csv")
    tables = ("--exposures", "exposures.csv", "--metrics", "metrics.csv")
    run = succeeded(world.folder, "experiment", "analyze", "certain.toml", *tables, "--final", "--json")
    content = json.loads(run.stdout)
    [effect] = [one for one in content["metrics"] if one["name"] == "clicks_per_user"]
    truth = sum(list(world.chance.values())[:K]) - earned_by_chance(world)
    assert truth > 0.05
    assert abs(effect["effect"] - truth) < 4.5 * effect["se"]
    assert content["checks"]["srm"]["p"] > 1e-6
