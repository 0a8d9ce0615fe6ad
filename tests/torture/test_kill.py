"""A thousand services killed while they write: nothing that was acknowledged is lost."""

import pytest
from tests.serving.crash_rounds import crash_rounds

pytestmark = pytest.mark.torture


def test_after_a_thousand_kills_every_acknowledged_event_is_in_the_state_and_in_the_log(tmp_path):
    report = crash_rounds(tmp_path, rounds=1000, seed=2026)
    assert report["lost"] == 0, report
    assert report["acknowledged"] > 1000
