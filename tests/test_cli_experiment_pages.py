"""`encorec experiment side-by-side`, `judge`, `example`, and the commands of the docs, in this process."""

import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from tests.browser import open_page
from tests.conftest import Command

from encorec.experiment.side_by_side import read_key

DOCS = Path(__file__).parents[1] / "docs" / "experiments.md"


@pytest.fixture
def encorec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_encorec: Command) -> Command:
    """The command in a folder with lists of two systems."""
    monkeypatch.chdir(tmp_path)
    users = [user for user in range(20) for _ in range(3)]
    for name, shift in (("als", 1), ("ease", 2)):
        items = [user + shift * place for user in range(20) for place in range(3)]
        pl.DataFrame({"user_id": users, "item_id": items, "rank": [1, 2, 3] * 20}).write_csv(f"{name}.csv")
    pl.DataFrame({"item_id": range(40), "title": [f"Film {one}" for one in range(40)]}).write_csv("items.csv")
    return run_encorec


def commands(section: str) -> list[list[str]]:
    """The shell lines under a heading of the docs."""
    text = DOCS.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    if block is None:
        raise AssertionError(f"no commands under {section!r}")
    return [shlex.split(line)[1:] for line in block[1].splitlines()]


def test_the_commands_from_specification_to_verdict_run_as_they_stand(encorec: Command, tmp_path: Path) -> None:
    lines = commands("From spec to verdict")
    assert [line[1] for line in lines] == ["example", "design", "assign", "check", "analyze"]
    for line in lines:
        code, text, told = encorec(*line)
        assert (code, "error" in told) == (0, False), (line, text, told)
    assert "SHIP treatment" in text
    assert (tmp_path / "first" / "assigned.csv").exists()
    opened = open_page(f"file://{tmp_path / 'first' / 'report.html'}", width=390)
    assert opened.console == []
    assert "Ship treatment" in opened.document


def test_the_commands_of_side_by_side_run_as_they_stand(encorec: Command, tmp_path: Path) -> None:
    page, judging = commands("Side by side")
    code, _, told = encorec(*page)
    assert code == 0
    assert "20 pairs: page.html; key, not for judges: page.key.json" in told
    key = read_key("page.key.json")
    assert (key.a, key.b, key.seed, len(key.tasks)) == ("als", "ease", 7, 20)
    html = (tmp_path / "page.html").read_text()
    assert "Film 3" in html
    assert not re.search(r"\b(als|ease)\b", html)
    rows = [{"task": one.task, "choice": "left" if one.left == "b" else "right"} for one in key.tasks]
    head = "page,judge,task,choice,seconds\n"
    (tmp_path / "answers-ada.csv").write_text(
        head + "".join(f"{key.page},Ada,{one['task']},{one['choice']},3.5\n" for one in rows)
    )
    content = {"page": key.page, "judge": "Bo [b]", "answers": [*rows[:9], {"task": 10, "choice": "tie"}]}
    (tmp_path / "answers-bo.json").write_text(json.dumps(content))
    code, text, told = encorec(*judging)
    assert (code, told) == (0, "")
    assert "ease is preferred" in text
    assert "Cohen's kappa" in text
    assert "Bo [b]" in text
    code, text, _ = encorec(*judging, "--json")
    found = json.loads(text)
    assert found["tasks"] | {"p": None} == {
        **{"judged": 20, "shown": 20, "a": 0, "b": 20, "tie": 0, "share_b": 1.0, "p": None},
        **{name: found["tasks"][name] for name in ("wilson95", "exact95")},
    }
    assert found["tasks"]["p"] == pytest.approx(2 / 2**20)
    assert found["position_bias"]["ok"]


def test_answers_may_follow_one_another(encorec: Command, tmp_path: Path) -> None:
    lists = ("--a", "als.csv", "--b", "ease.csv", "--out", "page.html", "--users", 4, "--key-out", "secret.json")
    code, text, _ = encorec("experiment", "side-by-side", *lists, "--json")
    assert (code, json.loads(text)["pairs"]) == (0, 4)
    page = read_key("secret.json").page
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"page,judge,task,choice\n{page},{name},1,tie\n")
    code, text, _ = encorec("experiment", "judge", "--key", "secret.json", "--answers", "a.csv", "b.csv", "--json")
    assert (code, json.loads(text)["answers"]["count"]) == (0, 2)
    code, text, _ = encorec("experiment", "judge", "--key", "secret.json", "--answers", "a.csv")
    assert code == 0
    assert "one judge, so no agreement" in text
    assert "too few answers" in text


def test_what_cannot_be_done_is_told(encorec: Command, tmp_path: Path) -> None:
    lists = ("experiment", "side-by-side", "--a", "als.csv", "--b", "ease.csv")
    code, _, told = encorec(*lists, "--out", "no/page.html")
    assert code == 1
    assert "cannot be written there" in told
    code, _, told = encorec(*lists, "--out", "page.html", "--key-out", "page.html")
    assert code == 2
    assert "judges must not get the key" in " ".join(told.replace("│", " ").split())
    assert not (tmp_path / "page.html").exists()
    assert encorec("experiment", "judge", "--key", "none.json")[0] == 2
    code, _, told = encorec("experiment", "judge", "--key", "none.json", "--answers", "none.csv")
    assert code == 1
    assert "none.json: cannot be read" in told
    assert encorec("experiment", "example", "als.csv")[0] == 1


def test_an_example_is_told_as_json(encorec: Command, tmp_path: Path) -> None:
    code, text, _ = encorec("experiment", "example", "tea", "--users", 150, "--effect", 0, "--seed", 2, "--json")
    assert code == 0
    assert sorted(json.loads(text)) == ["exposures", "history", "metrics", "spec", "units"]
    assert pl.read_csv(tmp_path / "tea" / "units.csv").height == 150
