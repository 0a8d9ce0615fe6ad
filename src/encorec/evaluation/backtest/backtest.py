"""Several exams become one report: means over exams, their spread, paired differences with users as units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from encorec.evaluation.backtest.judged import JudgedFold
from encorec.evaluation.backtest.pooling import Pool
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.uncertainty import Difference, Estimate, compare, holm, intervals, mean_over_users
from encorec.types import BoolVector, FloatVector

__all__ = ["Backtest", "difference_entry", "with_holm"]


@dataclass(frozen=True)
class Backtest:
    """Exams that the same systems sat.

    Args:
        config: how they were judged.
        exams: at least one, oldest first.
        seed: of the bootstrap; every figure starts it anew, so one does not depend on the others.

    Example:
        >>> from encorec.evaluation.backtest.settings import EvaluationConfig
        >>> Backtest(EvaluationConfig(), [], 0).exams
        []
    """

    config: EvaluationConfig
    exams: Sequence[JudgedFold]
    seed: int

    @property
    def systems(self) -> list[str]:
        """Names of all systems."""
        return list(self.exams[0].systems)

    @cached_property
    def pool(self) -> Pool:
        """Who answered in which exam."""
        return Pool.of([exam.user for exam in self.exams])

    def values(self, system: str, metric: str) -> FloatVector:
        """(m,) values of all answers, exam after exam."""
        return np.concatenate([exam.systems[system].values[metric] for exam in self.exams])

    def only(self, exam: int) -> "Backtest":
        """One exam by itself."""
        return replace(self, exams=[self.exams[exam]])

    def rng(self) -> np.random.Generator:
        """A new stream of the seed."""
        return np.random.default_rng(self.seed)

    def figures(self, told: Callable[[str], None] | None = None) -> dict[str, Any]:
        """System -> every metric with its interval; those of all lists together have none.

        Args:
            told: hears which system is at work.
        """
        pool, found = self.pool, dict[str, Any]()
        for system in self.systems:
            if told:
                told(system)
            found[system] = self._of_system(pool, system)
        return found

    def differences(self, subject: str, metric: str | None = None) -> dict[str, Difference]:
        """``subject`` minus each other system, paired by user.

        Args:
            subject: a system.
            metric: none = that of the verdict.
        """
        pool = self.pool
        others = [name for name in self.systems if name != subject]
        return {name: self.difference(pool, subject, name, metric or self.config.metric) for name in others}

    def difference(
        self, pool: Pool, subject: str, other: str, metric: str, kept: BoolVector | None = None
    ) -> Difference:
        """``subject`` minus ``other``, paired by user; over the answers where ``kept`` (m,).

        Shares of users better, equal and worse go by what each user gained over all his exams.
        """
        first, second = (self.values(name, metric) for name in (subject, other))
        if kept is not None:
            pool, first, second = pool.take(kept), first[kept], second[kept]
        ours, theirs = pool.per_user(first), pool.per_user(second)
        found = compare(ours, theirs, rng=self.rng(), resamples=self.config.resamples)
        if pool.users == len(pool):
            return found
        gain = first - second
        total = np.bincount(pool.unit, gain)
        total[np.abs(total) < 1e-12] = 0
        better, equal, worse = (float(np.mean(np.sign(total) == sign)) for sign in (1, 0, -1))
        low, high = np.clip([found.low, found.high], gain.min(), gain.max()).tolist()
        return replace(found, low=low, high=high, better=better, equal=equal, worse=worse)

    def estimates(self, pool: Pool, values: Mapping[str, FloatVector]) -> dict[str, Any]:
        """Name -> mean and interval of its (m,) ``values``, ready for JSON."""
        per_user = {name: pool.per_user(one) for name, one in values.items()}
        return self.entries(per_user, {name: (float(one.min()), float(one.max())) for name, one in values.items()})

    def entries(self, per_user: Mapping[str, FloatVector], within: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        """Name -> mean and interval of one value per user; ``within`` lies every mean that there can be."""
        found = intervals(per_user, rng=self.rng(), resamples=self.config.resamples)
        return {name: _entry(one, *within[name]) for name, one in found.items()}

    def spread(self) -> dict[str, Any]:
        """System -> metric -> mean, standard deviation, least and largest of the exams' means."""
        return {
            name: {metric: _spread(np.array(means)) for metric, means in self._exam_means(name).items()}
            for name in self.systems
        }

    def curves(self) -> dict[str, Any]:
        """System -> recall, precision and ndcg at every k, mean over exams."""
        width = min(len(one) for exam in self.exams for one in exam.systems[self.systems[0]].curves.values())
        systems: dict[str, dict[str, list[float]]] = {name: {} for name in self.systems}
        for name, metrics in systems.items():
            for metric in self.exams[0].systems[name].curves:
                drawn = [exam.systems[name].curves[metric][:width] for exam in self.exams]
                metrics[metric] = np.mean(drawn, axis=0).tolist()
        return {"k": list(range(1, width + 1)), "systems": systems}

    def shifts(self) -> dict[str, Any]:
        """Retriever -> the crosstab of its ranks and the final ranks, added up over exams."""
        found: dict[str, Any] = {}
        for name, shift in self.exams[0].shifts.items():
            for exam in self.exams[1:]:
                shift = shift + exam.shifts[name]
            found[name] = {
                "retriever_rank": list(shift.before), "final_rank": list(shift.after),
                "items": shift.items.tolist(), "hits": shift.hits.tolist(),
            }  # fmt: skip
        return found

    def _of_system(self, pool: Pool, system: str) -> dict[str, Any]:
        first = self.exams[0].systems[system]
        values = {metric: self.values(system, metric) for metric in first.values}
        means = {
            name: float(np.mean([exam.systems[system].catalogue[name] for exam in self.exams]))
            for name in first.catalogue
        }
        covered = np.concatenate([exam.systems[system].covered for exam in self.exams])
        missed = np.bincount(pool.unit, ~covered, minlength=pool.users)
        return {
            **self.estimates(pool, values),
            **{name: {"mean": value, "ci95": None} for name, value in means.items()},
            "users": pool.users,
            "covered_users": int(np.count_nonzero(missed == 0)),
        }

    def _exam_means(self, system: str) -> dict[str, list[float]]:
        judged = [exam.systems[system] for exam in self.exams]
        means = {name: [mean_over_users(one.values[name]) for one in judged] for name in judged[0].values}
        return means | {name: [one.catalogue[name] for one in judged] for name in judged[0].catalogue}


def difference_entry(one: Difference) -> dict[str, Any]:
    """A paired difference, ready for JSON.

    Example:
        >>> difference_entry(Difference(0.1, 0.0, 0.2, 0.04, 0.3, 0.5, 0.2, users=9))["ci95"]
        [0.0, 0.2]
    """
    return {
        "mean": one.mean, "ci95": [one.low, one.high], "p": one.p,
        "better": one.better, "equal": one.equal, "worse": one.worse,
    }  # fmt: skip


def with_holm(entries: Mapping[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Differences with ``p_holm``, their p adjusted for how many of them were tested together.

    Args:
        entries: of ``difference_entry``, one family of tests.

    Example:
        >>> found = with_holm({"als": {"p": 0.01}, "knn": {"p": 0.03}})
        >>> found["als"]["p_holm"], found["knn"]["p_holm"]
        (0.02, 0.03)
    """
    adjusted = holm([one["p"] for one in entries.values()])
    return {name: {**one, "p_holm": p} for (name, one), p in zip(entries.items(), adjusted, strict=True)}


def _entry(one: Estimate, least: float, most: float) -> dict[str, Any]:
    low, high = min(max(one.low, least), one.mean), max(min(one.high, most), one.mean)
    return {"mean": one.mean, "ci95": [low, high]}


def _spread(means: FloatVector) -> dict[str, float | None]:
    sd = float(means.std(ddof=1)) if len(means) > 1 else None
    return {"mean": float(means.mean()), "sd": sd, "min": float(means.min()), "max": float(means.max())}
