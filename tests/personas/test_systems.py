"""Artifacts and their parts by name; a part alone answers what its retriever answers."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import Trained

from encorec.errors import ArtifactError, ConfigError
from encorec.personas.systems import open_systems, part_of
from encorec.pipeline.query_building import build_queries
from encorec.pipeline.requests import PastEvent, Request
from encorec.verdict.systems import pipeline_systems


def names(*specs: object) -> list[str]:
    return [one.name for one in open_systems([str(spec) for spec in specs])]


@pytest.mark.parametrize("part", ["steps", "knn", "als", "popular", "rrf", "two-stage"])
def test_a_part_answers_what_it_answers_in_the_report(trained: Trained, part: str) -> None:
    engine = trained.engine
    now = engine.artifact.data_end
    history = tuple(PastEvent(item, now - 86_400 * (9 - place)) for place, item in enumerate((6, 7, 100)))
    requests = [Request(user_id=user) for user in range(40)] + [Request(history=history), Request()]
    answers = part_of(engine, part).recommend(requests)
    queries, _ = build_queries(engine.artifact, requests, [None] * len(requests), now)
    wanted = pipeline_systems(engine.artifact.pipeline)[part](queries, 10)
    found = np.array([[item.item_id for item in answer.items] for answer in answers])
    assert (found == wanted).mean() > 0.99  # two items of equal score may change places


def test_an_artifact_alone_is_called_by_what_answers(trained: Trained) -> None:
    folder = trained.folder
    assert names(folder) == ["two-stage"]
    assert names(f"{folder}:als,knn", f"{folder}:rrf") == ["als", "knn", "rrf"]
    assert names(f"{folder}:all", folder) == ["steps", "knn", "als", "popular", "two-stage"]


def test_artifacts_are_told_apart_by_their_folders(trained: Trained, tmp_path: Path) -> None:
    for copy in ("one", "two", "deep/two"):
        shutil.copytree(trained.folder, tmp_path / copy)
    assert names(tmp_path / "one", f"{tmp_path / 'two'}:als") == ["one", "two:als"]
    both = (tmp_path / "two", tmp_path / "deep/two")
    assert names(*both) == [str(one) for one in both]


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        (("{0}:alls",), "unknown system 'alls': did you mean 'als'? allowed: als, knn, popular, rrf, steps, two-stage"),
        (("{0}:als", "{0}:als"), "als is named twice"),
        (("{0}", "{0}"), "two-stage is named twice"),
    ],
)
def test_what_is_not_a_system_is_refused(trained: Trained, specs: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError) as fault:
        names(*(spec.format(trained.folder) for spec in specs))
    assert told in str(fault.value)


def test_no_artifact_is_no_system(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no manifest.json there"):
        names(tmp_path / "nothing:als")
