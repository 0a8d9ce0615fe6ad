"""`encorec ablate`: what each group of features and each retriever is worth."""

from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.run_files import kept_for, refuse_unwritable
from encorec.cli.terminal import AsJson, ConfigPath, err, out, print_json, tell
from encorec.console import progress_bar, show_ablation

__all__ = ["app"]

app = typer.Typer()

Dropped = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="GROUP|RETRIEVER", help="Leave out only this one; may be given again."),
]


@app.command("ablate")
def ablate_command(
    config: ConfigPath,
    to: Annotated[Path | None, typer.Option("--out", help="Write the figures as JSON.")] = None,
    drop: Dropped = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write the whole report as one page.")] = None,
) -> None:
    """Sit the exam, then again without one part at a time: groups of features and retrievers.

    An interrupted run goes on where it stopped: finished folds wait in the cache folder (ENCOREC_CACHE) until it ends.
    """
    import msgspec

    from encorec.evaluation.report.report_page import write_report

    refuse_unwritable(to, "--out")
    refuse_unwritable(html)
    checkpoints = kept_for(config)
    report = _ablated(config, drop or [], checkpoints)
    found = report["ablation"]
    if as_json:
        print_json(found)
    else:
        show_ablation(out, found)
    if to is not None:
        to.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        tell(f"figures: {to}")
    if html is not None:
        tell(f"report: {write_report(report, html)}")
    if checkpoints is not None:
        checkpoints.clear()


def _ablated(path: Path, names: list[str], checkpoints: Any) -> dict[str, Any]:
    """The report of the exam with its ``ablation``; systems of one's own are not asked."""
    from msgspec.structs import replace

    from encorec.config import load_toml
    from encorec.data.sources import load
    from encorec.verdict.ablation import Sat, ablate
    from encorec.verdict.drops import drops_of
    from encorec.workflow import RunConfig, examine

    run = load_toml(path, RunConfig)
    run = replace(run, evaluation=replace(run.evaluation, systems={}))
    drops = drops_of(run.pipeline, names)
    with progress_bar(err) as step:
        data = load(run.data, progress=lambda message: step(message, 0, 1))
        exam = examine(run, data, progress=step, checkpoints=checkpoints)
        sat = Sat(run.pipeline, run.evaluation, run.split, run.seed, exam.parts, exam.test, exam.pipeline)
        return {**exam.report, "ablation": ablate(sat, drops, progress=step, checkpoints=checkpoints)}
