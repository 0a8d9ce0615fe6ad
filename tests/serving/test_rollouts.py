"""Experiments from files: read, checked against each other, and assigned as offline analysis assigns."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.serving.specs import write_spec

from encorec.errors import ConfigError
from encorec.experiment.assignment.draw import assign
from encorec.serving.experiments.rollouts import Rollout, load_rollouts

ROOT = Path(__file__).parents[2]


def second(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("fields", "overrides"),
    [
        ("", ""),
        ("share = 0.3\nlayer_from = 0.2\nholdout = 0.1", '7 = "treatment"\nu12 = "control"'),
        ('salt = "s"\nlayer = "home"\nholdout = 0.5', ""),
    ],
)
def test_the_service_assigns_as_offline_analysis_does(tmp_path: Path, fields: str, overrides: str) -> None:
    [rollout] = load_rollouts([write_spec(tmp_path, "shelf", fields, overrides=overrides)])
    units = [str(one) for one in range(2000)] + [f"u{one}" for one in range(500)] + ["Zoë", " ", "17"]
    assert [rollout.variant(unit) for unit in units] == assign(rollout.spec, units).names.to_list()
    assert [rollout.variant(unit) for unit in range(300)] == assign(rollout.spec, range(300)).names.to_list()


def test_three_variants_of_unequal_shares_too(tmp_path: Path) -> None:
    variants = "a = 0.1\nb = 0.2\nc = 0.7"
    [rollout] = load_rollouts([write_spec(tmp_path, "shelf", variants=variants)])
    assert [rollout.variant(unit) for unit in range(2000)] == assign(rollout.spec, range(2000)).names.to_list()


@pytest.mark.parametrize("unit", ["", "\ud800"])
def test_names_that_nobody_could_find_again_are_outside(tmp_path: Path, unit: str) -> None:
    [rollout] = load_rollouts([write_spec(tmp_path, "shelf")])
    assert rollout.variant(unit) is None


def test_days_are_those_of_utc_and_the_last_one_counts_in_full(tmp_path: Path) -> None:
    [rollout] = load_rollouts([write_spec(tmp_path, "shelf", 'start = "2026-11-02"\ndays = 3')])
    moments = ["2026-11-01T23:59:59", "2026-11-02T00:00:00", "2026-11-04T23:59:59", "2026-11-05T00:00:00"]
    assert [rollout.runs("main", second(one)) for one in moments] == [False, True, True, False]
    [endless] = load_rollouts([write_spec(tmp_path, "endless", 'start = "2026-11-02"')])
    assert [endless.runs("main", second(one)) for one in moments] == [False, True, True, True]
    [always] = load_rollouts([write_spec(tmp_path, "always")])
    assert always.runs("main", 0)


def test_it_runs_at_its_placements_alone(tmp_path: Path) -> None:
    [rollout] = load_rollouts([write_spec(tmp_path, "shelf", settings='placements = ["main", "side"]')])
    assert [rollout.runs(one, 0) for one in ("main", "side", "mail")] == [True, True, False]


def test_a_folder_is_all_its_specifications_each_once(tmp_path: Path) -> None:
    write_spec(tmp_path, "shelf", settings="[variant.treatment]\ntemperature = 0.5")
    path = write_spec(tmp_path, "row", 'layer = "rows"')
    assert [one.spec.name for one in load_rollouts([tmp_path, path])] == ["row", "shelf"]
    [alone] = load_rollouts([tmp_path / "shelf.variants.toml"])
    settings = alone.settings("treatment")
    assert settings is not None
    assert (settings.temperature, alone.settings("control"), alone.settings(None)) == (0.5, None, None)
    assert load_rollouts([]) == ()


def test_what_cannot_be_served_is_refused_with_its_file(tmp_path: Path) -> None:
    cases = {
        "unknown variant 'treatmnt': did you mean 'treatment'": "[variant.treatmnt]\ntemperature = 1",
        "unknown field 'temprature': did you mean 'temperature'": "[variant.treatment]\ntemprature = 1",
        "temperature is -1": "[variant.treatment]\ntemperature = -1",
        "temperature is 0.0001": "[variant.treatment]\ntemperature = 0.0001",
        "head is 0": "[variant.treatment]\nhead = 0",
        "quotas.als is -3": "[variant.treatment]\nquotas.als = -3",
        "got `int` (at variant.treatment.snapshot)": "[variant.treatment]\nsnapshot = 3",
        "not valid TOML": "[variant.treatment",
    }
    for message, settings in cases.items():
        path = write_spec(tmp_path, "shelf", settings=settings)
        with pytest.raises(ConfigError) as error:
            load_rollouts([path])
        assert message in str(error.value)
        assert "shelf.variants.toml" in str(error.value)


def test_the_example_is_served_as_it_stands() -> None:
    [rollout] = load_rollouts([ROOT / "configs" / "experiments"])
    settings = rollout.settings("treatment")
    assert settings is not None
    assert settings.fields == {"temperature", "head"}
    assert rollout.runs("main", second("2026-12-01"))


def test_strata_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"strata\.toml: experiment 'strata' has strata"):
        load_rollouts([write_spec(tmp_path, "strata", 'strata = ["country"]')])
    with pytest.raises(ConfigError, match=r"nothing\.toml: no such file"):
        load_rollouts([tmp_path / "nothing.toml"])
    (tmp_path / "lone.variants.toml").write_text("")
    with pytest.raises(ConfigError, match=r"lone\.variants\.toml: there is no specification lone\.toml beside it"):
        load_rollouts([tmp_path / "lone.variants.toml"])


def pair(tmp_path: Path, first: str, second: str, *settings: str | None) -> tuple[Rollout, ...]:
    one, other = settings or (None, None)
    return load_rollouts(
        [write_spec(tmp_path, "a", first, settings=one), write_spec(tmp_path, "b", second, settings=other)]
    )


WARM = "[variant.treatment]\ntemperature = 1"


def test_experiments_that_a_request_could_meet_together_must_not_clash(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"share 0.3 to 0.5 of layer 'default'"):
        pair(tmp_path, "share = 0.5", "layer_from = 0.3\nshare = 0.4")
    with pytest.raises(ConfigError, match="same salt 's'"):
        pair(tmp_path, 'salt = "s"', 'salt = "s"\nlayer = "other"')
    with pytest.raises(ConfigError, match="both change temperature"):
        pair(tmp_path, "", 'layer = "other"', WARM, WARM)
    with pytest.raises(ConfigError, match="same name"):
        load_rollouts([write_spec(tmp_path, "a"), write_spec(tmp_path, "a", stem="c", fields='layer = "other"')])


@pytest.mark.parametrize(
    ("first", "second", "settings"),
    [
        ("share = 0.5", "layer_from = 0.5\nshare = 0.5", (WARM, WARM)),
        ("", 'layer = "other"', (WARM, "[variant.treatment]\norder = 'als'")),
        ("", 'layer = "other"', ('placements = ["main"]\n' + WARM, 'placements = ["side"]\n' + WARM)),
        ('start = "2026-11-02"\ndays = 7', 'start = "2026-11-09"\ndays = 7', (WARM, WARM)),
        ("share = 0.3", "layer_from = 0.3\nshare = 0.7", ()),
    ],
)
def test_experiments_that_exclude_each_other_may_change_the_same(
    tmp_path: Path, first: str, second: str, settings: tuple[str, ...]
) -> None:
    assert len(pair(tmp_path, first, second, *settings)) == 2
