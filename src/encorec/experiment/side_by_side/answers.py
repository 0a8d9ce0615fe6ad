"""What judges answered: the files that a judging page lets them download."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from encorec.errors import DataError
from encorec.experiment.side_by_side.key import Key

__all__ = ["CHOICES", "COLUMNS", "Answer", "read_answers"]

CHOICES = ("left", "right", "tie")
COLUMNS = ("page", "judge", "task", "choice", "seconds")


@dataclass(frozen=True)
class Answer:
    """One pair, judged once.

    Args:
        judge: who.
        task: number on the page.
        choice: ``left``, ``right`` or ``tie``.
        system: the chosen one, ``a`` or ``b``; none for a tie.
        left: the system on the left, ``a`` or ``b``.
        seconds: of thinking; none = not known.

    Example:
        >>> Answer("Ada", 1, "left", system="b", left="b").vote
        'b'
    """

    judge: str
    task: int
    choice: str
    system: str | None
    left: str
    seconds: float | None = None

    @property
    def vote(self) -> str:
        """``a``, ``b`` or ``tie``."""
        return self.system or "tie"


def read_answers(paths: Sequence[str | Path], key: Key) -> list[Answer]:
    """Read the answers of judges, each file as CSV or JSON.

    Args:
        paths: files that the page wrote, of any number of judges.
        key: of the page.

    Raises:
        DataError: a file that cannot be read or of another page, a task or choice that is none, an answer given
            twice, or no answers.

    Example:
        >>> read_answers(["no-such.csv"], Key(page="p", a="als", b="ease", seed=0, k=10, tasks=()))
        Traceback (most recent call last):
        ...
        encorec.errors.DataError: no-such.csv: cannot be read (No such file or directory); check the path
    """
    found: dict[tuple[str, int], Answer] = {}
    for path in paths:
        for place, row in enumerate(_rows(Path(path)), 1):
            where = f"{path}: answer {place}"
            answer = _answer(row, key, where)
            at = (answer.judge, answer.task)
            if at in found:
                raise DataError(
                    f"{where}: judge {answer.judge!r} has answered task {answer.task} before; give each file once, "
                    "and every judge a name of their own"
                )
            found[at] = answer
    if not found:
        raise DataError(f"{', '.join(map(str, paths)) or 'answers'}: no answers; judge at least one pair")
    return list(found.values())


def _rows(path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error
    return _from_json(text, path) if path.suffix.lower() == ".json" else _from_csv(text, path)


def _from_json(text: str, path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        content = msgspec.json.decode(text, type=dict[str, Any])
        rows = msgspec.convert(content["answers"], list[dict[str, Any]])
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise DataError(f"{path}: is not a file of answers ({error}); download it from the page again") from error
    return [{"page": content.get("page"), "judge": content.get("judge"), **row} for row in rows]


def _from_csv(text: str, path: Path) -> Iterable[Mapping[str, Any]]:
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS[:4] if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r}; it needs {', '.join(COLUMNS[:4])}")
    try:
        return list(reader)
    except csv.Error as error:
        raise DataError(f"{path}: is not a whole CSV file ({error}); download it from the page again") from error


def _answer(row: Mapping[str, Any], key: Key, where: str) -> Answer:
    if row.get("page") != key.page:
        raise DataError(f"{where}: is of page {row.get('page')!r}, but the key is of {key.page!r}; give the key of it")
    task, choice = _whole(row.get("task"), where), row.get("choice")
    lefts = {one.task: one.left for one in key.tasks}
    if task not in lefts:
        raise DataError(f"{where}: task {task} is not on the page; it has the tasks 1 to {len(lefts)}")
    if choice not in CHOICES:
        raise DataError(f"{where}: choice is {choice!r}, allowed are {', '.join(CHOICES)}")
    judge = str(row.get("judge") or "").strip()
    if not judge:
        raise DataError(f"{where}: has no judge; fill in the column 'judge' with one name per person")
    return Answer(judge, task, choice, key.system(task, choice), lefts[task], _seconds(row.get("seconds"), where))


def _whole(given: Any, where: str) -> int:
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{where}: task is {given!r}, it must be a whole number") from None


def _seconds(given: Any, where: str) -> float | None:
    if given in (None, ""):
        return None
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        raise DataError(f"{where}: seconds is {given!r}, it must be a number or empty") from None
    if not 0 <= seconds < float("inf"):
        raise DataError(f"{where}: seconds is {given!r}, it must be 0 or more and finite")
    return seconds
