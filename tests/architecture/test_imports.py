"""Who imports whom, and what an import costs: the contracts, and fresh interpreters that tell what they loaded."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SLOW_TO_LOAD = {
    *("catboost", "faiss", "implicit", "lightfm", "lightgbm", "matplotlib"),
    *("optuna", "pandas", "ray", "redis", "torch"),
}
TORCH_FREE = ("data", "evaluation", "experiment", "pipeline", "serving", "workflow", "console", "cli")

TELL_LOADED = """
import importlib, sys
from encorec.errors import MissingExtra

for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except MissingExtra:
        pass
print(*{name.partition(".")[0] for name in sys.modules})
"""


def loaded_with(*names: str, path: Path = SOURCE) -> set[str]:
    """Packages that a fresh interpreter has loaded after it imported the modules ``names``."""
    command = [sys.executable, "-c", TELL_LOADED, *names]
    environment = {**os.environ, "PYTHONPATH": str(path)}
    run = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def modules_of(*parts: str) -> list[str]:
    """Dotted names of the modules in these first-level modules and packages."""
    names = (".".join(file.relative_to(SOURCE).with_suffix("").parts) for file in sorted(SOURCE.rglob("*.py")))
    return [name.removesuffix(".__init__") for name in names if name.split(".")[1] in parts]


def test_contracts_hold() -> None:
    # in a process of its own: import-linter disables every logger that it finds
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(sys.argv[1], no_cache=True))"
    command = [sys.executable, "-c", check, str(ROOT / ".importlinter")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_import_of_encorec_is_light() -> None:
    heavy = SLOW_TO_LOAD | {"fastapi", "numba", "polars", "pyarrow", "scipy"}
    assert loaded_with("encorec") & heavy == set()


def test_import_of_the_commands_is_light() -> None:
    for name in modules_of("cli"):
        assert loaded_with(name) & SLOW_TO_LOAD == set()


def test_torch_is_out_of_reach(tmp_path: Path) -> None:
    """Proven with a stand-in for torch, so that it holds whether torch is installed or not."""
    (tmp_path / "torch.py").touch()
    assert "torch" in loaded_with("torch", path=tmp_path)
    assert "torch" not in loaded_with(*modules_of(*TORCH_FREE), path=tmp_path)
