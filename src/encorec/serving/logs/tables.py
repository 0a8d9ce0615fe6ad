"""Records of the logs as tables: one row per answer, one row per event; ids as text, as the state compares them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import polars as pl

from encorec.serving.logs.event_log import LoggedCall
from encorec.serving.logs.impressions import Impression

__all__ = ["EVENT_COLUMNS", "IMPRESSION_COLUMNS", "event_table", "impression_table"]

Schema: TypeAlias = dict[str, Any]

IMPRESSION_COLUMNS: Schema = {
    "request_id": pl.String,
    "time": pl.Float64,
    "user_id": pl.String,
    "session_id": pl.String,
    "placement": pl.String,
    "snapshot": pl.String,
    "variants": pl.List(pl.Struct({"experiment": pl.String, "variant": pl.String})),
    "items": pl.List(pl.String),
    "scores": pl.List(pl.Float64),
    "sources": pl.List(pl.List(pl.String)),
    "positions": pl.List(pl.Int32),
    "propensities": pl.List(pl.Float64),
    "degraded": pl.List(pl.String),
}
"""Columns of the table of impressions; what they mean stands at ``Impression``."""

EVENT_COLUMNS: Schema = {
    "event_id": pl.String,
    "user_id": pl.String,
    "item_id": pl.String,
    "type": pl.String,
    "time": pl.Float64,
    "weight": pl.Float64,
    "request_id": pl.String,
    "received": pl.Float64,
    "now": pl.Int64,
}
"""Columns of the table of events; what they mean stands at ``Event`` and ``LoggedCall``."""


def impression_table(records: Sequence[Impression]) -> pl.DataFrame:
    """One row per answer.

    Example:
        >>> shown = {"items": [242], "scores": [0.5], "sources": [["als"]], "positions": [1], "propensities": [1.0]}
        >>> one = Impression(request_id="r", time=50.0, user_id=17, placement="main", snapshot="s", **shown)
        >>> impression_table([one]).select("user_id", "items").row(0)
        ('17', ['242'])
    """
    columns: dict[str, list[Any]] = {
        "request_id": [one.request_id for one in records],
        "time": [one.time for one in records],
        "user_id": [None if one.user_id is None else str(one.user_id) for one in records],
        "session_id": [one.session_id for one in records],
        "placement": [one.placement for one in records],
        "snapshot": [one.snapshot for one in records],
        "variants": [[{"experiment": e, "variant": v} for e, v in one.variants.items()] for one in records],
        "items": [list(map(str, one.items)) for one in records],
        "scores": [one.scores for one in records],
        "sources": [one.sources for one in records],
        "positions": [one.positions for one in records],
        "propensities": [one.propensities for one in records],
        "degraded": [one.degraded for one in records],
    }
    return pl.DataFrame(columns, schema=IMPRESSION_COLUMNS)


def event_table(records: Sequence[LoggedCall]) -> pl.DataFrame:
    """One row per event, in order; of events of one name the first.

    Example:
        >>> from encorec.serving.state.store import Event
        >>> event = Event(event_id="e1", user_id=17, item_id=242, time=50.0)
        >>> call = LoggedCall(received=50.2, now=51, events=(event, event))
        >>> event_table([call]).select("event_id", "item_id", "received").rows()
        [('e1', '242', 50.2)]
    """
    rows = [
        (
            *(one.event_id, str(one.user_id), str(one.item_id), one.type, one.time, one.weight, one.request_id),
            *(call.received, call.now),
        )
        for call in records
        for one in call.events
    ]
    frame = pl.DataFrame(rows, schema=EVENT_COLUMNS, orient="row")
    return frame.unique("event_id", keep="first", maintain_order=True)
