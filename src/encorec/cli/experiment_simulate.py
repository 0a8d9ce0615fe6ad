"""`encorec experiment interleave` and `simulate`: preferences from mixed lists; an experiment with a known truth."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encorec.cli.terminal import AsJson, err, out, print_json, tell
from encorec.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from encorec.data.synthetic.settings import WorldConfig

__all__ = ["app", "world_config"]

app = typer.Typer()

SIZES: Mapping[str, Mapping[str, int]] = {
    "tiny": {"users": 600, "items": 200, "interactions": 4_000},
    "small": {"users": 5_000, "items": 800, "interactions": 50_000},
    "medium": {"users": 20_000, "items": 2_000, "interactions": 200_000},
    "large": {"users": 100_000, "items": 5_000, "interactions": 1_000_000},
}


@app.command("interleave")
def interleave_command(
    log: Annotated[Path, typer.Option(help="CSV or Parquet, one row per place: unit, team, click and/or watch; "
                                           "request or session, position, item, credit where there are some.")],
    rankers: Annotated[str | None, typer.Option(help="Their names in order, as new,old; none = by name.")] = None,
    value: Annotated[str | None, typer.Option(help="What is credited: click, watch or another column.")] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0)] = 0,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap.", min=1)] = 1000,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Which ranker do units prefer, by what they did with lists that were mixed from all of them?"""
    from encorec.cli.experiment_loop_figures import show_preferences
    from encorec.experiment.interleaving.log import read_interleaving_log
    from encorec.experiment.interleaving.report import interleaving_report

    names = [one.strip() for one in rankers.split(",")] if rankers else None
    found = interleaving_report(read_interleaving_log(log, rankers=names, value=value), seed=seed, resamples=resamples)
    if as_json:
        print_json(found)
    else:
        show_preferences(out, found)


@app.command("simulate")
def simulate_command(
    spec: Annotated[Path, typer.Argument(help="The TOML file of the experiment.", metavar="SPEC")],
    to: Annotated[Path, typer.Option("--out", help="Folder of the logs, the systems and the report.")],
    world: Annotated[
        str, typer.Option(help="tiny, small, medium, large; or users=5000,items=800,interactions=50000,seed=7.")
    ] = "small",
    systems: Annotated[
        list[str] | None,
        typer.Option(help="VARIANT=SYSTEM: popular, als, two-stage or the folder of an artifact; several times."),
    ] = None,
    truth: Annotated[int, typer.Option(help="Rounds of all users under every variant; 0 = no truth.", min=0)] = 1,
    seed: Annotated[int, typer.Option(help="Of what happens.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Play an experiment on a made-up cinema through the real engine, analyse its logs and hold them against the truth.

    Systems that an earlier run trained on the same world into the same folder are not trained again.
    """
    from encorec.cli.experiment_loop_figures import show_simulation
    from encorec.experiment.spec import load_spec

    found = _simulated(load_spec(spec), world_config(world), _pairs(systems or []), to, truth, seed)
    if spec.resolve() != (to / "experiment.toml").resolve():
        shutil.copyfile(spec, to / "experiment.toml")
    if as_json:
        print_json(found)
    else:
        show_simulation(out, found)
    tell(f"logs: {to}; encorec experiment analyze {to / 'experiment.toml'} --exposures "
         f"{to / 'exposures.parquet'} --metrics {to / 'metrics.parquet'}")  # fmt: skip


def world_config(text: str) -> "WorldConfig":
    """A world by the name of its size, or by its options.

    Raises:
        ConfigError: neither.

    Example:
        >>> world_config("tiny").users, world_config("users=900,items=300,seed=3").seed
        (600, 3)
    """
    from encorec.data.synthetic.settings import WorldConfig

    if "=" not in text:
        if text not in SIZES:
            raise ConfigError(f"--world: {unknown_name('size', text, SIZES)}; or options, as users=5000,items=800")
        return WorldConfig(**SIZES[text])
    options: dict[str, int] = {}
    for name, number in _pairs(text.split(",")).items():
        if name not in WorldConfig.__struct_fields__:
            raise ConfigError(f"--world: {unknown_name('option', name, WorldConfig.__struct_fields__)}")
        if not number.isdecimal():
            raise ConfigError(f"--world: {name} is {number!r}, allowed are whole numbers")
        options[name] = int(number)
    return WorldConfig(**options)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in given:
        name, equals, what = (part.strip() for part in one.partition("="))
        if not (name and equals and what) or name in pairs:
            raise ConfigError(f"{one!r} is not NAME=VALUE, or names {name!r} twice")
        pairs[name] = what
    return pairs


def _simulated(
    spec: Any, world_settings: Any, systems: Mapping[str, str], folder: Path, rounds: int, seed: int
) -> dict[str, Any]:
    """Logs in ``folder``; the analysis of these very files, and the truth."""
    from encorec.cli.world_systems import chosen_systems, world_systems
    from encorec.console import progress_bar
    from encorec.data.synthetic.world import World
    from encorec.experiment.simulation.simulate import simulate, truth_of

    chosen = chosen_systems(tuple(spec.variants), spec.control_variant, systems)
    with progress_bar(err) as step:
        world = World.of(world_settings, lambda message: step(message, 0, 1))
        recommenders = world_systems(world, chosen, folder / "systems", step)
        played = simulate(spec, world, recommenders, seed=seed, progress=step)
        paths = played.write(folder)
        true = truth_of(spec, world, recommenders, rounds=rounds, seed=seed, progress=step) if rounds else None
    report = _analysed(spec, paths)
    found = {
        "report": report,
        "truth": true and _held_against(true, report),
        "systems": chosen,
        "world": {name: getattr(world_settings, name) for name in ("users", "items", "rows", "seed")},
        "visits": len(played.visits.user),
        "files": {name: str(path) for name, path in paths.items()},
        "seed": seed,
    }
    _write_json(found, folder / "simulation.json")
    return found


def _analysed(spec: Any, paths: Mapping[str, Path]) -> dict[str, Any]:
    from encorec.experiment.analysis.analyse import analyze
    from encorec.experiment.intake.exposures import read_exposures
    from encorec.experiment.intake.unit_table import UnitTable

    exposures = read_exposures(paths["exposures"], spec)
    return analyze(spec, exposures, UnitTable.read(spec, exposures, paths["metrics"]), final=True)


def _held_against(true: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every true effect with the interval of the report and whether it lies inside."""
    found = {(one["name"], one["variant"]): one for one in report["metrics"]}
    rows: list[dict[str, Any]] = []
    for one in true:
        said = found.get((one["name"], one["variant"]), {})
        interval = said.get("ci95")
        covered = interval and interval[0] <= one["effect"] <= interval[1]
        rows.append({**one, "estimate": said.get("effect"), "ci95": interval, "covered": covered})
    return rows


def _write_json(content: Any, path: Path) -> None:
    import msgspec

    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
