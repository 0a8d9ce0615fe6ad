"""`encorec loadtest`: how a service answers at a rate, and the highest rate at which it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from encorec.cli.terminal import AsJson, out, print_json, tell

if TYPE_CHECKING:
    from encorec.pipeline.requests import ItemId
    from encorec.serving.load_test.report import LoadReport
    from encorec.serving.load_test.search import Sustained

__all__ = ["app"]

app = typer.Typer()


@app.command("loadtest")
def loadtest_command(
    url: Annotated[str, typer.Argument(help="http://host:port of a running service.", metavar="URL")],
    rate: Annotated[float, typer.Option(help="Requests per second.")] = 100.0,
    seconds: Annotated[float, typer.Option(help="That requests are sent, after the warm-up.")] = 10.0,
    warm_up: Annotated[float, typer.Option(help="Seconds at the same rate that are not counted.")] = 1.0,
    users: Annotated[str, typer.Option(help="A range as 1..5000, or a file with one id per line.")] = "1..10000",
    k: Annotated[int, typer.Option(help="Places asked for.")] = 10,
    connections: Annotated[int, typer.Option(help="Most requests under way.")] = 64,
    timeout: Annotated[float, typer.Option(help="Seconds after which an answer is of no use.")] = 5.0,
    poisson: Annotated[bool, typer.Option("--poisson", help="Leave the times of requests to chance.")] = False,
    find_max: Annotated[bool, typer.Option("--find-max", help="Look for the highest sustained rate.")] = False,
    p99: Annotated[float, typer.Option(help="Milliseconds; with --find-max, what is sustained.")] = 50.0,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Ask a service in an open loop: latency counts from when a request was due, whether or not it could be sent."""
    from msgspec.structs import replace

    from encorec.serving.load_test.open_loop import Load, load_test
    from encorec.serving.load_test.search import highest_rate

    load = Load(
        **{"rate": rate, "seconds": seconds, "warm_up": warm_up, "k": k, "connections": connections},
        **{"timeout": timeout, "poisson": poisson, "seed": seed},
    )
    asked = _users(users)
    if not find_max:
        report = load_test(url, load, asked)
        print_json(report) if as_json else _show(report)
        return
    found = highest_rate(lambda one: load_test(url, replace(load, rate=one), asked), rate, p99)
    print_json(found) if as_json else _show_search(found, p99)


def _users(text: str) -> "list[ItemId]":
    """Ids of a range or of a file; what looks like a number is one."""
    from encorec.errors import ConfigError

    first, dots, last = text.partition("..")
    if dots and first.isdecimal() and last.isdecimal():
        return list(range(int(first), int(last) + 1))
    path = Path(text)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"users {text!r} are neither a range as 1..5000 nor a file that can be read") from error
    return [int(one) if one.isdecimal() else one for line in lines if (one := line.strip())]


def _show(report: "LoadReport") -> None:
    from encorec.serving.load_test.report import histogram_lines

    out.print(
        f"{report.requests} requests at {report.rate:g}/s in {report.seconds:.1f} s: {report.achieved:.1f} good/s, "
        f"{report.degraded:.1%} of them degraded, {report.waited:.1%} waited for a connection"
    )
    for line in histogram_lines(report.histogram):
        out.print(line, highlight=False)
    for title, found in (("from due time", report.latency_ms), ("from sending", report.service_ms)):
        out.print(f"{title}: " + "  ".join(f"{name} {value:.2f} ms" for name, value in found.items()), highlight=False)
    for kind, count in report.errors.items():
        out.print(f"error {kind}: {count} ({count / report.requests:.2%})", highlight=False)
    _warn(report)


def _show_search(found: "Sustained", p99: float) -> None:
    for rate, held in found.tried:
        out.print(f"{rate:g}/s {'held' if held else 'did not hold'}", highlight=False)
    if found.report is None:
        out.print(f"no rate held a p99 of {p99:g} ms")
        return
    out.print(f"highest rate with p99 within {p99:g} ms: {found.report.rate:g}/s")
    _show(found.report)


def _warn(report: "LoadReport") -> None:
    if not report.generator_kept_up:
        tell(
            f"note: the generator itself was late ({report.lateness_ms:.1f} ms at its 99th percentile): these figures "
            "are about the machine that asks as much as about the service. Lower the rate or use another machine."
        )
