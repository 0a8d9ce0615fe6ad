"""From what a service showed and what users did then to a log that policies can be judged by."""

from collections.abc import Sequence

import polars as pl

from encorec.data.sources.sheets import Sheet
from encorec.data.sources.typed import ids, numbers
from encorec.errors import DataError
from encorec.evaluation.frames.inputs import TableLike, open_input

__all__ = ["log_of"]

_LISTS = ("items", "positions", "propensities")
_ROWS = ("item_id", "position", "propensity")


def log_of(
    impressions: TableLike, events: TableLike, *, value: str | None = None, context: Sequence[str] = ()
) -> pl.DataFrame:
    """The off-policy log of a service: one row for each item shown, with what it earned in that request.

    Args:
        impressions: path or frame, one row per request with ``request_id`` and the lists ``items``, ``positions`` and
            ``propensities``; or one row per item shown with ``request_id``, ``item_id``, ``position``, ``propensity``.
            A propensity is that of the item at its position, given the items above it.
        events: path or frame with ``request_id`` and ``item_id`` of what users took; events without a request are left
            out, as are those of items that the request did not show.
        value: column of the events that is summed up into the reward; none = the reward is 1 for an item that was
            taken, however often, and 0 otherwise.
        context: columns of the impressions to keep, to tell contexts apart.

    Returns:
        request_id, position, action, propensity, reward and the context, by request and position.

    Raises:
        DataError: a column is missing, a request is there twice, lists of unequal lengths, a propensity outside 0..1,
            or no event belongs to any impression.

    Example:
        >>> shown = {"request_id": ["r1"], "items": [[7, 9]], "positions": [[1, 2]], "propensities": [[0.5, 0.25]]}
        >>> log_of(pl.DataFrame(shown), pl.DataFrame({"request_id": ["r1"], "item_id": [9]})).rows()
        [('r1', 1, '7', 0.5, 0.0), ('r1', 2, '9', 0.25, 1.0)]
    """
    rows = _shown(open_input(impressions, "impressions", ["request_id"], None).sheet, list(context))
    sheet = open_input(events, "events", ["request_id", "item_id", *([value] if value else [])], ()).sheet
    taken = _taken(sheet, value)
    joined = rows.join(taken, on=["request_id", "action"], how="left", maintain_order="left")
    if joined["reward"].null_count() == len(joined):
        raise DataError(
            f"{sheet.where}: no event belongs to an item shown (by request_id and item_id); a log without any reward "
            "tells nothing: are the ids spelt alike?"
        )
    ordered = ["request_id", "position", "action", "propensity", "reward", *context]
    return joined.with_columns(pl.col("reward").fill_null(0.0)).select(ordered).sort("request_id", "position")


def _shown(sheet: Sheet, context: list[str]) -> pl.DataFrame:
    frame, lists = sheet.frame, "items" in sheet
    missing = [one for one in (*(_LISTS if lists else _ROWS), *context) if one not in sheet]
    if missing:
        raise DataError(
            f"{sheet.where}: no column {missing[0]!r}; impressions have {', '.join(_LISTS)} as lists, or "
            f"{', '.join(_ROWS)} row by row"
        )
    if lists:
        frame = _exploded(sheet, context)
    column = Sheet(frame, sheet.where).column
    chance = numbers(column("propensity"))
    column("propensity").refuse(
        chance.is_null() | (chance <= 0) | (chance > 1), "missing or outside 0..1 or 0", "log the probability, above 0"
    )
    found = pl.DataFrame(
        {
            "request_id": ids(column("request_id")).cast(pl.String),
            "action": ids(column("item_id")).cast(pl.String),
            "position": numbers(column("position")).cast(pl.Int64),
            "propensity": chance,
            **{name: frame[name] for name in context},
        }
    )
    again = found.select(again=pl.int_range(pl.len()).over("request_id", "position") > 0)["again"]
    column("request_id").refuse(again, "with two items at one position", "drop what was logged twice")
    return found


def _exploded(sheet: Sheet, context: list[str]) -> pl.DataFrame:
    """One row per item shown."""
    frame = sheet.frame.select("request_id", *_LISTS, *context)
    for name in _LISTS:
        if frame[name].dtype not in (pl.List, pl.Array):
            raise DataError(f"{sheet.where}: column {name!r} holds no lists; keep the log as Parquet or a data frame")
    lengths = [frame[name].list.len() for name in _LISTS]
    sheet.column("items").refuse(
        (lengths[0] != lengths[1]) | (lengths[0] != lengths[2]),
        "whose positions or propensities are of another length",
        "log one position and one propensity for every item",
    )
    kept = frame.filter(lengths[0] > 0)
    return kept.explode(*_LISTS).rename(dict(zip(_LISTS, _ROWS, strict=True)))


def _taken(sheet: Sheet, value: str | None) -> pl.DataFrame:
    """What each item earned in each request."""
    request = sheet.column("request_id")
    there = request.values.is_not_null()
    frame = sheet.frame.filter(there)
    if frame.is_empty():
        raise DataError(f"{sheet.where}: no event has a request_id; log it with every event")
    column = Sheet(frame, sheet.where).column
    amount = pl.Series("reward", [1.0]).new_from_index(0, len(frame)) if value is None else numbers(column(value))
    if value is not None:
        column(value).refuse(amount.is_null(), "missing", "fill or drop these rows")
    pairs = pl.DataFrame(
        {
            "request_id": ids(column("request_id")).cast(pl.String),
            "action": ids(column("item_id")).cast(pl.String),
            "reward": amount,
        }
    )
    added = pl.col("reward").max() if value is None else pl.col("reward").sum()
    return pairs.group_by("request_id", "action").agg(added)
