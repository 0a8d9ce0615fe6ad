"""How sure are we: intervals by resampling users, paired comparisons, corrections for many."""

from encorec.evaluation.uncertainty.comparison import (
    Comparison,
    Difference,
    Estimate,
    compare,
    compare_systems,
    holm,
    interval,
    intervals,
    mean_over_users,
)

__all__ = [
    "Comparison",
    "Difference",
    "Estimate",
    "compare",
    "compare_systems",
    "holm",
    "interval",
    "intervals",
    "mean_over_users",
]
