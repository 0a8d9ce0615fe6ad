"""From the log of impressions to the log of an experiment: which unit met which variant, and when first."""

import os
from pathlib import Path

import polars as pl

from encorec.errors import DataError
from encorec.experiment.spec import ExperimentSpec
from encorec.serving.experiments.rollouts import SESSION_UNITS
from encorec.serving.logs.service_logs import IMPRESSIONS

__all__ = ["exposures_of", "open_impressions", "write_exposures"]

_COLUMNS = ("time", "user_id", "session_id", "variants")


def open_impressions(tables: str | Path) -> pl.LazyFrame:
    """The table of impressions that ``encorec logs compact`` made.

    Args:
        tables: its folder, that of the impressions in it, or one Parquet file.

    Raises:
        DataError: there are none.

    Example:
        >>> open_impressions("no-such-folder")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such-folder: holds no tables of impressions; make them with encorec logs compact
    """
    path = Path(tables)
    below = path / IMPRESSIONS if (path / IMPRESSIONS).is_dir() else path
    files = [path] if path.is_file() else sorted(below.glob("*.parquet"))
    if not files:
        raise DataError(f"{path}: holds no tables of impressions; make them with encorec logs compact")
    return pl.scan_parquet(files)


def exposures_of(impressions: pl.DataFrame | pl.LazyFrame, spec: ExperimentSpec) -> pl.DataFrame:
    """Units of an experiment with the variant that they met, as ``encorec experiment analyze`` reads them.

    Every answer counts, also one that was degraded: a variant that makes answers fail would hide its failures
    otherwise. A unit that met two variants has two rows, so that the analysis can see it.

    Args:
        impressions: with ``time`` (seconds since 1970), ``user_id``, ``session_id`` and ``variants``, a list of structs
            of ``experiment`` and ``variant``.
        spec: of the experiment.

    Returns:
        unit, variant, first_exposed_at (UTC), by unit and variant.

    Raises:
        DataError: a column is missing, or nobody met the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> met = [[{"experiment": "shelf", "variant": "b"}]] * 2
        >>> log = {"time": [60.0, 50.0], "user_id": ["17", "17"], "session_id": [None, "s"], "variants": met}
        >>> exposures_of(pl.DataFrame(log, schema_overrides={"session_id": pl.String}), spec).rows()
        [('17', 'b', datetime.datetime(1970, 1, 1, 0, 0, 50, tzinfo=zoneinfo.ZoneInfo(key='UTC')))]
    """
    rows = impressions.lazy()
    known = rows.collect_schema().names()
    missing = [name for name in _COLUMNS if name not in known]
    if missing:
        raise DataError(f"impressions: no column {missing[0]!r}; wanted are {', '.join(_COLUMNS)}")
    by_session = spec.unit in SESSION_UNITS
    unit = pl.col("session_id") if by_session else pl.coalesce("user_id", "session_id")
    met = rows.select(pl.col("time"), unit.cast(pl.String).alias("unit"), pl.col("variants")).explode("variants")
    found = (
        met.unnest("variants")
        .filter((pl.col("experiment") == spec.name) & pl.col("unit").is_not_null())
        .group_by("unit", "variant")
        .agg(pl.col("time").min())
        .sort("unit", "variant")
        .select(
            "unit",
            "variant",
            first_exposed_at=(pl.col("time") * 1e6).cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        )
        .collect()
    )
    if found.is_empty():
        raise DataError(f"impressions: nobody met the experiment {spec.name!r}; was it served, and is this its name?")
    return found


def write_exposures(exposures: pl.DataFrame, path: str | Path) -> None:
    """Write what ``exposures_of`` gives; the file appears whole or not at all.

    Args:
        exposures: unit, variant, first_exposed_at.
        path: a .csv or .parquet file.

    Raises:
        DataError: another kind of file, or it cannot be written.

    Example:
        >>> write_exposures(pl.DataFrame(), "exposures.txt")
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: exposures.txt: allowed are .csv and .parquet files
    """
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise DataError(f"{path}: allowed are .csv and .parquet files")
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        if path.suffix.lower() == ".csv":
            exposures.write_csv(draft, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
        else:
            exposures.write_parquet(draft)
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); check folder and rights") from error
    finally:
        draft.unlink(missing_ok=True)
