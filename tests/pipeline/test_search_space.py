"""Paths into a configuration: names with dots, defaults, and mistakes that are found before the work."""

from typing import Any

import msgspec
import pytest
from tests.worlds import small_run

from encorec.errors import ConfigError
from encorec.pipeline.search_space import Dimension, TuneConfig, check_space, space_of, value_at, with_values
from encorec.ranking.lightgbm_ranker import LightGBMConfig
from encorec.ranking.linear_ranker import LinearConfig
from encorec.ranking.registry import RankerConfig
from encorec.retrieval.als import ALSConfig
from encorec.retrieval.popularity import PopularityConfig
from encorec.workflow import RunConfig

RUN = small_run()
CONTENT: dict[str, Any] = {"ranker": {"depth": 4}}


@pytest.mark.parametrize(
    "ranker", [RUN.ranker, LightGBMConfig(), LightGBMConfig(objective="lambdarank"), LinearConfig()]
)
def test_the_usual_space_fits_every_ranker_and_holds_the_given_quotas(ranker: RankerConfig) -> None:
    run = small_run(ranker=ranker)
    space = space_of(TuneConfig(), run)
    check_space(msgspec.to_builtins(run), run, space, RunConfig)
    assert space["candidates.quotas.als"].choices == (20, 25, 50, 100, 200)
    assert all(value_at(run, path) is not None for path in space)


def test_names_with_dots_are_one_step() -> None:
    run = small_run(retrievers={"als.small": ALSConfig(embedding_size=4), "als": ALSConfig(), "p": PopularityConfig()})
    changed = with_values({}, run, {"retrievers.als.small.epochs": 2, "retrievers.als.epochs": 3})
    assert changed == {"retrievers": {"als.small": {"epochs": 2}, "als": {"epochs": 3}}}
    assert with_values({}, run, {"candidates.quotas.als.small": 5}) == {"candidates": {"quotas": {"als.small": 5}}}
    assert value_at(run, "retrievers.als.small.embedding_size") == 4


def test_what_is_given_stays_as_it_was() -> None:
    assert with_values(CONTENT, RUN, {"ranker.depth": 6, "seed": 3}) == {"ranker": {"depth": 6}, "seed": 3}
    assert CONTENT == {"ranker": {"depth": 4}}


MISTAKES: dict[str, tuple[str, Dimension, str]] = {
    "a misspelt setting": ("ranker.dept", Dimension(low=4, high=8), "did you mean 'depth'"),
    "a misspelt table": ("rankr.depth", Dimension(low=4, high=8), "did you mean 'ranker'"),
    "a retriever that is not there": ("candidates.quotas.alz", Dimension(choices=(1, 2)), "did you mean 'als'"),
    "a value that is not allowed": ("ranker.depth", Dimension(low=4, high=99), "CatBoostConfig.depth is 99"),
    "a number that is none": ("ranker.depth", Dimension(low=4.0, high=8.5), "Expected `int`"),
    "a path that goes on after its end": ("ranker.depth.more", Dimension(low=1, high=2), "is not a table"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_path(mistake: str) -> None:
    path, dimension, told = MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        check_space(msgspec.to_builtins(RUN), RUN, {path: dimension}, RunConfig)
    assert told in str(caught.value)
    assert path in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"low": 1},
        {"low": 2, "high": 2},
        {"low": 0, "high": 1, "log": True},
        {"choices": (1, 2), "low": 1, "high": 2},
        {"low": float("nan"), "high": 1.0},
    ],
)
def test_a_range_that_is_none_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"tune\.space"):
        Dimension(**fields)
