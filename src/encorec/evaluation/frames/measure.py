"""How good are these lists? ``metrics("lists.parquet", "truth.csv", ["map@10", "ndcg@10"])``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encorec.evaluation.frames.inputs import TableLike
from encorec.evaluation.frames.judging import beyond_catalogue, judged, per_user_frame, places
from encorec.evaluation.frames.selection import chosen, only_quality, without_features
from encorec.evaluation.frames.tables import number_tables, open_tables
from encorec.evaluation.options import DEFAULT_OPTIONS, MetricOptions
from encorec.evaluation.uncertainty import Estimate, intervals

__all__ = ["Measured", "metrics"]

_RECS, _REFERENCE = "recs", "reference"


@dataclass(frozen=True)
class Measured:
    """What the metrics said of one system's lists.

    Args:
        estimates: metric of users -> its mean and interval.
        catalogue: metric of all lists together -> its value.
        per_user: user_id and one column per metric of users; a data frame of the kind that the lists came in.
        order: names of all metrics, as they were asked for.
        counts: ``users`` of the truth, all of them in every mean; ``covered_users`` who have a list, the others count
            as 0; ``ignored_users`` with a list who are not in the truth; ``repeated_truth`` rows that named a pair of
            the truth again; ``beyond_catalogue``, different recommended items that are neither in train nor in items.
        skipped_pairs: ild metric -> pairs shown together that could not be compared.
        undefined: calibration or popularity_lift -> users of whom it cannot be told, counted as 0.
        seed: of the intervals.
        resamples: of the intervals.

    Example:
        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1, 2], "item_id": ["a", "b"]})
        >>> found = metrics(truth.with_columns(rank=1)[:1], truth, ["map@10"], resamples=100)
        >>> found.as_dict()["map@10"]
        {'mean': 0.5, 'ci95': [0.0, 1.0], 'users': 2}
        >>> found.per_user.rows(), found.counts["covered_users"]
        ([(1, 1.0), (2, 0.0)], 1)
    """

    estimates: dict[str, Estimate]
    catalogue: dict[str, float]
    per_user: Any
    order: tuple[str, ...]
    counts: dict[str, int]
    skipped_pairs: dict[str, int]
    undefined: dict[str, int]
    seed: int
    resamples: int

    @property
    def means(self) -> dict[str, float]:
        """Every metric as one number: the mean over users, or the value of the catalogue."""
        return {name: self._figure(name)["mean"] for name in self.order}

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: every metric with mean, ci95 (none for the catalogue) and users, then the counts."""
        figures = {name: self._figure(name) for name in self.order}
        rest = {"skipped_pairs": self.skipped_pairs, "undefined": self.undefined}
        counts = {name: count for name, count in self.counts.items() if name not in figures}
        return figures | counts | rest | {"seed": self.seed, "resamples": self.resamples}

    def _figure(self, name: str) -> dict[str, Any]:
        if name in self.catalogue:
            return {"mean": self.catalogue[name], "ci95": None, "users": self.counts["users"]}
        one = self.estimates[name]
        return {"mean": one.mean, "ci95": [one.low, one.high], "users": one.users}


def metrics(
    recs: TableLike,
    truth: TableLike,
    wanted: Sequence[str] | None = None,
    *,
    at: Sequence[int] = (10,),
    train: TableLike | None = None,
    items: TableLike | None = None,
    features: Sequence[str] | None = None,
    reference: TableLike | None = None,
    options: MetricOptions = DEFAULT_OPTIONS,
    seed: int = 0,
    resamples: int = 1000,
) -> Measured:
    """Judge one system's lists by any number of metrics, with 95 % intervals over users.

    Tables are paths of CSV or Parquet files, or data frames (polars, pandas, pyarrow). The order of their rows means
    nothing. A list shorter than a cut-off is judged at the cut-off; a user of the truth without a list counts as 0;
    a list of a user who is not in the truth is left out and counted. A list that holds an item twice is refused,
    unless only sufficient, unrepeated and covered_users are asked for.

    Args:
        recs: user_id, item_id and rank (1, 2, 3, ... per user) or score (higher is better, no ties); with both, the
            rank is read.
        truth: user_id, item_id and maybe gain, 0 or more; a pair that stands twice counts once.
        wanted: metrics such as ``ndcg@10``, or ``ndcg`` at each of ``at``; none = the usual ones that the tables allow.
        at: cut-offs of the names without one.
        train: user_id and item_id of what the system learnt from; for novelty, serendipity and popularity.
        items: item_id and feature columns; for diversity. Train and items together are the catalogue.
        features: columns of ``items`` that are compared; none = all that look like features.
        reference: lists like ``recs``; for intersection, and for unexpectedness in place of what is popular.
        options: conventions of the metrics.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Raises:
        DataError: a table that cannot be used: names the file, the column, the count and the first bad row.
        ConfigError: a metric that does not exist or lacks the table it reads.

    Example:
        >>> import polars as pl
        >>> truth = pl.DataFrame({"user_id": [1, 1, 2], "item_id": ["a", "b", "b"]})
        >>> recs = pl.DataFrame({"user_id": [1, 1, 2], "item_id": ["c", "a", "b"], "score": [0.9, 0.8, 0.1]})
        >>> metrics(recs, truth, ["map", "recall"], at=[2], resamples=100).means
        {'map@2': 0.625, 'recall@2': 0.75}
    """
    given = {"train": train, "items": items, _REFERENCE: reference}
    names = chosen(wanted, at, [name for name, table in given.items() if table is not None])
    systems = {_RECS: recs} if reference is None else {_RECS: recs, _REFERENCE: reference}
    tables = open_tables(systems, truth, train, items, features)
    evidence = number_tables(tables, places(names, options), repeats=only_quality(names))
    if wanted is None and not evidence.described:
        names = without_features(names)
    shown = evidence.shown[_RECS]
    other = None if reference is None else evidence.shown[_REFERENCE].item
    found = judged(evidence, shown.item, names, options, other)
    counts = {
        "users": found.users,
        "covered_users": found.covered_users,
        "ignored_users": shown.ignored_users,
        "repeated_truth": evidence.wanted.repeats,
        "beyond_catalogue": beyond_catalogue(evidence, shown.item),
    }
    return Measured(
        intervals(found.per_user, rng=np.random.default_rng(seed), resamples=resamples),
        found.catalogue,
        per_user_frame(evidence.users, found, recs),
        tuple(names),
        counts,
        found.skipped_pairs,
        found.undefined,
        seed,
        resamples,
    )
