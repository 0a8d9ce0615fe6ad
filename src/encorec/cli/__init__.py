"""The commands, one file per job. Each is a few lines over a function that a notebook can call as well."""

import sys

import typer

from encorec.cli import (
    ablation,
    answers,
    data,
    experiment,
    judging,
    leaderboard,
    loadtest,
    logs,
    offpolicy,
    personas,
    runs,
    service,
    tuning,
)
from encorec.cli.terminal import err
from encorec.errors import EncorecError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Encorec: retrieve, rank, serve, measure.",
)
app.add_typer(data.app, name="data")
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(experiment.app, name="experiment")
app.add_typer(logs.app, name="logs")
for group in (
    *(runs.app, tuning.app, ablation.app, judging.app, offpolicy.app, answers.app, personas.app, service.app),
    logs.replaying,
    loadtest.app,
):
    app.add_typer(group)


def main() -> None:
    """Run a command; a fault that has a remedy is one line, not a traceback."""
    try:
        app()
    except EncorecError as error:
        from rich.markup import escape

        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
