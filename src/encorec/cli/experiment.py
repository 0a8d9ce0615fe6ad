"""`encorec experiment`: from the design of an experiment to its decision; one file per group of commands."""

import typer

from encorec.cli import experiment_analysis, experiment_design, experiment_intake, experiment_pages, experiment_simulate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="From design to decision: who gets what, what it did, what it is worth.")
for group in (
    experiment_analysis.app,
    experiment_design.app,
    experiment_intake.app,
    experiment_pages.app,
    experiment_simulate.app,
):
    app.add_typer(group)
