"""What the answers say: who is preferred, how sure that is, whether judges agree, whether a side was favoured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.experiment.side_by_side.agreement import fleiss_kappa, pairwise_kappa
from encorec.experiment.side_by_side.answers import Answer
from encorec.experiment.side_by_side.key import Key

__all__ = ["judge", "position_bias", "preference"]

_VOTES = ("a", "b", "tie")
_ALPHA = 0.05


def judge(answers: Sequence[Answer], key: Key) -> dict[str, Any]:
    """Everything that the answers say, for JSON.

    Several judges of one pair are not several pairs: the pair counts once, for the system that most of them chose.

    Args:
        answers: of any number of judges.
        key: of the page.

    Raises:
        DataError: no answers.

    Example:
        >>> from encorec.experiment.side_by_side.key import KeyTask
        >>> key = Key(page="p", a="als", b="ease", seed=0, k=10, tasks=(KeyTask(task=1, user="7", left="b"),))
        >>> found = judge([Answer("Ada", 1, "left", "b", "b")], key)
        >>> found["tasks"]["b"], found["verdict"]
        (1, 'no preference shown')
    """
    if not answers:
        raise DataError("no answers; judge at least one pair")
    votes = _by_judge(answers)
    tasks = _by_task(answers)
    wins = Counter(_majority(one) for one in tasks.values())
    found = preference(wins["a"], wins["b"], wins["tie"])
    counts = np.array([[one[name] for name in _VOTES] for one in tasks.values()])
    return {
        "systems": {"a": key.a, "b": key.b},
        "verdict": _verdict(found, key),
        "tasks": {"judged": len(tasks), "shown": len(key.tasks), **found},
        "answers": _answers(answers),
        "agreement": {"fleiss_kappa": fleiss_kappa(counts), "pairs": pairwise_kappa(votes, _VOTES)},
        "position_bias": position_bias(answers),
        "judges": [_judge(name, answers) for name in votes],
        "identical_lists": len(key.identical),
        "k": key.k,
        "seed": key.seed,
    }


def preference(a: int, b: int, tie: int) -> dict[str, Any]:
    """How sure it is that ``b`` is preferred, or ``a``; ties are left out, as in the sign test.

    Args:
        a: pairs for one system.
        b: pairs for the other.
        tie: pairs for neither.

    Returns:
        Counts, the share of ``b`` among decided pairs with its 95 % intervals (wilson1927; clopper1934, exact), and p
        of the two-sided sign test; none where nothing was decided.

    Example:
        >>> found = preference(a=2, b=8, tie=5)
        >>> found["share_b"], round(found["p"], 4), [round(one, 3) for one in found["wilson95"]]
        (0.8, 0.1094, [0.49, 0.943])
    """
    from scipy.stats import binomtest

    counts = {"a": a, "b": b, "tie": tie}
    if a + b == 0:
        return {**counts, "share_b": None, "wilson95": None, "exact95": None, "p": None}
    test = binomtest(b, a + b)
    ends = {name: test.proportion_ci(method=name) for name in ("wilson", "exact")}  # wilson1927; clopper1934
    return {
        **counts,
        "share_b": b / (a + b),
        **{f"{name}95": [float(one.low), float(one.high)] for name, one in ends.items()},
        "p": float(test.pvalue),
    }


def position_bias(answers: Sequence[Answer]) -> dict[str, Any]:
    """Whether a side was favoured: was a system chosen more often where it stood on the left? Fisher's exact test.

    Args:
        answers: of any number of judges; ties are left out.

    Returns:
        ``left_share`` of decided answers, ``bias`` (half of what standing on the left adds to a system's share; 0 =
        none), ``p`` and ``ok``; ``bias`` and ``p`` are none until each system was chosen from on either side.

    Example:
        >>> always = [Answer("Ada", task, "left", "ab"[task % 2], "ab"[task % 2]) for task in range(12)]
        >>> found = position_bias(always)
        >>> found["left_share"], found["bias"], found["ok"]
        (1.0, 0.5, False)
    """
    from scipy.stats import fisher_exact

    decided = [one for one in answers if one.system is not None]
    seen = Counter((one.left, one.system) for one in decided)
    table = np.array([[seen[left, chosen] for chosen in "ab"] for left in "ab"])
    left_share = float(np.trace(table) / len(decided)) if decided else None
    if not table.sum(1).all():
        return {"left_share": left_share, "bias": None, "p": None, "ok": True}
    chosen_a = table[:, 0] / table.sum(1)
    p = float(fisher_exact(table)[1])  # pyright: ignore[reportArgumentType]
    return {"left_share": left_share, "bias": float(chosen_a[0] - chosen_a[1]) / 2, "p": p, "ok": p >= _ALPHA}


def _by_judge(answers: Sequence[Answer]) -> dict[str, dict[int, str]]:
    votes: dict[str, dict[int, str]] = {}
    for one in answers:
        votes.setdefault(one.judge, {})[one.task] = one.vote
    return votes


def _by_task(answers: Sequence[Answer]) -> dict[int, Counter[str]]:
    tasks: dict[int, Counter[str]] = {}
    for one in answers:
        tasks.setdefault(one.task, Counter())[one.vote] += 1
    return tasks


def _majority(votes: Mapping[str, int]) -> str:
    if votes["a"] == votes["b"]:
        return "tie"
    return "a" if votes["a"] > votes["b"] else "b"


def _answers(answers: Sequence[Answer]) -> dict[str, int]:
    counts = Counter(one.vote for one in answers)
    return {"count": len(answers), **{name: counts[name] for name in _VOTES}}


def _judge(name: str, answers: Sequence[Answer]) -> dict[str, Any]:
    own = [one for one in answers if one.judge == name]
    seconds = [one.seconds for one in own if one.seconds is not None]
    return {
        "judge": name,
        **_answers(own),
        "left": sum(one.choice == "left" for one in own),
        "right": sum(one.choice == "right" for one in own),
        "median_seconds": median(seconds) if seconds else None,
    }


def _verdict(found: Mapping[str, Any], key: Key) -> str:
    if found["p"] is None or found["p"] >= _ALPHA:
        return "no preference shown"
    return f"{key.b if found['share_b'] > 0.5 else key.a} is preferred"
