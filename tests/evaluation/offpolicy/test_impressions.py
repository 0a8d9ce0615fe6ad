"""The service's impressions and events as a log that policies can be judged by."""

import polars as pl
import pytest

from encorec.errors import DataError
from encorec.evaluation.offpolicy import OffPolicyConfig, evaluate_policy, log_of

SHOWN = pl.DataFrame(
    {
        "request_id": ["r2", "r1", "r3"],
        "user": [5, 6, 5],
        "items": [[7, 8], [8, 9], []],
        "positions": [[1, 2], [1, 2], []],
        "propensities": [[0.5, 0.25], [0.5, 1.0], []],
    },
    schema_overrides={"items": pl.List(pl.Int64), "positions": pl.List(pl.Int64), "propensities": pl.List(pl.Float64)},
)
EVENTS = pl.DataFrame(
    {"request_id": ["r1", "r1", None, "r2"], "item_id": [9, 9, 7, 99], "minutes": [3.0, 4.0, 9.0, 1.0]}
)


def test_impressions_and_events_are_joined() -> None:
    log = log_of(SHOWN, EVENTS, context=["user"])
    assert log.rows() == [
        ("r1", 1, "8", 0.5, 0.0, 6),
        ("r1", 2, "9", 1.0, 1.0, 6),
        ("r2", 1, "7", 0.5, 0.0, 5),
        ("r2", 2, "8", 0.25, 0.0, 5),
    ]
    assert log_of(SHOWN, EVENTS, value="minutes")["reward"].to_list() == [0, 7, 0, 0]


def test_rows_of_items_are_the_same_as_lists() -> None:
    rows = SHOWN.filter(pl.col("items").list.len() > 0).explode("items", "positions", "propensities")
    rows = rows.rename({"items": "item_id", "positions": "position", "propensities": "propensity"})
    assert log_of(rows, EVENTS).equals(log_of(SHOWN, EVENTS))


def test_the_log_is_judged() -> None:
    ranking = pl.DataFrame({"request_id": ["r1", "r1", "r2", "r2"], "position": [1, 2] * 2, "action": [8, 9, 8, 7]})
    found = evaluate_policy(log_of(SHOWN, EVENTS), ranking, config=OffPolicyConfig(min_ess=0, force=True, resamples=20))
    assert found.estimators["sips"]["value"] == pytest.approx(2 * 1 / 2)


@pytest.mark.parametrize(
    ("shown", "events", "message"),
    [
        (SHOWN.drop("propensities"), EVENTS, "no column 'propensities'"),
        (SHOWN.with_columns(positions=pl.lit([1], pl.List(pl.Int64))), EVENTS, "of another length"),
        (SHOWN.with_columns(items=pl.lit("7")), EVENTS, "column 'items' holds no lists"),
        (pl.concat([SHOWN, SHOWN]), EVENTS, "column 'request_id' has 4 values with two items at one position"),
        (SHOWN, EVENTS.with_columns(request_id=pl.lit("r9")), "no event belongs to an item shown"),
        (SHOWN, EVENTS.with_columns(request_id=pl.lit(None, pl.String)), "no event has a request_id"),
        (SHOWN.with_columns(propensities=pl.col("propensities") * 2), EVENTS, "column 'propensity' has 1 value"),
    ],
)
def test_mistakes_are_named(shown: pl.DataFrame, events: pl.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        log_of(shown, events)
