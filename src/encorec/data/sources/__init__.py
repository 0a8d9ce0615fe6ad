"""Where data sets come from: name a source, get a ``Dataset`` that is whole and checked, or an error that says why not.

``load(MovieLens100K())`` and the like for what a configuration can name, ``load_frame`` for what a notebook holds,
``describe`` for what is in it.
"""

from encorec.data.sources.assembly import Duplicates
from encorec.data.sources.catalogue import Source, SourceCard, catalogue, fetch, load
from encorec.data.sources.complete_journey import CompleteJourney
from encorec.data.sources.description import describe
from encorec.data.sources.kion import Kion
from encorec.data.sources.movielens import MovieLens100K
from encorec.data.sources.progress import Progress
from encorec.data.sources.roles import FeatureColumns
from encorec.data.sources.synthetic_kion import SyntheticKion
from encorec.data.sources.table import Table, load_frame

__all__ = [
    "CompleteJourney",
    "Duplicates",
    "FeatureColumns",
    "Kion",
    "MovieLens100K",
    "Progress",
    "Source",
    "SourceCard",
    "SyntheticKion",
    "Table",
    "catalogue",
    "describe",
    "fetch",
    "load",
    "load_frame",
]
