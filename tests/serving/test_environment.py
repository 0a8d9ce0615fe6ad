"""Options of ``encorec serve`` are the settings, and the environment fills in what is not given."""

import inspect

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from encorec.cli.setting_options import with_settings
from encorec.errors import ConfigError
from encorec.serving.operations.environment import settings_from
from encorec.serving.settings import Settings


def run(*given, **environment):
    seen, app = [], typer.Typer()

    @app.command()
    @with_settings
    def command(folder: str, settings: Settings) -> None:
        seen.append((folder, settings))

    told = CliRunner().invoke(app, ["artifact", *given], env=environment)
    assert told.exit_code == 0, told.output
    return seen[0]


def test_an_option_goes_before_the_environment_and_that_before_the_default():
    folder, settings = run("--port", "81", ENCOREC_PORT="80", ENCOREC_MAX_K="7", ENCOREC_DOCS="false")
    assert (folder, settings.port, settings.max_k, settings.docs) == ("artifact", 81, 7, False)
    assert settings.host == "127.0.0.1"
    assert run()[1] == Settings()


def test_lists_are_repeated_as_options_and_separated_by_commas_in_the_environment():
    both = ("https://a", "https://b")
    assert run("--cors-origins", "https://a", "--cors-origins", "https://b")[1].cors_origins == both
    assert run(ENCOREC_CORS_ORIGINS=" https://a ,https://b,")[1].cors_origins == both


def test_every_setting_is_an_option():
    @with_settings
    def command(settings: Settings) -> None: ...

    assert set(inspect.signature(command).parameters) == {field.name for field in msgspec.structs.fields(Settings)}


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "tcp://10.0.0.1:8000"), ("DOCS", "perhaps"), ("LOG_FORMAT", "xml")]
)
def test_a_variable_that_is_no_value_is_named(name, value):
    with pytest.raises(ConfigError, match=f"ENCOREC_{name} is '{value}'"):
        settings_from({f"ENCOREC_{name}": value})
