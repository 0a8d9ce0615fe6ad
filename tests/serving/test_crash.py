"""A short round of what ``tests/torture`` does a thousand times."""

from tests.serving.crash_rounds import crash_rounds


def test_what_was_acknowledged_before_a_kill_is_in_the_state_and_in_the_log(tmp_path):
    report = crash_rounds(tmp_path, rounds=20, seed=1)
    assert report["lost"] == 0, report
    assert report["acknowledged"] > 0
