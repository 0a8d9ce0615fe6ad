"""Accuracy metrics against slow twins, against values worked by hand and against published ones."""

from collections.abc import Callable
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.worlds import World, worlds

from encorec.errors import DataError
from encorec.evaluation.metrics.accuracy import (
    average_precision,
    f1,
    hit_rate,
    ndcg,
    precision,
    r_precision,
    recall,
    reciprocal_rank,
)
from encorec.evaluation.metrics.lists import JudgedLists, judge
from encorec.evaluation.options import MapDenominator, NdcgGain, NdcgIdeal, RecallDenominator
from encorec.types import FloatVector, ItemLists

SlowTwin = Callable[[list[int], list[int], int], float]
CUTS = st.integers(1, 12)


def divisor(denominator: str, relevant: int, k: int) -> int:
    return {"all": relevant, "min": min(relevant, k), "k": k}[denominator]


def slow_precision(shown: list[int], wanted: list[int], k: int) -> float:
    return sum(item in wanted for item in shown[:k]) / k


def slow_first_hit(shown: list[int], wanted: list[int], k: int) -> float:
    for rank, item in enumerate(shown[:k], 1):
        if item in wanted:
            return 1 / rank
    return 0.0


def slow_precision_sum(shown: list[int], wanted: list[int], k: int) -> float:
    return sum(slow_precision(shown, wanted, rank) for rank, item in enumerate(shown[:k], 1) if item in wanted)


def slow_gain(shown: list[int], wanted: list[int], k: int) -> float:
    return sum(1 / log2(rank + 1) for rank, item in enumerate(shown[:k], 1) if item in wanted)


def per_user(twin: SlowTwin, world: World, k: int) -> FloatVector:
    return np.array([twin(row, wanted, k) for row, wanted in zip(world.shown, world.relevant, strict=True)])


@given(worlds(), CUTS)
def test_precision_hit_rate_and_reciprocal_rank_equal_their_slow_twins(world: World, k: int) -> None:
    assert precision(world.lists, k) == pytest.approx(per_user(slow_precision, world, k))
    assert reciprocal_rank(world.lists, k) == pytest.approx(per_user(slow_first_hit, world, k))
    assert hit_rate(world.lists, k).tolist() == [float(any(i in w for i in s[:k])) for s, w in pairs(world)]


def pairs(world: World) -> list[tuple[list[int], list[int]]]:
    return list(zip(world.shown, world.relevant, strict=True))


@pytest.mark.parametrize("denominator", ["all", "min"])
@given(world=worlds(), k=CUTS)
def test_recall_and_f1_equal_their_slow_twins(denominator: RecallDenominator, world: World, k: int) -> None:
    shares = [
        (slow_precision(shown, wanted, k), len({*shown[:k]} & {*wanted}) / divisor(denominator, len(wanted), k))
        for shown, wanted in pairs(world)
    ]
    expected = [2 * p * r / (p + r) if p + r else 0.0 for p, r in shares]
    assert recall(world.lists, k, denominator=denominator) == pytest.approx([r for _, r in shares])
    assert f1(world.lists, k, denominator=denominator) == pytest.approx(expected)


@pytest.mark.parametrize("denominator", ["all", "min", "k"])
@given(world=worlds(), k=CUTS)
def test_average_precision_equals_its_slow_twin(denominator: MapDenominator, world: World, k: int) -> None:
    divisors = np.array([divisor(denominator, len(wanted), k) for wanted in world.relevant])
    expected = per_user(slow_precision_sum, world, k) / divisors
    assert average_precision(world.lists, k, denominator=denominator) == pytest.approx(expected)


@pytest.mark.parametrize("ideal", ["achievable", "k"])
@given(world=worlds(), k=CUTS)
def test_ndcg_equals_its_slow_twin(ideal: NdcgIdeal, world: World, k: int) -> None:
    hits = [min(len(wanted), k) if ideal == "achievable" else k for wanted in world.relevant]
    best = np.array([sum(1 / log2(rank + 1) for rank in range(1, count + 1)) for count in hits])
    assert ndcg(world.lists, k, ideal=ideal) == pytest.approx(per_user(slow_gain, world, k) / best)


@given(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=30), CUTS)
def test_a_perfect_list_scores_exactly_one(wanted: list[int], k: int) -> None:
    perfect = judge(np.array([wanted]), ItemLists.of([wanted]))
    assert ndcg(perfect, k, ideal="achievable").item() == 1.0
    assert average_precision(perfect, k, denominator="min").item() == 1.0
    assert recall(perfect, k, denominator="min").item() == 1.0


@given(worlds(), CUTS)
def test_values_are_shares(world: World, k: int) -> None:
    values = [
        precision(world.lists, k),
        recall(world.lists, k, denominator="all"),
        f1(world.lists, k, denominator="min"),
        average_precision(world.lists, k, denominator="all"),
        ndcg(world.lists, k, ideal="achievable"),
    ]
    assert all(((value >= 0) & (value <= 1 + 1e-12)).all() for value in values)


@pytest.fixture
def rectools_example() -> JudgedLists:
    """The example in the documentation of RecTools' MAP and NDCG, users 1 to 4."""
    recommended = [[7, 8, -1, -1], [1, 2, -1, -1], [1, 2, 3, 4], [1, 2, 3, -1]]
    return judge(np.array(recommended), ItemLists.of([[1, 2], [1], [1, 3, 4], [1, 2, 3]]))


def test_average_precision_as_published_by_rectools(rectools_example: JudgedLists) -> None:
    first = average_precision(rectools_example, 1, denominator="all")
    third = average_precision(rectools_example, 3, denominator="all")
    assert first == pytest.approx([0, 1, 1 / 3, 1 / 3])
    assert third == pytest.approx([0, 1, 0.55555556, 1])
    assert average_precision(rectools_example, 1, denominator="k") == pytest.approx([0, 1, 1, 1])
    assert average_precision(rectools_example, 3, denominator="k") == pytest.approx([0, 1 / 3, 0.55555556, 1])


def test_ndcg_as_published_by_rectools(rectools_example: JudgedLists) -> None:
    assert ndcg(rectools_example, 1, ideal="k") == pytest.approx([0, 1, 1, 1])
    assert ndcg(rectools_example, 3, ideal="k") == pytest.approx([0, 0.46927873, 0.70391809, 1])


def test_reciprocal_rank_as_published_by_rectools() -> None:
    recommended = [[7, 8, -1, -1], [1, 2, -1, -1], [2, 1, 3, 4], [7, 8, 3, -1]]
    lists = judge(np.array(recommended), ItemLists.of([[1, 2], [1], [1, 3, 4], [1, 2, 3]]))
    assert reciprocal_rank(lists, 1) == pytest.approx([0, 1, 0, 0])
    assert reciprocal_rank(lists, 3) == pytest.approx([0, 1, 1 / 2, 1 / 3])


def test_average_precision_as_in_the_textbook_of_manning() -> None:
    """Relevant documents at ranks 1, 3, 6, 10 and 20 of 20, eight relevant in all (Introduction to IR, ch. 8)."""
    wanted = [1, 3, 6, 10, 20, 101, 102, 103]
    lists = judge(np.arange(1, 21)[None], ItemLists.of([wanted]))
    by_hand = (1 / 1 + 2 / 3 + 3 / 6 + 4 / 10 + 5 / 20) / 8
    assert average_precision(lists, 20, denominator="all").item() == pytest.approx(by_hand)


def test_one_set_of_lists_has_as_many_map_at_5_as_there_are_conventions() -> None:
    """The lists are the same, hits at ranks 1, 3 and 6; one user wanted 3 items, the other 8."""
    recommended = np.tile([10, 20, 11, 21, 22, 12], (2, 1))
    lists = judge(recommended, ItemLists.of([[10, 11, 12], [10, 11, 12, 13, 14, 15, 16, 17]]))
    by_hand = {
        "all": (5 / 3 / 3 + 5 / 3 / 8) / 2,  # trec_eval, RecTools
        "min": (5 / 3 / 3 + 5 / 3 / 5) / 2,  # RePlay
        "k": 5 / 3 / 5,  # RecTools with divide_by_k
    }
    uncut = (1 + 2 / 3 + 3 / 6) * (1 / 3 + 1 / 8) / 2  # the list not cut at 5: nobody's option here
    given_by_us: dict[str, float] = {
        "all": average_precision(lists, 5, denominator="all").mean(),
        "min": average_precision(lists, 5, denominator="min").mean(),
        "k": average_precision(lists, 5, denominator="k").mean(),
    }
    assert given_by_us == pytest.approx(by_hand)
    assert len({round(value, 6) for value in [*by_hand.values(), uncut]}) == 4


def test_what_stands_behind_the_cut_off_does_not_count() -> None:
    short, long = np.array([[4, 5]]), np.array([[4, 5, 6, 7]])
    wanted = ItemLists.of([[5, 6, 7]])
    for value in (precision, hit_rate, reciprocal_rank):
        assert value(judge(short, wanted), 2) == value(judge(long, wanted), 2)
    assert average_precision(judge(long, wanted), 2, denominator="all").item() == pytest.approx(1 / 6)


def test_a_list_shorter_than_k_is_judged_at_k() -> None:
    lists = judge(np.array([[4, 5]]), ItemLists.of([[4, 5]]))
    assert precision(lists, 10).item() == pytest.approx(0.2)
    assert average_precision(lists, 10, denominator="k").item() == pytest.approx(0.2)
    assert ndcg(lists, 10, ideal="achievable").item() == 1.0
    assert ndcg(lists, 10, ideal="k").item() < 0.5


@given(worlds())
def test_r_precision_equals_its_slow_twin(world: World) -> None:
    expected = [len({*shown[: len(wanted)]} & {*wanted}) / len(wanted) for shown, wanted in pairs(world)]
    assert r_precision(world.lists) == pytest.approx(expected)


def grades_of(world: World) -> dict[int, float]:
    return {item: 1.0 + item * item % 5 for item in range(world.items)}


def graded(world: World, *, weighted: bool = False) -> JudgedLists:
    grades = np.array([grades_of(world)[item] for item in range(world.items)])[world.truth.item]
    return judge(world.recommended, world.truth, grades, weight=1 / grades if weighted else None)


@given(
    weighted=st.booleans(),
    gain=st.sampled_from(["linear", "exponential"]),
    ideal=st.sampled_from(["achievable", "k"]),
    world=worlds(),
    k=CUTS,
)
def test_graded_ndcg_equals_its_slow_twin(
    weighted: bool, gain: NdcgGain, ideal: NdcgIdeal, world: World, k: int
) -> None:
    grades = grades_of(world)

    def worth(item: int) -> float:
        gained = 2 ** grades[item] - 1 if gain == "exponential" else grades[item]
        return gained / grades[item] if weighted else gained

    expected = []
    for shown, wanted in pairs(world):
        best = sorted((worth(item) for item in wanted), reverse=True)
        best = best[:k] if ideal == "achievable" else best[:1] * k
        most = sum(one / log2(rank + 1) for rank, one in enumerate(best, 1))
        gains = [worth(item) if item in wanted else 0.0 for item in shown[:k]]
        expected.append(sum(one / log2(rank + 1) for rank, one in enumerate(gains, 1)) / most)
    assert ndcg(graded(world, weighted=weighted), k, ideal=ideal, gain=gain) == pytest.approx(expected)


@given(world=worlds(), k=CUTS)
def test_equal_grades_are_no_grades(world: World, k: int) -> None:
    for ideal in ("achievable", "k"):
        plain = ndcg(world.lists, k, ideal=ideal)
        for gain in ("linear", "exponential"):
            alike = judge(world.recommended, world.truth, np.full(len(world.truth.item), 3.0))
            assert ndcg(alike, k, ideal=ideal, gain=gain) == pytest.approx(plain)


@given(world=worlds(), k=CUTS)
def test_weighted_recall_and_average_precision_equal_their_slow_twins(world: World, k: int) -> None:
    weights = {item: 1 / grade for item, grade in grades_of(world).items()}
    lists = judge(world.recommended, world.truth, weight=np.array([weights[item] for item in world.truth.item]))
    recalls, precisions = [], []
    for shown, wanted in pairs(world):
        hits = [(rank, item) for rank, item in enumerate(shown[:k], 1) if item in wanted]
        recalls.append(sum(weights[item] for _, item in hits) / len(wanted))
        precisions.append(sum(weights[item] * slow_precision(shown, wanted, rank) for rank, item in hits) / len(wanted))
    assert recall(lists, k, denominator="all") == pytest.approx(recalls)
    assert average_precision(lists, k, denominator="all") == pytest.approx(precisions)


def test_values_as_published_by_ranx() -> None:
    """The example of its README: qrels d_12: 5, d_25: 3 and d_11: 6, d_22: 1; map@5 0.6416, mrr 0.75, ndcg@5 0.7861."""
    recommended = np.array([[12, 23, 25, 36, 32, 35], [12, 11, 25, 36, 22, 35]])
    lists = judge(recommended, ItemLists.of([[12, 25], [11, 22]]), np.array([5.0, 3.0, 6.0, 1.0]))
    assert average_precision(lists, 5, denominator="all").mean() == pytest.approx(0.6416, abs=1e-4)
    assert reciprocal_rank(lists, 6).mean() == pytest.approx(0.75)
    assert ndcg(lists, 5, ideal="achievable").mean() == pytest.approx(0.7861, abs=1e-4)


def test_values_as_published_by_pytrec_eval() -> None:
    """Its example simple.py, by trec_eval: q1 wants d2, shown at rank 3; q2 wants d2 and d3, at ranks 3 and 2."""
    lists = judge(np.array([[3, 1, 2], [1, 3, 2]]), ItemLists.of([[2], [2, 3]]))
    assert average_precision(lists, 3, denominator="all") == pytest.approx([0.3333333333333333, 0.5833333333333333])
    assert ndcg(lists, 3, ideal="achievable") == pytest.approx([0.5, 0.6934264036172708])


def test_a_grade_too_high_for_its_exponential_is_refused() -> None:
    lists = judge(np.array([[1]]), ItemLists.of([[1]]), np.array([501.0]))
    assert ndcg(lists, 1, ideal="achievable").item() == 1.0
    with pytest.raises(DataError, match="grade 501 is too high to be gained exponentially"):
        ndcg(lists, 1, ideal="achievable", gain="exponential")
