"""The data sets that peers are compared on: reference configurations, and files that the user has to bring."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl
from benchmarks.record import ROOT

from encorec.config import load_toml
from encorec.data.dataset import Dataset
from encorec.data.sources import FeatureColumns, Source, SyntheticKion, load, load_frame
from encorec.workflow import RunConfig

__all__ = ["DATA", "PeerData", "parse_arguments"]

HERE = Path(__file__).parent
CONFIGS = ROOT / "configs"
FILMS = FeatureColumns(numeric=("year",), tags=("genres",))
PEOPLE = FeatureColumns(categorical=("gender", "age", "occupation"))


@dataclass(frozen=True)
class PeerData:
    """A data set and how it is examined.

    Args:
        name: in tables.
        config: TOML file of the run.
        variable: environment variable that names the folder of its files; none = it needs none.
        read: folder -> data set, for those with a variable.
        source: in place of the one that the configuration names.
    """

    name: str
    config: Path
    variable: str | None = None
    read: Callable[[Path], Dataset] | None = None
    source: Source | None = None

    @property
    def option(self) -> str:
        """The command line option that names the folder."""
        return f"--{self.name}"

    def run(self) -> RunConfig:
        """The configuration under this name."""
        run = load_toml(self.config, RunConfig)
        return msgspec.structs.replace(run, name=self.name, data=self.source or run.data)

    def load(self, run: RunConfig, folder: Path | None) -> Dataset:
        """The data set."""
        if self.read is None:
            return load(run.data)
        if folder is None:
            raise ValueError(f"{self.name} needs the folder of its files")
        return self.read(folder)


def movielens_1m(folder: Path) -> Dataset:
    """MovieLens-1M from ``users.dat``, ``movies.dat`` and ``ratings.dat`` or a gzipped part of it."""
    ratings = next(iter(sorted(folder.glob("ratings*.dat*"))), folder / "ratings.dat")
    log = _columns(ratings, ["user_id", "item_id", "stars", "timestamp"])
    users = _columns(folder / "users.dat", ["user_id", "gender", "age", "occupation", "zip"])
    films = _films(folder / "movies.dat")
    log = log.select(pl.col("user_id", "item_id", "timestamp").cast(pl.Int64))
    users = users.with_columns(pl.col("user_id").cast(pl.Int64))
    return load_frame(log, users=users, items=films, user_columns=PEOPLE, item_columns=FILMS, name="movielens-1m")


def movietweetings(folder: Path) -> Dataset:
    """MovieTweetings from ``ratings.dat`` and ``movies.dat``."""
    log = _columns(folder / "ratings.dat", ["user_id", "item_id", "stars", "timestamp"])
    log = log.select(pl.col("user_id", "item_id", "timestamp").cast(pl.Int64))
    return load_frame(log, items=_films(folder / "movies.dat"), item_columns=FILMS, name="movietweetings")


def _films(path: Path) -> pl.DataFrame:
    """Ids, titles, years and genres."""
    films = _columns(path, ["item_id", "title", "genres"])
    return films.with_columns(
        pl.col("item_id").cast(pl.Int64), year=pl.col("title").str.extract(r"\((\d{4})\)$").cast(pl.Float64)
    )


def _columns(path: Path, names: Sequence[str]) -> pl.DataFrame:
    """A file with ``::`` between its columns, as text."""
    lines = pl.read_csv(
        path, has_header=False, new_columns=["line"], separator="\x01", quote_char=None, encoding="utf8-lossy"
    )
    parts = pl.col("line").str.split_exact("::", len(names) - 1).struct.rename_fields(list(names))
    return lines.select(parts.alias("parts")).unnest("parts")


DATA = (
    PeerData("movielens-100k", CONFIGS / "movielens-100k.toml"),
    PeerData("complete-journey", CONFIGS / "complete-journey.toml"),
    PeerData("complete-journey-new", CONFIGS / "complete-journey-new.toml"),
    PeerData("synthetic-kion-tenth", CONFIGS / "synthetic-kion.toml", source=SyntheticKion(users=96_218)),
    PeerData("movielens-1m", CONFIGS / "movielens-100k.toml", "MOVIELENS_1M", movielens_1m),
    PeerData("movietweetings", HERE / "movietweetings.toml", "MOVIETWEETINGS", movietweetings),
)


def parse_arguments() -> list[tuple[PeerData, Path | None]]:
    """The data sets that are named, or all; those whose files are not given are left out, which is said."""
    parser = argparse.ArgumentParser(description="Quality of Encorec beside RecTools, same split, same metric code.")
    parser.add_argument("names", nargs="*", metavar="DATA", help="only these: " + ", ".join(one.name for one in DATA))
    for one in DATA:
        if one.variable:
            given = os.environ.get(one.variable)
            text = f"folder of its files (default: the variable {one.variable})"
            parser.add_argument(one.option, dest=one.name, type=Path, default=given and Path(given), help=text)
    given = vars(parser.parse_args())
    if unknown := set(given["names"]) - {one.name for one in DATA}:
        parser.error(f"unknown data: {', '.join(sorted(unknown))}; known are {', '.join(one.name for one in DATA)}")
    wanted = [one for one in DATA if not given["names"] or one.name in given["names"]]
    missing = [one for one in wanted if one.variable and given[one.name] is None]
    for one in missing:
        print(f"{one.name}: left out, its files are not given (option {one.option} or variable {one.variable})")
    return [(one, given.get(one.name)) for one in wanted if one not in missing]
