"""Systems by how much is known of the user: new, 1 to 4, 5 to 19, 20 events or more, the same in every data set."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from encorec.data.history_lengths import LENGTHS
from encorec.evaluation.backtest.backtest import Backtest, difference_entry, with_holm
from encorec.evaluation.backtest.breakdown import LEAST_TESTED
from encorec.evaluation.backtest.judged import JudgedFold
from encorec.types import BoolVector

__all__ = ["LENGTHS", "by_length"]


def by_length(
    backtest: Backtest, apart: Sequence[JudgedFold], subject: str, rivals: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Events in the history -> users, the mean of ``subject`` and of every rival, and ``subject`` minus each rival.

    Lengths without users are left out; there are none at all where exams do not tell lengths. All differences are one
    family of tests (``p_holm``), those of fewer than ``LEAST_TESTED`` users left aside.

    Args:
        backtest: the exams.
        apart: exams of users without a past that it leaves out.
        subject: the system in question.
        rivals: that it is held against.
    """
    everybody = replace(backtest, exams=[*backtest.exams, *apart])
    length = np.concatenate([exam.length for exam in everybody.exams])
    if len(length) != len(everybody.pool):  # exams that were kept before lengths were
        return {}
    found: dict[str, dict[str, Any]] = {}
    for label, (least, most) in LENGTHS.items():
        kept = (length >= least) & (length <= (np.inf if most is None else most))
        if kept.any():
            found[label] = _entry(everybody, kept, subject, rivals)
    family = {
        (label, rival): gain
        for label, one in found.items()
        if one["users"] >= LEAST_TESTED
        for rival, gain in one["differences"].items()
    }
    for (label, rival), gain in with_holm(family).items():
        found[label]["differences"][rival] = gain
    return found


def _entry(backtest: Backtest, kept: BoolVector, subject: str, rivals: Sequence[str]) -> dict[str, Any]:
    pool, metric = backtest.pool, backtest.config.metric
    part = pool.take(kept)
    values = {name: backtest.values(name, metric)[kept] for name in (subject, *rivals)}
    gains = {name: backtest.difference(pool, subject, name, metric, kept) for name in rivals}
    return {
        "users": part.users,
        "systems": backtest.estimates(part, values),
        "differences": {name: {**difference_entry(one), "p_holm": None} for name, one in gains.items()},
    }
