"""What every command shares: where it writes, and the arguments that mean the same everywhere."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = ["ArtifactPath", "AsJson", "ClockOption", "ConfigPath", "asking_second", "err", "out", "print_json", "tell"]

out, err = Console(), Console(stderr=True)

ConfigPath = Annotated[Path, typer.Argument(help="A TOML file; see configs/ for examples.", metavar="CONFIG")]
ArtifactPath = Annotated[Path, typer.Argument(help="A folder that `encorec train` wrote.", metavar="ARTIFACT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
ClockOption = Annotated[str, typer.Option(help="now, data-end, or an ISO time: the moment of asking.")]


def tell(text: str) -> None:
    """One line beside the output, as it is: a path that is broken in two is none."""
    err.print(text, highlight=False, markup=False, soft_wrap=True)


def print_json(content: Any) -> None:
    """Anything that msgspec can write, indented."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")


def asking_second(clock: str, data_end: int) -> int:
    """The second of asking; said aloud where it lies far after the data, for recency means nothing then."""
    from encorec.serving.clock import Clock

    now = Clock.named(clock, data_end).first_open_second()
    days = (now - data_end) / 86_400
    if days > 30:
        ended = time.strftime("%Y-%m-%d", time.gmtime(data_end))
        err.print(
            f"[yellow]note:[/] the data end on {ended}, {days:,.0f} days before the moment of asking; "
            "features of recency see that gap. Retrain on newer data, or use --clock data-end for a demo.",
            soft_wrap=True,
            highlight=False,
        )
    return now
