"""A page in a real browser: what it shows, and what the browser had to complain of."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"),
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CONSOLE = re.compile(r"CONSOLE[:(]\S* (.*)")


@dataclass(frozen=True)
class Opened:
    """A page after loading: its document, and every line of the browser's console."""

    document: str
    console: list[str]


def open_page(address: str, *, width: int = 1200, picture: Path | None = None) -> Opened:
    """Load a file or address in a fresh browser; a picture is taken where one is asked for."""
    with TemporaryDirectory(prefix="encorec-browser-", ignore_cleanup_errors=True) as folder:
        command = [_browser(), *QUIET, f"--user-data-dir={folder}", f"--window-size={width},1600"]
        command += ["--dump-dom"] if picture is None else [f"--screenshot={picture}"]
        done = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=True)
    return Opened(done.stdout, CONSOLE.findall(done.stderr))


def _browser() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError("the tests open pages in Chromium, which is not here; run: apt-get install chromium")
    return found
