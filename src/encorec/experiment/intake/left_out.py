"""What is left out of an analysis, in words: testers, and what an early look or the planned end cuts off."""

from encorec.data.sources.sheets import counted
from encorec.experiment.intake.exposures import FIRST_SEEN, Exposures

__all__ = ["left_out_notes"]


def left_out_notes(exposures: Exposures, planned: Exposures, *, events: bool, where: str) -> list[str]:
    """Notes on testers, on what lies after the time of the look or after the planned end, and on what cannot be cut.

    Args:
        exposures: as read.
        planned: the same, ``Exposures.planned``.
        events: whether the table of metrics has times.
        where: name of that table.

    Example:
        >>> import polars as pl
        >>> from encorec.experiment.intake.exposures import read_exposures
        >>> from encorec.experiment.spec import ExperimentSpec, MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"a": 0.5, "b": 0.5}, metric=(clicks,))
        >>> log = pl.DataFrame({"unit": [1, 2, 3], "variant": ["a", "b", "b"], "first_exposed_at": [5, 6, 9]})
        >>> seen = read_exposures(log, spec, until=9)
        >>> left_out_notes(seen, seen, events=True, where="events.csv")
        ['left out: 1 exposure at or after the time of the look']
    """
    notes: list[str] = []
    if exposures.testers:
        notes.append(f"left out: {counted(exposures.testers, 'tester')}, named under 'overrides'")
    if exposures.later:
        notes.append(f"left out: {counted(exposures.later, 'exposure')} at or after the time of the look")
    if len(planned) < len(exposures):
        notes.append(f"left out: {counted(len(exposures) - len(planned), 'unit')} first exposed after the planned end")
    if exposures.until is not None and exposures.first_seen is None:
        notes.append(
            f"{exposures.where} has no times ({FIRST_SEEN!r}), so exposures after the time of the look are counted"
        )
    if exposures.until is not None and not events:
        notes.append(
            f"{where} has one row per unit without times, so it cannot be cut at the time of the look: its values may "
            "hold what happened later"
        )
    return notes
