"""What holds for every test: with CI=true a skip is a failure, and hypothesis does not watch the clock."""

import os
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # several workers: threads of torch would wait for each other, busily

if TYPE_CHECKING:
    from tests.worlds import Trained

Command: TypeAlias = Callable[..., tuple[int, str, str]]

settings.register_profile("encorec", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("encorec")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> "Trained":
    """An artifact trained on a small world, made once for all tests: to be read only."""
    from tests.worlds import train_small_world

    return train_small_world(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def run_encorec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Command":
    """The command ``encorec`` in this process, as a function: exit code, output, errors."""
    from encorec import cli
    from encorec.cli import terminal

    monkeypatch.setattr(terminal.out, "width", 200)  # its own: where COLUMNS was set at import, that would hold

    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["encorec", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        shown = capsys.readouterr()
        return end.value.code if isinstance(end.value.code, int) else 0, shown.out, shown.err

    return run


class NoSkips:
    """A skipped test tests nothing, so it fails, and so does one that is expected to fail."""

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, Any, Any]:
        return self._failed(report) if (report := (yield)).skipped else report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        return self._failed(report) if (report := (yield)).skipped else report

    @staticmethod
    def _failed(report: Any) -> Any:
        told = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        reason = report.__dict__.pop("wasxfail", told)
        report.outcome, report.longrepr = "failed", f"{report.nodeid} is skipped, which CI does not allow: {reason}"
        return report


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin of the session, not of this folder, so that the doctests of ``src`` obey it too."""
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(NoSkips(), "no-skips")
