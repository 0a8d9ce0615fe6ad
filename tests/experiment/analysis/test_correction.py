"""Corrections for several tests, against scipy and by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from encorec.errors import ConfigError, DataError
from encorec.experiment.analysis.correction import benjamini_hochberg, corrected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_hochberg_is_that_of_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p).tolist(), abs=1e-12)


def test_tests_that_were_not_made_do_not_count() -> None:
    assert corrected([None, 0.01, None, 0.04], "holm") == [None, 0.02, None, 0.04]
    assert corrected([None, 0.01, None, 0.04], "bh") == [None, 0.02, None, 0.04]
    assert corrected([0.5, None], "none") == [0.5, None]
    assert corrected([], "holm") == []
    assert corrected([None], "bh") == [None]


def test_what_is_no_p_or_no_correction_is_refused() -> None:
    for kind in ("holm", "bh"):
        with pytest.raises(DataError, match="between 0 and 1"):
            corrected([0.1, 1.5], kind)  # type: ignore[arg-type]
    odd: Any = "bonferoni"
    with pytest.raises(ConfigError, match="unknown correction"):
        corrected([0.1], odd)
