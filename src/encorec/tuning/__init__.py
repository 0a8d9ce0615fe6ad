"""Which settings are best: a search over configurations that never looks at the test."""

from encorec.tuning.tune import Tuned, tune

__all__ = ["Tuned", "tune"]
