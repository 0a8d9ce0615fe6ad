"""The page on which people judge: one self-contained file, answers stay in the browser until they are downloaded."""

import json
import os
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2

from encorec.errors import DataError
from encorec.experiment.side_by_side.key import Key, KeyTask
from encorec.experiment.side_by_side.pairs import Pairs

__all__ = ["QUESTION", "judging_page", "key_of", "write_judging_page"]

QUESTION = "Which list suits this person better?"
_HARMLESS = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def judging_page(pairs: Pairs, *, title: str = "Side by side", question: str = QUESTION) -> str:
    """The page as HTML; it names neither the systems nor the draw of the sides.

    Args:
        pairs: to judge.
        title: of the page.
        question: that judges answer.

    Example:
        >>> from encorec.experiment.side_by_side.pairs import Pair
        >>> page = judging_page(Pairs((Pair("7", ("Tea",), ("Jam",), "a"),), k=1, seed=0, identical=(), one_sided=0))
        >>> "Tea" in page, "https://" in page
        (True, False)
    """
    content = {"page": _name(pairs), "question": question, "tasks": _tasks(pairs)}
    data = json.dumps(content, ensure_ascii=False).translate(_HARMLESS)
    return _template().render(title=title, question=question, tasks=len(pairs.pairs), data=data)


def key_of(pairs: Pairs, a: str, b: str) -> Key:
    """The key of the page.

    Args:
        pairs: as on the page.
        a: name of one system.
        b: name of the other.

    Example:
        >>> from encorec.experiment.side_by_side.pairs import Pair
        >>> pairs = Pairs((Pair("7", ("Tea",), ("Jam",), "b"),), k=1, seed=0, identical=(), one_sided=0)
        >>> key_of(pairs, "als", "ease").tasks
        (KeyTask(task=1, user='7', left='b'),)
    """
    tasks = tuple(KeyTask(task=place, user=one.user, left=one.left) for place, one in enumerate(pairs.pairs, 1))
    return Key(
        page=_name(pairs),
        a=a,
        b=b,
        seed=pairs.seed,
        k=pairs.k,
        tasks=tasks,
        identical=pairs.identical,
        one_sided=pairs.one_sided,
    )


def write_judging_page(html: str, path: str | Path) -> Path:
    """Write the page, whole or not at all; an older file of that name is replaced.

    Args:
        html: of ``judging_page``.
        path: of the file.

    Raises:
        DataError: the file cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> write_judging_page("<!doctype html>", Path(mkdtemp(), "page.html")).name
        'page.html'
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        draft.write_text(html, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{target}: cannot be written ({error.strerror}); choose another path") from error
    return target


def _tasks(pairs: Pairs) -> list[Mapping[str, Any]]:
    return [
        {"about": one.about, "history": one.history, "left": one.sides[0], "right": one.sides[1]} for one in pairs.pairs
    ]


def _name(pairs: Pairs) -> str:
    """What answers and key are recognised by: drawn from what is shown, so that another page has another name."""
    return sha256(json.dumps(_tasks(pairs)).encode()).hexdigest()[:16]


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    surroundings = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return surroundings.get_template("judging_page.html.j2")
