"""Judgements: published kappas, exact intervals and tests, clustered answers, a side that is favoured."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.side_by_side.worked import answers_of, key_of_sides

from encorec.errors import DataError
from encorec.experiment.side_by_side import judge
from encorec.experiment.side_by_side.agreement import cohen_kappa, fleiss_kappa
from encorec.experiment.side_by_side.judgement import position_bias, preference

FLEISS = np.array([  # fourteen raters, ten subjects, five categories: the worked example of many textbooks, 0.210
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip


def slow_sign_test(a: int, b: int) -> float:
    """Every outcome of a fair coin that is no likelier than the one seen."""
    n, seen = a + b, comb(a + b, b)
    return float(Fraction(sum(comb(n, k) for k in range(n + 1) if comb(n, k) <= seen), 2**n))


def slow_fleiss(counts: np.ndarray) -> float:
    """Agreement pair of answers by pair of answers."""
    agreed, everything = [], []
    for row in counts:
        given_ = [kind for kind, many in enumerate(row) for _ in range(many)]
        if len(given_) < 2:
            continue
        everything += given_
        pairs = [(i, j) for i, j in product(range(len(given_)), repeat=2) if i != j]
        agreed.append(sum(given_[i] == given_[j] for i, j in pairs) / len(pairs))
    chance = sum((everything.count(kind) / len(everything)) ** 2 for kind in set(everything))
    return (sum(agreed) / len(agreed) - chance) / (1 - chance)


def test_kappas_are_the_published_ones() -> None:
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)
    assert cohen_kappa(np.array([[45, 15], [25, 15]])) == pytest.approx(0.1304, abs=5e-5)
    assert cohen_kappa(np.array([[25, 35], [5, 35]])) == pytest.approx(0.2593, abs=5e-5)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=8))
def test_fleiss_is_its_slow_twin_also_where_numbers_of_answers_differ(rows: list[tuple[int, ...]]) -> None:
    counts = np.array(rows)
    used = counts[counts.sum(1) >= 2]
    if len(used) and (used.sum(0) > 0).sum() > 1:
        assert fleiss_kappa(counts) == pytest.approx(slow_fleiss(counts))
    else:
        assert fleiss_kappa(counts) is None


def test_kappa_of_nothing_and_of_one_answer_only_is_undefined() -> None:
    assert cohen_kappa(np.zeros((3, 3))) is None
    assert cohen_kappa(np.array([[5, 0], [0, 0]])) is None


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_is_exact(a: int, b: int) -> None:
    found = preference(a, b, tie=3)
    if a + b == 0:
        assert found["p"] is None
        assert found["wilson95"] is None
    else:
        assert found["p"] == pytest.approx(slow_sign_test(a, b))
        (low, high), (exact_low, exact_high) = found["wilson95"], found["exact95"]
        assert 0 <= low <= b / (a + b) <= high <= 1
        assert exact_low <= b / (a + b) <= exact_high


def test_the_wilson_interval_by_hand() -> None:
    z, n, share = 1.959963984540054, 25, 18 / 25
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    assert preference(7, 18, 0)["wilson95"] == pytest.approx([middle - half, middle + half])


def test_a_pair_counts_once_however_many_judges_it_has() -> None:
    key = key_of_sides("ab" * 4)
    choices = {task: "left" if one.left == "b" else "right" for task, one in enumerate(key.tasks, 1)}
    once = judge(answers_of(key, "Ada", choices), key)
    often = judge([one for name in ("Ada", "Bo", "Cy") for one in answers_of(key, name, choices)], key)
    assert once["verdict"] == often["verdict"] == "ease is preferred"
    assert once["tasks"] == often["tasks"]
    assert often["tasks"]["p"] == pytest.approx(2 / 2**8)
    assert (often["answers"]["count"], often["agreement"]["fleiss_kappa"]) == (24, None)
    assert [one["tasks"] for one in often["agreement"]["pairs"]] == [8, 8, 8]


def test_a_pair_that_judges_are_split_over_is_a_tie() -> None:
    key = key_of_sides("aa")
    answers = answers_of(key, "Ada", {1: "left", 2: "left"}) + answers_of(key, "Bo", {1: "right", 2: "tie"})
    found = judge(answers, key)
    assert [found["tasks"][name] for name in ("a", "b", "tie")] == [1, 0, 1]
    assert found["verdict"] == "no preference shown"


def test_a_favoured_side_is_found_and_a_favoured_system_is_no_favoured_side() -> None:
    key = key_of_sides("ab" * 10)
    sided = position_bias(answers_of(key, "Ada", dict.fromkeys(range(1, 21), "left")))
    assert (sided["left_share"], sided["bias"], sided["ok"]) == (1.0, 0.5, False)
    wants_b = {one.task: "right" if one.left == "a" else "left" for one in key.tasks}
    fair = position_bias(answers_of(key, "Ada", wants_b))
    assert (fair["left_share"], fair["bias"], fair["p"], fair["ok"]) == (0.5, 0.0, 1.0, True)
    assert position_bias(answers_of(key, "Ada", {1: "tie"}))["left_share"] is None
    assert position_bias(answers_of(key, "Ada", {1: "left"}))["p"] is None


def test_position_bias_by_hand() -> None:
    # a on the left: 8 of 10 for a; b on the left: 3 of 10 for a. Fisher's p for [[8, 2], [3, 7]]: 0.0698 (two-sided)
    key = key_of_sides("a" * 10 + "b" * 10)
    choices = {task: "left" if task <= 8 else "right" for task in range(1, 11)}
    choices |= {task: "right" if task <= 13 else "left" for task in range(11, 21)}
    found = position_bias(answers_of(key, "Ada", choices))
    assert found["bias"] == pytest.approx(0.25)
    tables = {k: comb(10, k) * comb(10, 11 - k) for k in range(1, 11)}
    assert found["p"] == pytest.approx(sum(one for one in tables.values() if one <= tables[8]) / sum(tables.values()))


def test_no_answers_are_no_judgement() -> None:
    with pytest.raises(DataError, match="no answers"):
        judge([], key_of_sides("ab"))
