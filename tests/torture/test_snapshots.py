"""The long rounds: a thousand killed publishers, a hundred reloads."""

from pathlib import Path

import pytest
from tests.end_to_end.test_reloads import growth as service_growth
from tests.end_to_end.test_reloads import reloading
from tests.serving.test_snapshot_store import killed
from tests.serving.test_snapshots import growth
from tests.worlds import Trained

pytestmark = pytest.mark.torture


def test_a_thousand_killed_publishers_leave_a_whole_store(tmp_path: Path) -> None:
    found = killed(tmp_path, 1000)
    assert found["broken"] == []
    assert found["left"] == []


def test_memory_is_flat_over_a_hundred_reloads(trained: Trained, tmp_path: Path) -> None:
    assert growth(trained.folder, tmp_path, 100) < 8


def test_memory_of_a_service_is_flat_over_a_hundred_reloads(trained: Trained, tmp_path: Path) -> None:
    for running in reloading(trained.folder, tmp_path):
        assert service_growth(running, 100) < 16
