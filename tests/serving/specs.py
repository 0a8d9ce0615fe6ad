"""Specifications of experiments as files."""

from pathlib import Path

METRIC = '\n[[metric]]\nname = "clicks"\nvalue = "clicks"\nrole = "primary"\n'


def write_spec(
    folder: Path,
    name: str,
    fields: str = "",
    *,
    variants: str = "control = 0.5\ntreatment = 0.5",
    overrides: str = "",
    settings: str | None = None,
    stem: str | None = None,
) -> Path:
    """``NAME.toml``, and with ``settings`` also ``NAME.variants.toml``."""
    path = folder / f"{stem or name}.toml"
    testers = f"\n[overrides]\n{overrides}\n" if overrides else ""
    path.write_text(f'name = "{name}"\n{fields}\n[variants]\n{variants}\n{testers}{METRIC}')
    if settings is not None:
        path.with_name(f"{path.stem}.variants.toml").write_text(settings)
    return path
