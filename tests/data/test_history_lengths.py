"""Lengths of histories: one set of limits for the report and for routing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.history_lengths import LENGTHS, length_places


@given(st.integers(0, 10**6))
def test_every_length_has_the_one_place_whose_limits_hold_it(length: int) -> None:
    place = int(length_places(np.array([length]))[0])
    for other, (least, most) in enumerate(LENGTHS.values()):
        assert (other == place) == (least <= length and (most is None or length <= most))
