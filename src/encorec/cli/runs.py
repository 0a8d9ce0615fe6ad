"""`encorec train` and `encorec evaluate`: from a configuration to a verdict and an artifact."""

from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.run_files import current_folder_first, kept_for, refuse_unwritable
from encorec.cli.terminal import AsJson, ConfigPath, err, out, print_json, tell
from encorec.console import progress_bar, routing_line, show_report

__all__ = ["app"]

app = typer.Typer()

RequireWin = Annotated[bool, typer.Option("--require-win", help="Exit 2 unless the two-stage beats every retriever.")]


Html = Annotated[Path | None, typer.Option("--html", help="Write the report as one self-contained page.")]
Curve = Annotated[bool, typer.Option("--curve", help="Also tell what variety costs (evaluation.curve).")]


@app.command("train")
def train_command(
    config: ConfigPath,
    to: Annotated[Path, typer.Option("--out", help="Folder of the artifact.")],
    require_win: RequireWin = False,
    as_json: AsJson = False,
    html: Html = None,
    curve: Curve = False,
) -> None:
    """Measure on the test period, then refit on all the data and save the artifact.

    An interrupted run goes on where it stopped: finished label folds wait in OUT.checkpoints.
    """
    from encorec.pipeline.artifact import refuse_foreign
    from encorec.pipeline.checkpoints import Checkpoints
    from encorec.pipeline.manifest import read_manifest
    from encorec.workflow import train

    refuse_foreign(to)
    refuse_unwritable(html)
    checkpoints = Checkpoints(f"{to}.checkpoints")
    run, data, exam = _examine(config, checkpoints, curve)
    _show(exam.report, as_json, html)
    if require_win and not exam.won:
        raise typer.Exit(2)
    with progress_bar(err) as step:
        folder = train(run, data, to, exam=exam, progress=step)
    checkpoints.clear()
    manifest = read_manifest(folder)
    order = manifest.order
    if manifest.routing:
        tell(routing_line(manifest.routing))
    served = f"; the ranker gained nothing, so the order of {order} is served" if order else ""
    tell(f"artifact, refit on all {len(data.interactions):,} interactions: {folder}{served}")


@app.command("evaluate")
def evaluate_command(
    config: ConfigPath,
    require_win: RequireWin = False,
    as_json: AsJson = False,
    html: Html = None,
    curve: Curve = False,
) -> None:
    """Measure on the test periods and save no artifact.

    An interrupted run goes on where it stopped: finished folds wait in the cache folder (ENCOREC_CACHE) until it ends.
    """
    refuse_unwritable(html)
    checkpoints = kept_for(config)
    _, _, exam = _examine(config, checkpoints, curve)
    _show(exam.report, as_json, html)
    if checkpoints is not None:
        checkpoints.clear()
    if require_win and not exam.won:
        raise typer.Exit(2)


def _examine(path: Path, checkpoints: Any, curve: bool) -> tuple[Any, Any, Any]:
    from msgspec.structs import replace

    from encorec.config import load_toml
    from encorec.data.sources import load
    from encorec.workflow import RunConfig, examine

    run = load_toml(path, RunConfig)
    if curve:
        run = replace(run, evaluation=replace(run.evaluation, curve=True))
    with progress_bar(err) as step, current_folder_first():
        data = load(run.data, progress=lambda message: step(message, 0, 1))
        return run, data, examine(run, data, progress=step, checkpoints=checkpoints)


def _show(report: dict[str, Any], as_json: bool, html: Path | None) -> None:
    if as_json:
        print_json(report)
    else:
        show_report(out, report)
    if html is not None:
        from encorec.evaluation.report.report_page import write_report

        tell(f"report: {write_report(report, html)}")
