"""Reports of made-up exams whose figures can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from encorec.data.features import Categories
from encorec.data.splits import FoldStatistics
from encorec.evaluation.backtest.backtest import Backtest
from encorec.evaluation.backtest.breakdown import by_item_age, by_segment, cold_users
from encorec.evaluation.backtest.judged import JudgedFold, JudgedSystem
from encorec.evaluation.backtest.settings import EvaluationConfig

CONFIG = EvaluationConfig(metric="mrr@2", metrics=(), resamples=200)
COUNTS = [name for name in FoldStatistics.__struct_fields__ if name != "fold"]
STATISTICS = FoldStatistics(fold="made up", **dict.fromkeys(COUNTS, 0))


def made_up(
    user: Sequence[int],
    values: dict[str, Any],
    segment: Sequence[int] | None = None,
    wanted: Sequence[tuple[int, int]] = (),
    places: dict[str, Sequence[int]] | None = None,
) -> JudgedFold:
    """One value per user of every system; wanted items as (row of the user, age segment)."""
    history = np.ones(len(user), int) if segment is None else np.array(segment)
    owner, age = np.array(wanted, int).reshape(-1, 2).T
    systems = {
        name: JudgedSystem(
            values={"mrr@2": np.array(one, float)},
            catalogue={"coverage@2": 0.5},
            covered=np.ones(len(user), bool),
            place=np.array((places or {}).get(name, np.zeros(len(owner))), int),
            curves={"recall": np.zeros(2)},
        )
        for name, one in values.items()
    }
    labels = ("new: no past", *(f"part {number}" for number in range(1, 50)))
    ages = Categories(age, ("cold", "young", "old"))
    return JudgedFold(STATISTICS, np.array(user), owner, {"history": Categories(history, labels)}, ages, systems, {})


def test_a_user_of_two_exams_counts_once_in_the_shares() -> None:
    """User 1 gains 0.5 and loses 0.5, user 2 gains, user 3 loses more than he gains."""
    first = made_up([1, 2, 3], {"a": [1.0, 1.0, 0.5], "b": [0.5, 0.5, 1.0]})
    second = made_up([1, 3], {"a": [0.5, 0.5], "b": [1.0, 0.25]})
    found = Backtest(CONFIG, [first, second], 0).differences("a")["b"]
    assert (found.better, found.equal, found.worse) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert found.mean == pytest.approx(((0.5 + 0.5 - 0.5) / 3 + (-0.5 + 0.25) / 2) / 2)
    assert found.users == 3


def test_the_interval_stays_among_values_that_exist() -> None:
    rng = np.random.default_rng(0)
    exams = [made_up(range(5 * one, 5 * one + 8), {"a": (rng.random(8) < 0.2).astype(float)}) for one in range(3)]
    figure = Backtest(CONFIG, exams, 0).figures()["a"]["mrr@2"]
    assert 0 <= figure["ci95"][0] <= figure["mean"] <= figure["ci95"][1] <= 1


def test_one_clear_segment_among_many_is_found() -> None:
    """With 200 resamples no p is below 0.01, and 40 tests would raise that to 0.4: more are drawn."""
    rng, users = np.random.default_rng(3), np.arange(40 * 40)
    segment = users % 40 + 1
    gain = rng.normal(0, 0.1, len(users)) + np.where(segment == 7, 0.3, 0)
    found = by_segment(
        Backtest(CONFIG, [made_up(users.tolist(), {"a": gain, "b": 0 * gain}, segment.tolist())], 0), [], "a", "b"
    )
    p = {label: one["difference"]["p_holm"] for label, one in found["history"].items()}
    assert [label for label, one in p.items() if one < 0.05] == ["part 7"]


def test_a_segment_of_few_users_is_not_tested() -> None:
    exam = made_up(range(32), {"a": [1.0] * 32, "b": [0.0] * 32}, [1] * 31 + [2])
    found = by_segment(Backtest(CONFIG, [exam], 0), [], "a", "b")["history"]
    assert found["part 2"]["difference"]["p"] is found["part 2"]["difference"]["p_holm"] is None
    assert found["part 1"]["difference"]["p_holm"] == found["part 1"]["difference"]["p"]


def test_users_sitting_apart_join_the_grouping_by_history_only() -> None:
    exam, apart = made_up([1, 2], {"a": [1, 0], "b": [0, 0]}, [1, 1]), made_up([3], {"a": [0.5], "b": [0]}, [0])
    backtest = Backtest(CONFIG, [exam], 0)
    found = by_segment(backtest, [apart], "a", "b")["history"]
    assert {label: (one["users"], one["systems"]["a"]["mean"]) for label, one in found.items()} == {
        "new: no past": (1, 0.5),
        "part 1": (2, 0.5),
    }
    cold = cold_users(backtest, [apart], "a")
    assert (cold["judged"], cold["users"], cold["systems"]["a"]["mrr@2"]["mean"]) == ("apart", 1, 0.5)
    assert cold["comparisons"]["b"]["mean"] == 0.5


def test_the_share_found_is_of_items_not_of_users() -> None:
    """Young: 3 wanted, a finds 2 within two places; old: 2 wanted, a finds 1, b none."""
    wanted = [(0, 1), (0, 1), (0, 2), (1, 1), (1, 2)]
    exam = made_up([4, 9], {"a": [0, 0], "b": [0, 0]}, None, wanted, {"a": [1, 2, 3, 0, 1], "b": [0, 1, 0, 0, 3]})
    ages = by_item_age(Backtest(CONFIG, [exam], 0), 2)["ages"]
    assert list(ages) == ["young", "old"]
    assert {label: (one["wanted"], one["share"]) for label, one in ages.items()} == {"young": (3, 0.6), "old": (2, 0.4)}
    shares = {label: {name: one["mean"] for name, one in entry["systems"].items()} for label, entry in ages.items()}
    assert shares["young"] == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert shares["old"] == pytest.approx({"a": 1 / 2, "b": 0})


def test_a_part_of_an_exam_keeps_who_wanted_what() -> None:
    exam = made_up([4, 9], {"a": [0.1, 0.2]}, [1, 2], [(0, 1), (1, 2), (1, 0)], {"a": [5, 6, 7]})
    part = exam.take(np.array([False, True]))
    assert (part.user.tolist(), part.owner.tolist(), part.systems["a"].place.tolist()) == ([9], [0, 0], [6, 7])
    assert part.item_age.code.tolist() == [2, 0]
    assert part.segments["history"].code.tolist() == [2]
    assert part.systems["a"].values["mrr@2"].tolist() == [0.2]
