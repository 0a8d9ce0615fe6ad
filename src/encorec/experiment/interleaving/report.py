"""What a log of interleaved lists says: every pair of rankers, and whether the mixing was fair."""

from typing import Any

import numpy as np

from encorec.experiment.interleaving.log import InterleavingLog
from encorec.experiment.interleaving.preference import preferences

__all__ = ["interleaving_report"]

_ONE_PAIR = ("preference", "ci95", "p", "wins", "losses", "ties", "credit")
_ALARM = 0.001


def interleaving_report(log: InterleavingLog, *, seed: int = 0, resamples: int = 1000) -> dict[str, Any]:
    """Ready for JSON. Of two rankers the one pair stands at the top; of more it is null there, see ``pairs``.

    Args:
        log: as read.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Example:
        >>> import polars as pl
        >>> from encorec.experiment.interleaving.log import read_interleaving_log
        >>> log = pl.DataFrame({"unit": [7, 7, 8], "team": ["new", "old", "new"], "click": [1, 0, 1]})
        >>> found = interleaving_report(read_interleaving_log(log))
        >>> found["rankers"], found["preference"], found["wins"], found["units"]
        (['new', 'old'], 0.5, 2, 2)
    """
    pairs = preferences(log.credit, log.rankers, rng=np.random.default_rng(seed), resamples=resamples)
    top = {name: pairs[0][name] if len(pairs) == 1 else None for name in _ONE_PAIR}
    return {
        "rankers": list(log.rankers),
        **top,
        "units": len(log.credit),
        "silent_units": int((log.credit.sum(axis=1) == 0).sum()),
        "pairs": pairs,
        "value": log.value,
        "rows": log.rows,
        "credit_by_ranker": dict(zip(log.rankers, log.credit.sum(axis=0).tolist(), strict=True)),
        "places": dict(zip(log.rankers, log.places.tolist(), strict=True)),
        "first_places": dict(zip(log.rankers, log.first_places.tolist(), strict=True)),
        "warnings": _warnings(log),
        "seed": seed,
        "resamples": resamples,
    }


def _warnings(log: InterleavingLog) -> list[str]:
    told: list[str] = []
    if not log.credit.any():
        told.append(f"no place of any ranker has a {log.value}: nothing can be said")
    total = log.first_places.sum()
    if total and not log.weighted:
        from scipy.stats import chisquare

        p = float(chisquare(log.first_places).pvalue)
        if p < _ALARM:
            counts = ", ".join(
                f"{name} {count:,}" for name, count in zip(log.rankers, log.first_places.tolist(), strict=True)
            )
            told.append(
                f"the topmost place that is anybody's is not shared evenly ({counts}; p = {p:.2g}): lists were not "
                "mixed by lot, or rows are lost; do not trust the preference"
            )
    return told
