"""The page of an experiment: the verdict first, then why, then how it was reached."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from encorec import __version__
from encorec.experiment.report.checks import checks
from encorec.experiment.report.earnings import earnings
from encorec.experiment.report.effects import effects
from encorec.experiment.report.over_time import by_day, looks
from encorec.experiment.report.parts import parts
from encorec.experiment.report.registration import fingerprint, spec_text
from encorec.experiment.report.verdict import headline, rule, verdict
from encorec.experiment.spec import ExperimentSpec
from encorec.page import Code, Details, Facts, Page, Prose, Section, Table, write_page

__all__ = ["experiment_page", "write"]


def write(path: str | Path, analysis: Mapping[str, Any], spec: ExperimentSpec) -> Path:
    """Write the page of an experiment as one self-contained HTML file.

    Args:
        path: of the file.
        analysis: of the experiment, as in its JSON.
        spec: of the experiment.

    Raises:
        DataError: the file cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> found = {"experiment": "shelf", "verdict": "keep-running", "reasons": ["day 3 of 14"], "metrics": []}
        >>> write(Path(mkdtemp(), "shelf.html"), found, spec).name
        'shelf.html'
    """
    return write_page(experiment_page(analysis, spec), path)


def experiment_page(analysis: Mapping[str, Any], spec: ExperimentSpec) -> Page:
    """The page of an experiment.

    Args:
        analysis: of the experiment, as in its JSON.
        spec: of the experiment.

    Example:
        >>> from encorec.experiment.spec import MetricSpec
        >>> clicks = MetricSpec(name="clicks", value="clicks", role="primary")
        >>> spec = ExperimentSpec(name="shelf", variants={"control": 0.5, "new": 0.5}, metric=(clicks,))
        >>> experiment_page({"verdict": "invalid", "reasons": [], "metrics": []}, spec).title
        'Invalid, nothing may be concluded'
    """
    sections = [
        Section("Why", verdict(analysis, spec)),
        Section("The rule, fixed before the data", rule(analysis, spec)),
        Section("Checks", checks(analysis, spec)),
        Section("Effects", effects(analysis, spec)),
        Section("Money", earnings(analysis, spec)),
        Section("Segments", parts(analysis, spec)),
        Section("Looking before the end", looks(analysis, spec)),
        Section("Day by day", by_day(analysis, spec)),
        Section("Method and versions", _method(analysis, spec)),
    ]
    made = f"encorec {__version__}, specification {fingerprint(spec)}"
    shown = [one for one in sections if one.blocks]
    return Page(headline(analysis), shown, lead=_lead(spec), made=made)


def _lead(spec: ExperimentSpec) -> str:
    arms = f"{', '.join(spec.treatments)} against {spec.control_variant}"
    planned = "" if spec.days is None else f"; {spec.days} days"
    return f"{spec.name}: {arms}{planned}{'' if spec.start is None else f' from {spec.start}'}, by {spec.unit}"


def _method(analysis: Mapping[str, Any], spec: ExperimentSpec) -> list[Any]:
    rows = {(row["name"], row["method"]): row for row in analysis["metrics"] if row.get("method")}
    head = ("metric", "method", "covariates", "coefficients")
    cells = [[name, method, _covariates(spec, name), _theta(row.get("theta"))] for (name, method), row in rows.items()]
    facts = [
        ("encorec", __version__),
        ("specification", fingerprint(spec)),
        ("alpha", spec.analysis.alpha),
        ("correction", spec.analysis.correction),
        ("sequential", spec.analysis.sequential),
        *((f"version of {name}", text) for name, text in (analysis.get("versions") or {}).items()),
    ]
    notes = [Prose(str(one)) for one in analysis.get("notes") or ()]
    table = [Table(head, cells)] if cells else []
    text = Details("The specification, as it was registered", [Code(spec_text(spec))])
    return [*table, Facts(facts), *notes, text]


def _covariates(spec: ExperimentSpec, name: str) -> str:
    return ", ".join(next((one.covariates for one in spec.metric if one.name == name), ()))


def _theta(theta: Any) -> str:
    return ", ".join(f"{one:.4g}" for one in theta or ())
