"""Where a mean hides something: systems by segment of users, by age of what was wanted, and on users without a past."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from encorec.evaluation.backtest.backtest import Backtest, difference_entry, with_holm
from encorec.evaluation.backtest.judged import JudgedFold
from encorec.evaluation.backtest.pooling import Pool
from encorec.evaluation.backtest.segments import HISTORY
from encorec.types import BoolVector, IntVector

__all__ = ["LEAST_TESTED", "by_item_age", "by_segment", "cold_users"]

LEAST_TESTED = 30
_RESAMPLES_PER_TEST = 100  # B resamples show no p below 2 / (B + 1), and m tests raise the smallest m times


def by_segment(
    backtest: Backtest,
    apart: Sequence[JudgedFold],
    subject: str,
    rival: str,
    told: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Grouping -> segment -> every system with its interval, and ``subject`` minus ``rival``, paired by user.

    A segment is averaged over all its answers in all exams. All differences are one family of tests (``p_holm``);
    segments of fewer than ``LEAST_TESTED`` users are too small for a bootstrap to test, so their p are none.

    Args:
        backtest: the exams.
        apart: exams of users without a past that ``backtest`` leaves out; they join the grouping by history.
        subject: the system in question.
        rival: what it is held against.
        told: hears which grouping is at work.
    """
    everybody = replace(backtest, exams=[*backtest.exams, *apart])
    asked = {name: everybody if name == HISTORY else backtest for name in backtest.exams[0].segments}
    parts = {name: _parts(one, name) for name, one in asked.items()}
    many = sum(
        one.pool.take(kept).users >= LEAST_TESTED for name, one in asked.items() for kept in parts[name].values()
    )
    groupings: dict[str, dict[str, Any]] = {}
    for name, one in asked.items():
        if told:
            told(name)
        resamples = max(backtest.config.resamples, _RESAMPLES_PER_TEST * many)
        groupings[name] = {label: _segment(one, kept, subject, rival, resamples) for label, kept in parts[name].items()}
    family = {
        (group, label): one["difference"]
        for group, segments in groupings.items()
        for label, one in segments.items()
        if one["users"] >= LEAST_TESTED
    }
    for (group, label), difference in with_holm(family).items():
        groupings[group][label]["difference"] = difference
    return groupings


def by_item_age(backtest: Backtest, k: int) -> dict[str, Any]:
    """Age of the wanted item -> how many there were, and the share of them that every system found in k places.

    Args:
        backtest: the exams.
        k: places.
    """
    exams, pool = backtest.exams, backtest.pool
    code = np.concatenate([exam.item_age.code for exam in exams])
    offsets = np.cumsum([0, *(len(exam) for exam in exams)])
    answer = np.concatenate([exam.owner + offset for exam, offset in zip(exams, offsets, strict=False)])
    place = {name: np.concatenate([exam.systems[name].place for exam in exams]) for name in backtest.systems}
    ages: dict[str, Any] = {}
    for number, label in enumerate(exams[0].item_age.values):
        wanted = code == number
        if not wanted.any():
            continue
        found = {name: wanted & (one > 0) & (one <= k) for name, one in place.items()}
        ages[label] = {
            "wanted": int(wanted.sum()),
            "share": float(wanted.mean()),
            "systems": _found_shares(backtest, pool, answer, wanted, found),
        }
    return {"k": k, "ages": ages}


def cold_users(backtest: Backtest, apart: Sequence[JudgedFold], subject: str) -> dict[str, Any]:
    """Every metric of every system on the users without a past.

    Args:
        backtest: the exams, whose truth may hold such users.
        apart: exams of those that it leaves out.
        subject: the system that is compared with the others.
    """
    within = [exam.take(exam.segments[HISTORY].code == 0) for exam in backtest.exams]
    exams = [exam for exam in [*within, *apart] if len(exam)]
    facts = {"judged": "apart" if apart else "with the others" if exams else "none", "users": 0, "wanted": 0}
    if not exams:
        return facts | {"systems": {}, "comparisons": {}}
    asked = replace(backtest, exams=exams)
    differences = {name: difference_entry(one) for name, one in asked.differences(subject).items()}
    return {
        **facts,
        "users": asked.pool.users,
        "wanted": sum(len(exam.owner) for exam in exams),
        "systems": asked.figures(),
        "comparisons": with_holm(differences),
    }


def _parts(backtest: Backtest, grouping: str) -> dict[str, BoolVector]:
    """Segment -> (m,) the answers in it; empty segments are left out."""
    code = np.concatenate([exam.segments[grouping].code for exam in backtest.exams])
    labels = backtest.exams[0].segments[grouping].values
    return {label: code == number for number, label in enumerate(labels) if (code == number).any()}


def _segment(backtest: Backtest, kept: BoolVector, subject: str, rival: str, resamples: int) -> dict[str, Any]:
    metric, pool = backtest.config.metric, backtest.pool.take(kept)
    values = {name: backtest.values(name, metric)[kept] for name in backtest.systems}
    finer = replace(backtest, config=msgspec.structs.replace(backtest.config, resamples=resamples))
    difference = difference_entry(finer.difference(backtest.pool, subject, rival, metric, kept))
    untested = {"p": None, "p_holm": None} if pool.users < LEAST_TESTED else {}
    return {
        "users": pool.users,
        "answers": len(pool),
        "systems": backtest.estimates(pool, values),
        "difference": {"against": rival, **difference, **untested},
    }


def _found_shares(
    backtest: Backtest, pool: Pool, answer: IntVector, wanted: BoolVector, found: dict[str, BoolVector]
) -> dict[str, Any]:
    """System -> share of the wanted items found, with users as the units that are drawn."""
    whole = np.bincount(answer, wanted, minlength=len(pool))
    asked = whole > 0
    some = pool.take(asked)
    values = {
        name: some.ratio(np.bincount(answer, one, minlength=len(pool))[asked], whole[asked])
        for name, one in found.items()
    }
    return backtest.entries(values, dict.fromkeys(values, (0.0, 1.0)))
