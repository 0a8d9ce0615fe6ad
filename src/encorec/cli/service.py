"""`encorec serve` and `encorec demo`: an artifact behind HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from encorec.cli.terminal import ArtifactPath, ClockOption, asking_second, out

__all__ = ["app"]

app = typer.Typer()


@app.command("serve")
def serve_command(
    artifact: ArtifactPath,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 = any free one.")] = 8000,
    clock: ClockOption = "now",
    state: Annotated[str, typer.Option(help="SQLite file of what users did since.")] = "encorec-state.sqlite",
) -> None:
    """Answer over HTTP; /docs describes the routes."""
    from encorec.pipeline.engine import load_engine
    from encorec.serving.server import run
    from encorec.serving.settings import Settings

    settings = Settings(host=host, port=port, clock=clock, state=state)
    engine = load_engine(artifact)
    asking_second(clock, engine.artifact.data_end)
    run(engine, settings)


@app.command("demo")
def demo_command(
    config: Annotated[Path | None, typer.Option(help="What to train; none = MovieLens-100K.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the artifact and the state go.")] = Path(".demo"),
) -> None:
    """The whole system once: fetch, train, measure, serve, ask, tell, ask again."""
    from encorec.demo import default_config, run_demo

    run_demo(config or default_config(), folder, out)
