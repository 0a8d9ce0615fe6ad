"""Numbered tables in, values out: the metrics of one system's lists."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from encorec.errors import DataError
from encorec.evaluation.evaluate import Evaluation, evaluate
from encorec.evaluation.frames.inputs import USER
from encorec.evaluation.frames.tables import Evidence
from encorec.evaluation.metrics.metric_table import OF_CATALOGUE, parse_metric
from encorec.evaluation.options import MetricOptions
from encorec.types import BoolVector, IntMatrix

__all__ = ["beyond_catalogue", "judged", "per_user_frame", "places"]


def places(names: Sequence[str], options: MetricOptions) -> int | None:
    """Places of a list that any of the metrics looks at; none = all that there are.

    Example:
        >>> places(["map@10", "ndcg@20"], MetricOptions()), places(["r_precision"], MetricOptions())
        (20, None)
    """
    cuts = [parse_metric(name).k for name in names]
    return None if 0 in cuts else max(*cuts, options.intersection_reference_k or 0)


def judged(
    evidence: Evidence,
    lists: IntMatrix,
    names: Sequence[str],
    options: MetricOptions,
    reference: IntMatrix | None = None,
) -> Evaluation:
    """One system's lists by all metrics; users without a list count as 0.

    An item that is not in the catalogue adds nothing to the metrics of the catalogue.

    Args:
        evidence: numbered tables.
        lists: (n, width) item rows of the judged users.
        names: of metrics, with cut-offs.
        options: conventions.
        reference: (n, width') other lists of the same users, for intersection and unexpectedness.

    Raises:
        DataError: items outside a catalogue that must hold them all.
        ConfigError: a metric lacks what it reads.

    Example:
        >>> from encorec.evaluation.frames.tables import number_tables, open_tables
        >>> pairs = pl.DataFrame({"user_id": [9, 7], "item_id": ["a", "b"]})
        >>> evidence = number_tables(open_tables({"mine": pairs.with_columns(rank=1)}, pairs), width=2)
        >>> judged(evidence, evidence.shown["mine"].item, ["mrr@2"], MetricOptions()).means
        {'mrr@2': 1.0}
    """
    of_all = [name for name in names if parse_metric(name).name in OF_CATALOGUE]
    of_users = [name for name in names if name not in of_all]
    found = evaluate(
        lists,
        evidence.wanted.lists,
        of_users,
        train=evidence.train,
        item_features=evidence.features,
        options=options,
        gain=evidence.wanted.gain,
        user=evidence.train_user,
        reference=reference,
        catalogue=_whole_catalogue(evidence, lists) if options.serendipity_catalogue == "given" else None,
    )
    return replace(found, catalogue={name: _of_catalogue(evidence, lists, name, options) for name in of_all})


def _of_catalogue(evidence: Evidence, lists: IntMatrix, name: str, options: MetricOptions) -> float:
    metric = parse_metric(name)
    shown = lists[:, : metric.k]
    exposed = np.bincount(shown[shown >= 0], minlength=evidence.items)[: evidence.catalogue]
    return OF_CATALOGUE[metric.name](exposed, options)


def beyond_catalogue(evidence: Evidence, lists: IntMatrix) -> int:
    """How many different items of the lists are in no catalogue; 0 where no catalogue is known.

    Args:
        evidence: numbered tables.
        lists: (n, width) item rows.

    Example:
        >>> from encorec.evaluation.frames.tables import number_tables, open_tables
        >>> pairs = pl.DataFrame({"user_id": [9, 7], "item_id": ["a", "b"]})
        >>> evidence = number_tables(open_tables({"mine": pairs.with_columns(rank=1)}, pairs, pairs[:1]), width=2)
        >>> beyond_catalogue(evidence, evidence.shown["mine"].item)
        1
    """
    if evidence.catalogue is None:
        return 0
    return int(np.count_nonzero(np.bincount(lists[lists >= 0], minlength=evidence.items)[evidence.catalogue :]))


def _whole_catalogue(evidence: Evidence, lists: IntMatrix) -> BoolVector | None:
    """(items,) true for the items of the catalogue, which must hold every item of the lists."""
    outside = beyond_catalogue(evidence, lists)
    if outside:
        raise DataError(
            f'serendipity_catalogue="given": {outside} recommended items are neither in train nor in items; '
            "give all items that could be recommended"
        )
    return None if evidence.catalogue is None else np.arange(evidence.items) < evidence.catalogue


def per_user_frame(users: pl.Series, found: Evaluation, like: Any) -> Any:
    """user_id and the value of every metric of users, as a data frame of the kind of ``like``; polars for a path.

    Args:
        users: (n,) ids.
        found: values of the users at ``found.rows``.
        like: a data frame, or a path.

    Example:
        >>> from encorec.types import ItemLists
        >>> found = evaluate(np.array([[1]]), ItemLists.of([[1]]), ["mrr@1"])
        >>> per_user_frame(pl.Series(["anna"]), found, pl.DataFrame()).rows()
        [('anna', 1.0)]
    """
    frame = pl.DataFrame({USER: users[found.rows], **found.per_user})
    given = nw.from_native(like, pass_through=True)
    if not isinstance(given, nw.DataFrame) or given.implementation.is_polars():
        return frame
    columns = {one.name: one.to_list() if one.dtype == pl.String else one.to_numpy() for one in frame}
    return nw.from_dict(columns, backend=given.implementation).to_native()
