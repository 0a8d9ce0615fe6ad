"""`encorec serve` and `encorec demo`: an artifact behind HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from encorec.cli.setting_options import with_settings
from encorec.cli.terminal import ArtifactPath, asking_second, out
from encorec.serving.settings import Settings

__all__ = ["app"]

app = typer.Typer()

ServedPath = Annotated[
    Path, typer.Argument(help="A folder of `encorec train`, or a store of `encorec publish`.", metavar="ARTIFACT")
]


@app.command("serve")
@with_settings
def serve_command(artifact: ServedPath, settings: Settings) -> None:
    """Answer over HTTP; /docs describes the routes. An option that is not given is read from the environment."""
    from encorec.serving.server import serve
    from encorec.serving.snapshots.source import served_end

    asking_second(settings.clock, served_end(artifact))
    serve(artifact, settings)


@app.command("publish")
def publish_command(
    artifact: ArtifactPath,
    store: Annotated[Path, typer.Argument(help="A folder of snapshots; made where there is none.", metavar="STORE")],
    keep: Annotated[int, typer.Option(help="Snapshots that stay; the last two always do.", min=1)] = 3,
    link: Annotated[bool, typer.Option(help="Hard links; nobody may write into ARTIFACT then.")] = False,
) -> None:
    """Check an artifact, copy it into a store and let it be served; whoever is killed on the way changes nothing."""
    from encorec.serving.snapshots.loading import load_snapshot
    from encorec.serving.snapshots.store import SnapshotStore

    published = SnapshotStore(store)
    snapshot_id = published.publish(artifact, load_snapshot, keep=keep, link=link)
    out.print(f"{published.path(snapshot_id)} is current", highlight=False, soft_wrap=True)


@app.command("demo")
def demo_command(
    config: Annotated[Path | None, typer.Option(help="What to train; none = MovieLens-100K.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the artifact and the state go.")] = Path(".demo"),
) -> None:
    """The whole system once: fetch, train, measure, serve, ask, tell, ask again."""
    from encorec.demo import default_config, run_demo

    run_demo(config or default_config(), folder, out)
