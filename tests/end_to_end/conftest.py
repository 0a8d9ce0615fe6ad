from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.project import succeeded, write_project
from tests.end_to_end.service import Service


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and configurations, and ``artifact``: trained by the command, with its output in ``train.txt``."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    run = succeeded(folder, "train", "films.toml", "--out", "artifact")
    (folder / "train.txt").write_text(run.stdout + run.stderr)
    return folder


@pytest.fixture(scope="session")
def service(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service at the end of the data; each test has users of its own."""
    with Service(tmp_path_factory.mktemp("service"), project / "artifact", "--clock", "data-end") as running:
        yield running
