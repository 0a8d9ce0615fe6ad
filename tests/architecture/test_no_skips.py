"""A skipped test fails in CI, wherever the skip comes from."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
MARKED = "import pytest\n@pytest.mark.{}(reason='later')\ndef test_it(): raise ValueError"
SKIPS = {
    "mark": MARKED.format("skip"),
    "xfail": MARKED.format("xfail"),
    "call": "from pytest import skip\ndef test_it(): skip('later')",
    "fixture": "from pytest import fixture, skip\n@fixture\ndef tea(): skip('later')\ndef test_it(tea): pass",
    "module": "from pytest import skip\nskip('later', allow_module_level=True)",
    "doctest": "'''later\n>>> 1  # doctest: +SKIP\n2\n'''",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Tests in ``src`` and, beside our conftest, in ``tests``: as in this project."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"))
    (tmp_path / "tests" / "test_good.py").write_text("def test_good(): pass")
    return tmp_path


def add_skips(project: Path) -> None:
    for name, source in SKIPS.items():
        (project / "src" / f"test_{name}.py").write_text(source)


def run_pytest(project: Path, ci: str, *options: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "pytest", "--doctest-modules", "--continue-on-collection-errors", *options]
    environment = {**os.environ, "CI": ci}
    run = subprocess.run(
        [*command, "src", "tests"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout.splitlines()


def failed_files(lines: list[str]) -> set[str]:
    summary = (re.match(r"(?:FAILED|ERROR) src/test_(\w+)\.py", line) for line in lines)
    return {found[1] for found in summary if found}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_skip_fails_in_ci(project: Path, workers: str) -> None:
    add_skips(project)
    code, lines = run_pytest(project, "true", "--numprocesses", workers)
    assert code == 1
    assert failed_files(lines) == set(SKIPS)
    assert any(line.endswith("is skipped, which CI does not allow: later") for line in lines)
    assert "1 passed" in lines[-1]
    assert "skipped" not in lines[-1]


def test_skips_are_allowed_at_the_desk(project: Path) -> None:
    add_skips(project)
    code, lines = run_pytest(project, "")
    assert code == 0
    assert "1 passed" in lines[-1]
    assert "skipped" in lines[-1]


def test_passing_tests_pass_in_ci(project: Path) -> None:
    code, lines = run_pytest(project, "true")
    assert code == 0
    assert "1 passed" in lines[-1]
