"""`encorec tune`: the best settings for a data set, searched on the exam before the test."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.terminal import ConfigPath, err, out, tell
from encorec.console import progress_bar

__all__ = ["app"]

app = typer.Typer()


@app.command("tune")
def tune_command(
    config: ConfigPath,
    trials: Annotated[int, typer.Option(help="Configurations to try in this call.", min=1)] = 30,
    seconds: Annotated[float | None, typer.Option(help="No trial begins later than that.")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="TOML file for the best; none = CONFIG with -tuned in its name, here.")
    ] = None,
    storage: Annotated[Path | None, typer.Option(help="Journal of the study; none = OUT.study.")] = None,
) -> None:
    """Search settings on the newest label fold before the test; the test itself stays unseen.

    What is searched stands in the table [tune.space], or is the usual: quotas, negatives, settings of the ranker. A
    second call goes on where the first one ended or was interrupted. Fitted models wait in OUT.checkpoints.
    """
    from encorec.config import decode
    from encorec.data.sources import load
    from encorec.tuning import tune
    from encorec.workflow import RunConfig

    content = _content(config)
    run = decode(content, RunConfig, where=str(config))
    to = to or Path(f"{config.stem}-tuned.toml")
    _refuse_unwritable(config, to, storage)
    with progress_bar(err) as step:
        data = load(run.data, progress=lambda message: step(message, 0, 1))
        found = tune(
            content, data, to, trials=trials, seconds=seconds, storage=storage, progress=step,
            told=lambda line: out.print(line, highlight=False, markup=False, soft_wrap=True),
        )  # fmt: skip
    if found.interrupted:
        tell("interrupted; the same command goes on")
    out.print(found.sentence, highlight=False, markup=False, soft_wrap=True)
    tell(f"best configuration: {to}; measure it with: encorec evaluate {to}")
    tell(f"a further call goes on with {storage or f'{to}.study'}; {to}.checkpoints may be removed")
    if found.interrupted:
        sys.exit(130)


def _content(path: Path) -> dict[str, Any]:
    """The file as it is, after a look at whether it is a configuration."""
    import tomllib

    from encorec.config import load_toml
    from encorec.workflow import RunConfig

    load_toml(path, RunConfig)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _refuse_unwritable(config: Path, to: Path, storage: Path | None) -> None:
    """Fail before the work, not after it."""
    from encorec.errors import ConfigError

    if to.resolve() == config.resolve():
        raise ConfigError(f"--out {to}: is the configuration itself; name another file")
    for option, path in (("--out", to), ("--storage", storage)):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise ConfigError(f"{option} {path}: cannot be written there; name a file in a folder that exists")
    if storage is not None and storage.resolve() in (config.resolve(), to.resolve()):
        raise ConfigError(f"--storage {storage}: is another file of this call; name a file of its own")
