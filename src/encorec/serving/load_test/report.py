"""What a load test found: latencies as numbers and drawn, errors by kind, and whether the generator kept up."""

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from encorec.types import FloatVector

__all__ = ["LoadReport", "histogram_lines"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
LATE = 0.005  # seconds: later sends than this say more of the generator than of the service


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a load test. Latencies are from the scheduled time of sending to the whole answer.

    Args:
        rate: requests per second that were scheduled.
        achieved: good answers per second.
        seconds: from the first scheduled request to the end of the last.
        requests: scheduled.
        errors: requests without a good answer, by kind.
        degraded: share of the good answers that left a stage out.
        latency_ms: milliseconds of good answers by quantile, and ``max`` and ``mean``.
        service_ms: the same from the actual sending: what a closed loop would have reported.
        lateness_ms: milliseconds by which the generator itself was late, 99th percentile.
        waited: share of the requests that had to wait for a connection.
        histogram: (lower bound in ms, upper bound in ms, good answers).

    Example:
        >>> report = LoadReport.of(np.array([0.001, 0.002, np.nan]), np.array([0.001, 0.001, np.nan]), np.zeros(3),
        ...     rate=3.0, seconds=1.0, errors={"timeout": 1}, degraded=1, waited=0)
        >>> report.latency_ms["max"], report.service_ms["max"], report.error_share
        (2.0, 1.0, 0.3333333333333333)
    """

    rate: float
    achieved: float
    seconds: float
    requests: int
    errors: dict[str, int]
    degraded: float
    latency_ms: dict[str, float]
    service_ms: dict[str, float]
    lateness_ms: float
    waited: float
    histogram: list[tuple[float, float, int]]

    @classmethod
    def of(
        cls,
        latency: FloatVector,
        service: FloatVector,
        lateness: FloatVector,
        *,
        rate: float,
        seconds: float,
        errors: Mapping[str, int],
        degraded: int,
        waited: int,
    ) -> "LoadReport":
        """The report of single requests.

        Args:
            latency: (n,) float64 seconds from the scheduled time, NaN = no good answer.
            service: (n,) float64 seconds from the sending, NaN = no good answer.
            lateness: (m,) float64 seconds by which the generator woke late.
            rate: scheduled per second.
            seconds: that it took.
            errors: by kind.
            degraded: good answers that left a stage out.
            waited: requests that waited for a connection.
        """
        good = latency[np.isfinite(latency)]
        return cls(
            rate=rate,
            achieved=len(good) / seconds,
            seconds=seconds,
            requests=len(latency),
            errors=dict(sorted(errors.items())),
            degraded=degraded / max(len(good), 1),
            latency_ms=_quantiles(good),
            service_ms=_quantiles(service[np.isfinite(service)]),
            lateness_ms=1000 * float(np.quantile(lateness, 0.99)) if len(lateness) else 0.0,
            waited=waited / max(len(latency), 1),
            histogram=_histogram(good),
        )

    @property
    def error_share(self) -> float:
        """Share of the requests without a good answer."""
        return sum(self.errors.values()) / max(self.requests, 1)

    @property
    def generator_kept_up(self) -> bool:
        """Whether the figures are about the service, not about the machine that asked."""
        return self.lateness_ms <= 1000 * LATE

    def holds(self, p99_ms: float, most_errors: float = 0.001) -> bool:
        """Whether the service sustained this rate.

        Args:
            p99_ms: most milliseconds of the 99th percentile.
            most_errors: largest share of requests without a good answer.
        """
        p99 = self.latency_ms.get("p99", math.inf)
        return p99 <= p99_ms and self.error_share <= most_errors


def histogram_lines(histogram: list[tuple[float, float, int]], width: int = 50) -> list[str]:
    """The histogram, a line per bucket, the longest bar ``width`` characters.

    Args:
        histogram: (lower, upper, count), milliseconds.
        width: characters.

    Example:
        >>> for line in histogram_lines([(1.0, 1.5, 4), (1.5, 2.2, 1)], width=4):
        ...     print(line)
             1 ms ████ 4
           1.5 ms █ 1
    """
    most = max((count for *_, count in histogram), default=1) or 1
    return [f"{low:>6.4g} ms {'█' * math.ceil(width * count / most)} {count}".rstrip() for low, _, count in histogram]


def _quantiles(seconds: FloatVector) -> dict[str, float]:
    if not len(seconds):
        return {}
    values = 1000 * np.quantile(seconds, list(QUANTILES.values()), method="higher")
    found = dict(zip(QUANTILES, values.tolist(), strict=True))
    return found | {"max": 1000 * float(seconds.max()), "mean": 1000 * float(seconds.mean())}


def _histogram(seconds: FloatVector) -> list[tuple[float, float, int]]:
    """Buckets that grow by the square root of two, from the one of the fastest answer to that of the slowest."""
    if not len(seconds):
        return []
    steps = np.floor(2 * np.log2(np.maximum(1000 * seconds, 1e-3))).astype(np.int64)
    first = int(steps.min())
    counts = np.bincount(steps - first).tolist()
    return [(2 ** ((first + i) / 2), 2 ** ((first + i + 1) / 2), count) for i, count in enumerate(counts)]
