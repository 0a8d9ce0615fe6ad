"""How large the data of a benchmark are: a share of KION, 1 unless told.

    BENCH_SCALE=0.1 make bench NAME=steps
    python -m benchmarks.speed.bench_steps --scale 0.1

Only figures at scale 1 are results; those of a trial at another scale stay in the cache.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.record import RESULTS, Measurement, write

from encorec.data.sources import SyntheticKion
from encorec.data.synthetic.figures import ITEMS, USERS

__all__ = ["CACHE", "SEED", "Size", "parser", "report"]

SEED = 7
CACHE = Path(os.environ.get("BENCH_CACHE", Path(tempfile.gettempdir(), "encorec-bench")))


@dataclass(frozen=True)
class Size:
    """A share of KION's users and interactions; items are as many as in KION.

    Args:
        share: 1 = 962,179 users with about 5.48 M interactions.
    """

    share: float

    @property
    def world(self) -> SyntheticKion:
        """The source of that size."""
        return SyntheticKion(users=round(USERS * self.share), items=ITEMS, seed=SEED)

    def __str__(self) -> str:
        return f"{self.share:g}x KION"


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with ``--scale``."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--scale", type=float, default=float(os.environ.get("BENCH_SCALE", "1")), help="share of KION")
    return made


def report(name: str, share: float, rows: Sequence[Measurement], *, peers: Mapping[str, str] | None = None) -> None:
    """Print and write the rows: to the results at scale 1, else to a folder of trials."""
    folder = RESULTS if share == 1 else CACHE / "trials" / f"{share:g}x"
    print(f"-> {write(name, rows, folder=folder, peers=peers)}")
