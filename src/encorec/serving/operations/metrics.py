"""What the service tells of itself: counted in a few microseconds per request, read by Prometheus at ``/metrics``."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

from encorec.pipeline.requests import Recommended
from encorec.serving.http.answers import EventsAnswer, RecommendAnswer
from encorec.serving.operations.cells import MetricCells
from encorec.serving.operations.drift import ShownItems
from encorec.serving.operations.exposition import Sample, exposition, merged
from encorec.serving.operations.families import FAMILIES, LATENCY, STAGE
from encorec.serving.snapshots.holder import ServedEngine

__all__ = ["Metrics"]

Label = tuple[tuple[str, str], ...]


class Metrics:
    """The figures of one worker, and of all that share its folder.

    Args:
        folder: that all workers share; none = there is one worker.

    Raises:
        ConfigError: the folder cannot be written.

    Example:
        >>> metrics = Metrics()
        >>> metrics.shed()
        >>> "encorec_shed_total 1" in metrics.text()
        True
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._cells = MetricCells(folder)
        self._values = self._cells.values
        self._start: dict[tuple[str, Label], int] = {}
        self._request: dict[tuple[str, int], tuple[int, int]] = {}
        self._stage: dict[str, int] = {}
        self._shown_by: dict[str, int] = {}
        self._proposed: dict[str, int] = {}
        self._shown: ShownItems | None = None
        self._snapshot = ""
        self._followed: list[tuple[int, Callable[[], float]]] = []
        self._in_flight = self._at("encorec_requests_in_flight")
        self._refused = self._at("encorec_labels_refused")
        self._answers, self._short = self._at("encorec_answers_total"), self._at("encorec_short_total")

    def begun(self) -> None:
        """A request has come in."""
        self._values[self._in_flight] += 1

    def ended(self, route: str, status: int, seconds: float) -> None:
        """A request has been answered.

        Args:
            route: as in the documentation, not as asked, so that there are few.
            status: of HTTP.
            seconds: since it came in.
        """
        cells = self._request.get((route, status))
        if cells is None:
            count = self._at("encorec_requests_total", route=route, status=str(status))
            cells = self._request[route, status] = count, self._at("encorec_request_seconds", route=route)
        values = self._values
        values[self._in_flight] -= 1
        values[cells[0]] += 1
        _observe(values, cells[1], LATENCY, seconds)

    def stage(self, name: str, seconds: float) -> None:
        """A stage of an answer has taken so long.

        Args:
            name: ``state``, ``retrieve``, ``features``, ``rank``, ``select`` and the like.
            seconds: that it took.
        """
        start = self._stage.get(name)
        if start is None:
            start = self._stage[name] = self._at("encorec_stage_seconds", stage=name)
        _observe(self._values, start, STAGE, seconds)

    def candidates(self, by_source: Mapping[str, int]) -> None:
        """So many candidates came from each source."""
        for source, count in by_source.items():
            start = self._proposed.get(source)
            if start is None:
                start = self._proposed[source] = self._at("encorec_candidates_total", source=source)
            self._values[start] += count

    def answered(self, answer: RecommendAnswer, k: int) -> None:
        """A slate is on its way.

        Args:
            answer: as it is sent.
            k: places asked for.
        """
        values, items = self._values, answer.items
        values[self._answers] += 1
        if len(items) < k:
            values[self._short] += 1
        for reason in answer.degraded:
            values[self._at("encorec_degraded_total", reason=reason)] += 1
        if answer.unknown_ids:
            values[self._at("encorec_unknown_ids_total")] += answer.unknown_ids
        self._count_sources(items)
        if answer.variants:
            self._count_variants(answer)
        if self._shown is not None and answer.model == self._snapshot:
            self._shown.add([item.item_id for item in items], at=time.time())

    def _count_sources(self, items: Sequence[Recommended]) -> None:
        values, cells = self._values, self._shown_by
        for item in items:
            for source in item.source:
                start = cells.get(source)
                if start is None:
                    start = cells[source] = self._at("encorec_shown_total", source=source)
                values[start] += 1

    def _count_variants(self, answer: RecommendAnswer) -> None:
        """Labels are names of the specifications and of stages: few, whatever requests bring."""
        values = self._values
        for experiment, variant in answer.variants.items():
            values[self._at("encorec_variant_answers_total", experiment=experiment, variant=variant)] += 1
            shown = self._at("encorec_variant_shown_total", experiment=experiment, variant=variant)
            values[shown] += len(answer.items)
            for reason in answer.degraded:
                at = self._at("encorec_variant_degraded_total", experiment=experiment, variant=variant, reason=reason)
                values[at] += 1

    def shed(self) -> None:
        """A request was not let through to the engine."""
        self._values[self._at("encorec_shed_total")] += 1

    def events(self, answer: EventsAnswer) -> None:
        """Events were told."""
        outcomes = {
            "accepted": answer.accepted,
            "duplicate": answer.duplicates,
            "future": answer.future,
            "rejected": len(answer.rejected),
        }
        for outcome, count in outcomes.items():
            if count:
                self._values[self._at("encorec_events_total", outcome=outcome)] += count

    def state_error(self, action: str) -> None:
        """The state of a user could not be reached.

        Args:
            action: ``read`` or ``write``.
        """
        self._values[self._at("encorec_state_errors_total", action=action)] += 1

    def state_lag(self, seconds: float) -> None:
        """Events reached the state this long after they had happened."""
        self._values[self._at("encorec_state_lag_seconds")] = seconds

    def log_dropped(self, log: str, entries: int = 1) -> None:
        """A log could not take entries.

        Args:
            log: its name.
            entries: how many.
        """
        self._values[self._at("encorec_log_dropped_total", log=log)] += entries

    def serving(self, engine: ServedEngine) -> None:
        """From now on this engine answers.

        Args:
            engine: of the new snapshot.
        """
        artifact = engine.artifact
        if self._shown is not None:
            self._shown.close()
            self._values[self._at("encorec_snapshot_info", snapshot=self._snapshot)] = 0
        self._snapshot = artifact.snapshot_id
        self._values[self._at("encorec_snapshot_info", snapshot=self._snapshot)] = 1
        self._values[self._at("encorec_snapshot_data_end_seconds")] = artifact.data_end
        self._values[self._at("encorec_snapshot_loaded_seconds")] = time.time()
        file = None if self._folder is None else self._folder / f"{self._cells.worker}.{self._suffix}"
        self._shown = ShownItems(artifact.items, engine.popular(len(artifact.items)), file)

    def follow(self, family: str, read: Callable[[], float], **labels: str) -> None:
        """Take the value of a metric from somewhere else whenever the figures are refreshed.

        Args:
            family: name of the metric; a counter must not fall.
            read: gives its value in this process.
            labels: of the metric.
        """
        self._followed.append((self._at(family, **labels), read))

    def refresh(self) -> None:
        """Read what is followed and count what waits, so that other workers see it."""
        for start, read in self._followed:
            self._values[start] = read()
        self._values[self._refused] = self._cells.refused
        if self._shown is not None:
            self._shown.count(at=time.time())

    def text(self) -> str:
        """All figures in the form that Prometheus reads, added up over the workers."""
        self.refresh()
        workers = self._cells.workers()
        samples = {name: merged(family, workers) for name, family in FAMILIES.items()}
        return exposition(FAMILIES, samples | self._drift())

    def _drift(self) -> dict[str, list[Sample]]:
        if self._shown is None:
            return {}
        others: Iterable[Path] = () if self._folder is None else self._folder.glob(f"*.{self._suffix}")
        shown = self._shown.figures(others, at=time.time())
        figures = {
            "encorec_shown_catalogue_share": shown.catalogue_share,
            "encorec_shown_popularity_mean": shown.popularity,
            "encorec_shown_entropy_bits": shown.entropy,
            "encorec_shown_places": float(shown.places),
        }
        return {name: [Sample((("snapshot", self._snapshot),), [value])] for name, value in figures.items()}

    @property
    def _suffix(self) -> str:
        return f"{crc32(self._snapshot.encode()):08x}.shown"

    def _at(self, family: str, **labels: str) -> int:
        """The first cell of a metric at its labels."""
        key = family, tuple(labels.items())
        start = self._start.get(key)
        if start is None:
            start = self._start[key] = self._cells.allocate(family, key[1], FAMILIES[family].size)
        return start


def _observe(values: "memoryview[float]", start: int, bounds: Sequence[float], value: float) -> None:
    values[start + bisect_left(bounds, value)] += 1
    values[start + len(bounds) + 1] += value
