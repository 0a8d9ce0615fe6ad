"""The page of an experiment: verdict first, hostile text stays text, what is withheld is said, a real analysis fits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser import open_page
from tests.experiment.report.analysed import LONG, hostile_analysis, hostile_spec

from encorec.errors import DataError
from encorec.experiment.analysis.analyse import analyze
from encorec.experiment.intake.exposures import read_exposures
from encorec.experiment.intake.unit_table import UnitTable
from encorec.experiment.report import experiment_page, write
from encorec.experiment.simulation.example import ExampleConfig, write_example
from encorec.experiment.spec import ExperimentSpec, MetricSpec, load_spec

WITHHELD = ("ci95", "relative_ci95", "p", "p_adjusted", "guardrail", "beside")
NOVEMBER_16, NOVEMBER_5 = 1_794_787_200, 1_793_836_800


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentSpec, Any, Any, Any]:
    files = write_example(tmp_path_factory.mktemp("example"), ExampleConfig(users=3000, seed=3))
    spec = load_spec(files["spec"])
    exposures = read_exposures(files["exposures"], spec)
    return spec, exposures, UnitTable.read(spec, exposures, files["metrics"]), files


def test_hostile_analyses_open_without_complaint_and_as_text(tmp_path: Path) -> None:
    spec = hostile_spec()
    page = write(tmp_path / "page.html", hostile_analysis(spec), spec)
    for width in (390, 1200):
        opened = open_page(f"file://{page}", width=width)
        assert opened.console == []
        assert "<script>" not in opened.document
    for text in ("&lt;script&gt;", LONG, "Ship two-stage", "<svg", "1,234,568", "margin 0.002"):
        assert text in opened.document
    assert opened.document.count("<svg") >= 5
    assert "https://" not in page.read_text()
    assert "http://" not in page.read_text().replace("http://www.w3.org/", "")


def test_what_decides_comes_first() -> None:
    spec = hostile_spec()
    page = experiment_page(hostile_analysis(spec), spec)
    assert page.title == f"Ship {spec.treatments[0]}"
    titles = [one.title for one in page.sections]
    assert titles == [
        *("Why", "The rule, fixed before the data", "Checks", "Effects", "Money", "Segments"),
        *("Looking before the end", "Day by day", "Method and versions"),
    ]
    html = page.html()
    assert html.index("Ship two-stage") < html.index("primary is better") < html.index("Not in order: odd")
    assert html.count("told twice") == 0


@pytest.mark.parametrize(
    ("verdict", "words", "kind"),
    [
        ("ship", "Ship two-stage", "good"),
        ("do-not-ship", "Do not ship", "bad"),
        ("keep-running", "Keep running", "open"),
        ("invalid", "Invalid, nothing may be concluded", "bad"),
    ],
)
def test_every_verdict_has_its_words(verdict: str, words: str, kind: str) -> None:
    spec = hostile_spec()
    analysis = {**hostile_analysis(spec), "verdict": verdict}
    page = experiment_page(analysis, spec)
    assert page.title.startswith(words)
    assert f'<p class="verdict {kind}">{words}' in page.html()


@pytest.mark.parametrize("sequential", ["none", "asymptotic-cs"])
def test_what_is_withheld_before_the_end_is_said(sequential: str, tmp_path: Path) -> None:
    spec = hostile_spec(sequential)
    analysis = hostile_analysis(spec)
    analysis |= {"verdict": "keep-running", "recommended": None, "alarms": [], "novelty": [], "segments": []}
    analysis["metrics"] = [{**row, **dict.fromkeys(WITHHELD)} for row in analysis["metrics"]]
    empty = dict.fromkeys(("net", "ci95", "p_positive", "shrunk_net", "per_period", "note"))
    analysis["money"] = {"variants": {one: {**empty, "break_even_effect": 0.2} for one in spec.treatments}}
    analysis["sequential"] = None
    html = experiment_page(analysis, spec).html()
    assert "Intervals and p are not shown before the planned end (14 days)" in html
    assert ("no sequential test" in html) == (sequential == "none")
    assert html.count("not shown yet") >= 4
    assert open_page(f"file://{write(tmp_path / 'early.html', analysis, spec)}").console == []


def test_an_invalid_run_shows_no_effect_and_says_why() -> None:
    spec = hostile_spec()
    analysis = {**hostile_analysis(spec), "verdict": "invalid", "money": None, "sequential": None, "segments": []}
    analysis["metrics"] = [
        {**row, **dict.fromkeys((*WITHHELD, "effect", "relative", "control", "treatment"))}
        for row in analysis["metrics"]
    ]
    html = experiment_page(analysis, spec).html()
    assert "No effect is shown: what failed comes first" in html


def test_a_bare_analysis_is_a_page(tmp_path: Path) -> None:
    spec = hostile_spec("none")
    bare = {"experiment": "x", "verdict": "keep-running", "reasons": [], "metrics": []}
    page = experiment_page(bare, spec)
    assert "Ship a variant if watch_time is significantly better than under control" in page.html()
    with pytest.raises(DataError, match="cannot be written"):
        write(tmp_path / "no" / "page.html", bare, spec)


def test_a_real_analysis_is_drawn_with_its_numbers(example: tuple[Any, ...], tmp_path: Path) -> None:
    spec, exposures, table, _ = example
    found = analyze(spec, exposures, table, now=NOVEMBER_16)
    page = write(tmp_path / "page.html", json.loads(json.dumps(found)), spec)
    opened = open_page(f"file://{page}", width=390)
    assert opened.console == []
    assert str(found["rule"]).split("'")[0] in opened.document
    for name, count in found["checks"]["srm"]["counts"].items():
        assert f"{count:,}" in opened.document
        assert name in opened.document
    assert f"{found['money']['net']:+,.0f}" in opened.document
    assert f"{found['money']['shrunk_net']:+,.0f}" in opened.document
    assert "Day 1 is the first 24 hours" in opened.document
    assert "device: tablet" in opened.document


def test_an_alarm_is_shown_once(tmp_path: Path) -> None:
    watch = MetricSpec(name="watch", value="minutes", role="primary")
    ctr = MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views")
    for variants in ({"a": 0.5, "b": 0.5}, {"a": 0.4, "b": 0.3, "c": 0.3}):
        spec = ExperimentSpec(name="x", variants=variants, metric=(watch, ctr))
        arm = np.repeat([0, 1, 2], [400, 300, 300]) if len(variants) > 2 else np.arange(1000) % 2
        noise = np.random.default_rng(0).normal(0, 1, 1000)
        columns = {"minutes": 10 + noise - (arm == 1), "clicks": 5 + noise + (arm == 1), "views": np.full(1000, 20.0)}
        found = analyze(spec, None, UnitTable.of(spec, arm, columns))
        assert len(found["alarms"]) == 1
        html = write(tmp_path / "page.html", found, spec).read_text()
        assert html.count("clickbait is likely") == 1


def test_a_real_analysis_before_the_end_shows_no_interval(example: tuple[Any, ...], tmp_path: Path) -> None:
    spec, files = example[0], example[3]
    exposures = read_exposures(files["exposures"], spec, until=NOVEMBER_5)
    found = analyze(spec, exposures, UnitTable.read(spec, exposures, files["metrics"]), now=NOVEMBER_5)
    html = write(tmp_path / "page.html", found, spec).read_text()
    assert "Intervals and p are not shown before the planned end" in html
    assert "an asymptotic confidence sequence" in html
    for row in found["metrics"]:
        assert row["ci95"] is None
