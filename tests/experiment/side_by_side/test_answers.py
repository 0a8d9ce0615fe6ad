"""Files of answers and keys: read back as written, and every way to give the wrong file is named."""

import json
from pathlib import Path

import pytest
from tests.experiment.side_by_side.worked import key_of_sides

from encorec.errors import DataError
from encorec.experiment.side_by_side import read_answers, read_key, write_key

KEY = key_of_sides("ab")
HEAD = "page,judge,task,choice,seconds\n"


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + 'p,"Ada, ""the"" judge",1,left,2.5\np,"Ada, ""the"" judge",2,tie,\n')
    rows = [{"task": 1, "choice": "left", "seconds": 2.5}, {"task": 2, "choice": "tie"}]
    (tmp_path / "a.json").write_text(json.dumps({"page": "p", "judge": 'Ada, "the" judge', "answers": rows}))
    found = read_answers([tmp_path / "a.csv"], KEY)
    assert found == read_answers([tmp_path / "a.json"], KEY)
    assert [(one.judge, one.vote, one.seconds) for one in found] == [
        ('Ada, "the" judge', "a", 2.5),
        ('Ada, "the" judge', "tie", None),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "lacks the column 'page'"),
        ("page,judge,task\np,A,1\n", "lacks the column 'choice'"),
        (HEAD, "no answers"),
        (HEAD + "q,A,1,left,1\n", "is of page 'q', but the key is of 'p'"),
        (HEAD + "p,A,3,left,1\n", "task 3 is not on the page"),
        (HEAD + "p,A,one,left,1\n", "task is 'one'"),
        (HEAD + "p,A,1,up,1\n", "choice is 'up'"),
        (HEAD + "p, ,1,left,1\n", "has no judge"),
        (HEAD + "p,A,1,left,-1\n", "seconds is '-1'"),
        (HEAD + "p,A,1,left,nan\n", "seconds is 'nan'"),
        (HEAD + "p,A,1,left,soon\n", "seconds is 'soon'"),
        (HEAD + "p,A,1\n", "choice is None"),
        (HEAD + "p,A,1,left,1\np,A,1,right,1\n", "answer 2: judge 'A' has answered task 1 before"),
    ],
)
def test_a_csv_file_of_nonsense_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=told):
        read_answers([tmp_path / "a.csv"], KEY)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"answers": 7}', '{"answers": [1]}', '{"page": "p", "answers": [{"task": 1}]}', "\0"]
)
def test_a_json_file_of_nonsense_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=r"a\.json"):
        read_answers([tmp_path / "a.json"], KEY)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"page\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_answers([tmp_path / "a.csv"], KEY)
    with pytest.raises(DataError, match="no answers"):
        read_answers([], KEY)


def test_a_key_is_read_back_and_a_wrong_file_is_named(tmp_path: Path) -> None:
    assert read_key(write_key(KEY, tmp_path / "key.json")) == KEY
    content = json.loads((tmp_path / "key.json").read_text())
    wrong = {
        "text": "tea",
        "left": json.dumps({**content, "tasks": [{"task": 1, "user": "1", "left": "c"}]}),
        "twice": json.dumps({**content, "tasks": content["tasks"][:1] * 2}),
        "extra": json.dumps({**content, "answers": 1}),
        "bytes": "\udcff",
    }
    for text in wrong.values():
        (tmp_path / "wrong.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(DataError, match="not the key"):
            read_key(tmp_path / "wrong.json")
    with pytest.raises(DataError, match="cannot be written"):
        write_key(KEY, tmp_path / "no" / "key.json")
