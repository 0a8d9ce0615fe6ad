"""The highest rate that a service sustains: doubled until it fails, then halved in between."""

from collections.abc import Callable

import msgspec

from encorec.serving.load_test.report import LoadReport

__all__ = ["Sustained", "highest_rate"]


class Sustained(msgspec.Struct, frozen=True):
    """The highest sustained rate, and every rate that was tried.

    Args:
        report: at the highest rate that held; none = not even the first did.
        tried: (rate, whether it held), in order.

    Example:
        >>> Sustained(None, [(100.0, False)]).report is None
        True
    """

    report: LoadReport | None
    tried: list[tuple[float, bool]]


def highest_rate(
    test: Callable[[float], LoadReport], start: float, p99_ms: float, precision: float = 0.05
) -> Sustained:
    """Look for the highest rate.

    A rate holds where the 99th percentile is within its bound, at most one request in a thousand fails, and the
    generator itself kept up.

    Args:
        test: a load test at a rate per second.
        start: first rate.
        p99_ms: most milliseconds of the 99th percentile.
        precision: the search ends where the next rate is so much above the best one, as a share of it.
    """
    best: LoadReport | None = None
    low, high, rate = 0.0, float("inf"), start
    tried: list[tuple[float, bool]] = []
    while len(tried) < 30:
        report = test(rate)
        held = report.generator_kept_up and report.holds(p99_ms)
        tried.append((rate, held))
        if held:
            low, best = rate, report
        else:
            high = rate
        rate = low * 2 if high == float("inf") else (low + high) / 2
        if high <= max(low * (1 + precision), 1):
            break
    return Sustained(best, tried)
