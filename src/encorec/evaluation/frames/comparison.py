"""Which system is better, and can it be chance? Every system against one reference, paired user by user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from encorec.errors import ConfigError, unknown_name
from encorec.evaluation.evaluate import Evaluation, parse_metric
from encorec.evaluation.frames.inputs import TableLike
from encorec.evaluation.frames.judging import judged, per_user_frame, places
from encorec.evaluation.frames.selection import chosen, only_quality, without_features
from encorec.evaluation.frames.tables import Evidence, number_tables, open_tables
from encorec.evaluation.options import DEFAULT_OPTIONS, MetricOptions
from encorec.evaluation.uncertainty import Comparison, Difference, compare_systems

__all__ = ["Compared", "compare_lists"]


@dataclass(frozen=True)
class Compared:
    """Every system against the reference.

    Args:
        reference: name of the system that the others are held against.
        means: system -> metric -> mean over users, or the value of the catalogue.
        differences: system -> metric of users -> system minus reference, user by user.
        adjusted_p: system -> metric of users -> p, adjusted by Holm over the systems.
        per_user: system -> user_id and one column per metric of users; frames of the kind that its lists came in.
        users: of the truth.
        covered_users: system -> users who have a list.
        ignored_users: system -> users with a list who are not in the truth.
        seed: of the bootstrap; every comparison draws the same users.
        resamples: of the bootstrap.

    Example:
        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": range(9), "item_id": ["a"] * 9})
        >>> other = truth.with_columns(item_id=pl.Series(["b"] * 9), rank=1)
        >>> found = compare_lists({"old": other, "new": truth.with_columns(rank=1)}, truth, ["map@10"], resamples=99)
        >>> found.reference, found.differences["new"]["map@10"].mean, found.adjusted_p["new"]["map@10"]
        ('old', 1.0, 0.02)
    """

    reference: str
    means: dict[str, dict[str, float]]
    differences: dict[str, dict[str, Difference]]
    adjusted_p: dict[str, dict[str, float]]
    per_user: dict[str, Any]
    users: int
    covered_users: dict[str, int]
    ignored_users: dict[str, int]
    seed: int
    resamples: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a metric of the catalogue has a difference, but no interval and no p."""
        return {
            "reference": self.reference,
            "users": self.users,
            "systems": {name: self._system(name) for name in self.means},
            "comparisons": {
                name: {metric: self._comparison(name, metric) for metric in self.means[name]}
                for name in self.means
                if name != self.reference
            },
            "seed": self.seed,
            "resamples": self.resamples,
        }

    def _system(self, name: str) -> dict[str, Any]:
        counts = {"covered_users": self.covered_users[name], "ignored_users": self.ignored_users[name]}
        return {"means": self.means[name], **counts}

    def _comparison(self, system: str, metric: str) -> dict[str, Any]:
        difference = self.differences[system].get(metric)
        if difference is None:
            gap = self.means[system][metric] - self.means[self.reference][metric]
            return {"mean": gap, "ci95": None, "p": None, "p_holm": None}
        mean, low, high = (one + 0.0 for one in (difference.mean, difference.low, difference.high))  # -0.0 reads badly
        return {
            "mean": mean,
            "ci95": [low, high],
            "p": difference.p,
            "p_holm": self.adjusted_p[system][metric],
            "better": difference.better,
            "equal": difference.equal,
            "worse": difference.worse,
        }


def compare_lists(
    recs: Mapping[str, TableLike],
    truth: TableLike,
    wanted: Sequence[str] | None = None,
    *,
    reference: str | None = None,
    at: Sequence[int] = (10,),
    train: TableLike | None = None,
    items: TableLike | None = None,
    features: Sequence[str] | None = None,
    options: MetricOptions = DEFAULT_OPTIONS,
    seed: int = 0,
    resamples: int = 1000,
) -> Compared:
    """Hold the lists of several systems against those of one, paired by user, on the same truth.

    A difference is system minus reference; p is two-sided and adjusted by Holm over the systems, metric by metric.
    Tables and conventions are those of ``metrics``; intersection, and unexpectedness without ``train``, hold every
    list against that of the reference.

    Args:
        recs: name of a system -> its lists: user_id, item_id and rank or score; at least two systems.
        truth: user_id, item_id and maybe gain.
        wanted: metrics such as ``ndcg@10``, or ``ndcg`` at each of ``at``; none = all that the tables allow.
        reference: name of the system that the others are held against; none = the first.
        at: cut-offs of the names without one.
        train: user_id and item_id of what the systems learnt from.
        items: item_id and feature columns.
        features: columns of ``items`` that are compared; none = all that look like features.
        options: conventions of the metrics.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        DataError: a table that cannot be used: names the file, the column, the count and the first bad row.
        ConfigError: one system only, no such reference, or a metric that does not exist or lacks what it reads.

    Example:
        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1, 2], "item_id": ["a", "b"]})
        >>> one, two = truth[:1].with_columns(rank=1), truth.with_columns(rank=1)
        >>> compare_lists({"one": one, "two": two}, truth, ["mrr@5"]).differences["two"]["mrr@5"].better
        0.5
    """
    base = _reference(recs, reference)
    given = {"train": train, "items": items, "reference": base}
    names = chosen(wanted, at, [name for name, table in given.items() if table is not None])
    tables = open_tables(recs, truth, train, items, features)
    evidence = number_tables(tables, places(names, options), repeats=only_quality(names))
    if wanted is None and not evidence.described:
        names = without_features(names)
    found = {name: _judged(evidence, name, base, names, options) for name in recs}
    pairs = _compared(found, base, seed, resamples)
    return Compared(
        base,
        {name: {metric: one.means[metric] for metric in names} for name, one in found.items()},
        {name: {metric: one.difference for metric, one in of_all.items()} for name, of_all in pairs.items()},
        {name: {metric: one.adjusted_p for metric, one in of_all.items()} for name, of_all in pairs.items()},
        {name: per_user_frame(evidence.users, one, recs[name]) for name, one in found.items()},
        found[base].users,
        {name: one.covered_users for name, one in found.items()},
        {name: one.ignored_users for name, one in evidence.shown.items()},
        seed,
        resamples,
    )


def _reference(recs: Mapping[str, TableLike], reference: str | None) -> str:
    if len(recs) < 2:
        raise ConfigError(f"a comparison needs the lists of two systems or more, got {len(recs)}")
    if reference is not None and reference not in recs:
        raise ConfigError(unknown_name("reference", reference, recs))
    return next(iter(recs)) if reference is None else reference


def _judged(evidence: Evidence, name: str, base: str, names: Sequence[str], options: MetricOptions) -> Evaluation:
    """One system by all metrics; intersection, and unexpectedness without train, are held against the reference."""
    shown, other = evidence.shown[name].item, evidence.shown[base].item
    by_lists = {"intersection"} if evidence.train is not None else {"intersection", "unexpectedness"}
    beside = [one for one in names if parse_metric(one).name in by_lists]
    found = judged(evidence, shown, [one for one in names if one not in beside], options)
    if not beside:
        return found
    return replace(found, per_user=found.per_user | judged(evidence, shown, beside, options, other).per_user)


def _compared(
    found: Mapping[str, Evaluation], base: str, seed: int, resamples: int
) -> dict[str, dict[str, Comparison]]:
    """System -> metric of users -> it against the reference; every pair of systems draws the same users."""
    pairs: dict[str, dict[str, Comparison]] = {name: {} for name in found if name != base}
    for metric in found[base].per_user:
        values = {name: one.per_user[metric] for name, one in found.items()}
        rng = np.random.default_rng(seed)
        for one in compare_systems(values, rng=rng, baseline=base, resamples=resamples):
            pairs[one.first][metric] = one
    return pairs
