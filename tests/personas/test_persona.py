"""Persona files: what may stand in them, and what comes with the package."""

from pathlib import Path

import pytest

from encorec.errors import ConfigError
from encorec.personas.persona import Persona, Taken, load_personas, shipped_personas


def written(folder: Path, text: str) -> Path:
    path = folder / "personas.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_personas_are_read_in_order_with_titles_ids_and_times(tmp_path: Path) -> None:
    found = load_personas(
        written(
            tmp_path,
            """
            [personas."action fan"]
            about = "loud"
            history = ["Die Hard", 50, { item = "Heat", days_ago = 0.25, weight = 2.0 }]
            features = { age = 30, gender = "M" }
            [personas.newcomer]
            """,
        )
    )
    assert list(found) == ["action fan", "newcomer"]
    fan = found["action fan"]
    assert fan.taken() == [
        Taken(item="Die Hard", days_ago=3.0),
        Taken(item=50, days_ago=2.0),
        Taken(item="Heat", days_ago=0.25, weight=2.0),
    ]
    assert (fan.about, fan.features) == ("loud", {"age": 30, "gender": "M"})
    assert found["newcomer"] == Persona()


MISTAKES = {
    "[personas]": "no personas; write at least one table",
    "": "required field `personas`",
    '[persona."a"]': "did you mean 'personas'?",
    "[personas.a]\nhistories = []": "unknown field 'histories': did you mean 'history'?",
    "[personas.a]\nhistory = [1.5]": "personas.a.history",
    "[personas.a]\nhistory = [{ item = 1, days_ago = 0 }]": "Taken.days_ago is 0",
    "[personas.a]\nhistory = [{ item = 1, days_ago = -1 }]": "Taken.days_ago is -1",
    "[personas.a]\nhistory = [{ item = 1, weight = 0 }]": "Taken.weight is 0",
    "[personas.a": "not valid TOML",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as fault:
        load_personas(written(tmp_path, text))
    assert MISTAKES[text] in str(fault.value)
    assert "personas.toml" in str(fault.value)


def test_personas_come_for_movielens_and_no_others() -> None:
    found = load_personas(shipped_personas("movielens-100k"))
    assert {"action fan", "family with kids", "art house", "newcomer"} <= found.keys()
    assert found["newcomer"].history == ()
    assert all(one.about for one in found.values())
    with pytest.raises(ConfigError, match="no personas come for 'kion'"):
        shipped_personas("kion")
