"""`encorec ope`: what another policy would have earned, from the log of the one that was there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from encorec.cli.terminal import AsJson, out, print_json, tell

__all__ = ["app"]

app = typer.Typer()

_REFUSED = 3


@app.command("ope")
def ope_command(
    log: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet: action, reward, propensity; maybe position, request_id, contexts."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="action, probability (per position or context), or a new ranking: request_id, action, position."
        ),
    ] = None,
    reward_model: Annotated[
        str | None, typer.Option(help="Cross-fit one: ridge, or logistic for rewards of 0 and 1.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Of the reward model.")] = 5,
    context: Annotated[
        str | None, typer.Option(help="Columns that tell contexts apart, as a,b; none = all without another meaning.")
    ] = None,
    min_ess: Annotated[float, typer.Option(help="Below this effective sample size nothing is said.")] = 100,
    max_unseen: Annotated[
        float, typer.Option(help="Share of the target that may lie on actions the log never shows.")
    ] = 0.01,
    clip: Annotated[float | None, typer.Option(help="Of the weights; none = chosen from the data.")] = None,
    tau: Annotated[float | None, typer.Option(help="Of Switch-DR; none = chosen from the data.")] = None,
    lam: Annotated[float | None, typer.Option("--lambda", help="Of DRos; none = chosen from the data.")] = None,
    tuning: Annotated[str, typer.Option(help="How they are chosen: mse or slope.")] = "mse",
    interval: Annotated[str, typer.Option(help="bca, bootstrap, bootstrap-t or delta.")] = "bca",
    resamples: Annotated[int, typer.Option(help="Of the bootstrap.")] = 1000,
    force: Annotated[bool, typer.Option("--force", help="Show the values of a refused estimate.")] = False,
    dataset: Annotated[str | None, typer.Option(help="open-bandit, instead of --log and --policy.")] = None,
    path: Annotated[Path | None, typer.Option(help="Its folder; none = the small sample, fetched.")] = None,
    campaign: Annotated[str, typer.Option(help="Of open-bandit: all, men or women.")] = "all",
    logged_by: Annotated[
        str, typer.Option(help="Of open-bandit: random (target bts) or bts (target random).")
    ] = "random",
    seed: Annotated[int, typer.Option(help="Of folds and resamples.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Estimate what another policy would have earned, or refuse to (exit code 3) where the log cannot tell."""
    from encorec.config import decode
    from encorec.evaluation.offpolicy import OffPolicyConfig, evaluate_policy

    settings = {name: value for name, value in locals().items() if name in OffPolicyConfig.__struct_fields__}
    settings["reward_model"] = {"kind": reward_model, "folds": folds} if reward_model else None
    config = decode(settings, OffPolicyConfig, "ope")
    rows, target = _tables(log, policy, dataset, path, campaign, logged_by)
    found = evaluate_policy(rows, target, config=config, context=_split(context), seed=seed)
    content = found.as_dict()
    if as_json:
        print_json(content)
    else:
        _show(content)
    if found.refused:
        tell(f"refused: {found.refused}" + ("; shown because of --force" if force else ""))
        if not force:
            raise typer.Exit(_REFUSED)


def _tables(
    log: Path | None, policy: Path | None, dataset: str | None, path: Path | None, campaign: str, logged_by: str
) -> tuple[Any, Any]:
    """The log and the policy, from files or from a known data set."""
    if dataset is None:
        if log is None:
            raise typer.BadParameter("give --log FILE, or --dataset open-bandit")
        if path is not None:
            raise typer.BadParameter("--path belongs to --dataset open-bandit")
        return log, policy
    if dataset != "open-bandit":
        raise typer.BadParameter(f"--dataset is {dataset!r}, allowed is open-bandit")
    if log is not None or policy is not None:
        raise typer.BadParameter("--dataset brings its own log and policy; drop --log and --policy")
    from encorec.evaluation.offpolicy import load_open_bandit

    known: Any = {"campaign": campaign, "logged_by": logged_by}
    found = load_open_bandit(path, **known, progress=tell)
    tell(found.name)
    return found.log, found.policy


def _split(given: str | None) -> list[str] | None:
    return None if given is None else [name.strip() for name in given.split(",") if name.strip()]


def _show(content: Mapping[str, Any]) -> None:
    """Estimates, then the diagnostics that they stand on."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("estimator", box=SIMPLE_HEAD)
    for heading in ("value", "95 % interval", "times logged", "chosen"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in content["estimators"].items():
        label = f"{name} per slate" if one["per"] == "slate" else name
        table.add_row(label, *_cells(one))
    out.print(table)
    slate = content.get("logged_slate_value")
    per_slate = "" if slate is None else f", {slate:.6g} per slate"
    out.print(f"logged: {content['logged_value']:.6g} per row{per_slate}", highlight=False)
    facts = Table("diagnostics", "", box=SIMPLE_HEAD)
    for name, value in content["diagnostics"].items():
        facts.add_row(name, _text(value))
    out.print(facts)
    for warning in content["warnings"]:
        tell(f"note: {warning}")


def _cells(one: Mapping[str, Any]) -> list[str]:
    if one["value"] is None:
        return ["refused", "", "", ""]
    ends = "" if None in one["ci95"] else f"\\[{one['ci95'][0]:.6g}, {one['ci95'][1]:.6g}]"
    ratio = "" if one["relative"] is None else f"{one['relative']:.4f}"
    hyper = [
        f"{name} {'none' if one[name] is None else f'{one[name]:.4g}'}"
        for name in ("clip", "tau", "lambda")
        if name in one
    ]
    return [f"{one['value']:.6g}", ends, ratio, *(hyper or [""])]


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return f"\\[{', '.join(_text(one) for one in value)}]"
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"
