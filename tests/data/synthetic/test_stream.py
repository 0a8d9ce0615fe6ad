"""The random numbers of compiled loops."""

import numpy as np

from encorec.data.synthetic.stream import generator, start_stream, uniform

PUBLISHED = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821)
"""First numbers of SplitMix64 with seed 1234567, as Rosetta Code lists them."""


def test_numbers_are_the_published_ones() -> None:
    state = np.array([1234567])
    assert [uniform(state) for _ in PUBLISHED] == [(number >> 11) / 2**53 for number in PUBLISHED]


def test_streams_differ_and_are_uniform() -> None:
    state = np.empty(1, np.int64)
    firsts = []
    for index in range(4000):
        start_stream(state, 7, index)
        firsts.append(uniform(state))
    assert len(set(firsts)) == 4000
    counts = np.histogram(firsts, bins=10, range=(0, 1))[0]
    assert np.all(np.abs(counts - 400) < 5 * np.sqrt(400))


def test_generators_of_other_purposes_differ() -> None:
    assert generator(7, 1).random() == generator(7, 1).random()
    assert generator(7, 1).random() != generator(7, 2).random()
    assert generator(7, 1).random() != generator(8, 1).random()
