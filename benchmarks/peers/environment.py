"""The virtual environment of the peers: made when it is missing, made anew when ``requirements.txt`` changes.

python -m benchmarks.peers.environment
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["interpreter", "versions"]

FOLDER = Path(__file__).parent
PYTHON = "PEERS_PYTHON"
PYTHONS = ("3.11", "3.12")
NAMED = ("rectools", "replay-rec", "pm-implicit", "catboost", "numpy", "pandas")


def interpreter(folder: Path = FOLDER) -> Path:
    """The Python that has the peers installed; the first call takes a minute or two.

    The environment is made with the running Python, or with the one that the variable PEERS_PYTHON names.

    Args:
        folder: holds ``requirements.txt``, and the environment made of it.
    """
    requirements, environment = folder / "requirements.txt", folder / ".venv"
    python, stamp = environment / "bin" / "python", environment / "installed"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return python
    print(f"== installing the peers into {environment}", file=sys.stderr, flush=True)
    base = _base_python()
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([base, "-m", "venv", environment], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", requirements], check=True)
    stamp.write_text(key)  # last, so that an interrupted installation is begun again
    return python


def versions(folder: Path = FOLDER, names: Sequence[str] = NAMED) -> dict[str, str]:
    """Versions of the peers of a folder, as pinned."""
    lines = (folder / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    return {name: pins[name] for name in names}


def _base_python() -> str:
    base = os.environ.get(PYTHON, sys.executable)
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    found = subprocess.run([base, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    if found not in PYTHONS:
        sys.exit(
            f"the peers need Python {' or '.join(PYTHONS)}, {base} is {found}: name another with {PYTHON}=python3.12"
        )
    return base


if __name__ == "__main__":
    print(interpreter())
