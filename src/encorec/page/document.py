"""Blocks become one HTML file that needs nothing else: styles and drawings are inside, no script, no network."""

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import jinja2

from encorec.errors import DataError
from encorec.page.blocks import Cell, Section

__all__ = ["Page", "write_cell", "write_page"]


@dataclass(frozen=True)
class Page:
    """A report.

    Args:
        title: of the page.
        sections: in the order of reading; what decides comes first.
        lead: one paragraph under the title.
        made: how and when it was made, for the foot of the page.

    Example:
        >>> from encorec.page.blocks import Prose
        >>> html = Page("Tea & toast", [Section("Morning", [Prose("2 < 3")])]).html()
        >>> "<h1>Tea &amp; toast</h1>" in html, "2 &lt; 3" in html
        (True, True)
    """

    title: str
    sections: Sequence[Section]
    lead: str = ""
    made: str = ""

    def html(self) -> str:
        """The whole file as text."""
        numbers = count(1)
        return _template().render(page=self, inline=lambda svg: _inline(svg, next(numbers)), kind=_kind)


def write_page(page: Page, path: str | Path) -> Path:
    """Write the page, whole or not at all; an older file of that name is replaced.

    Args:
        page: what to write.
        path: of the HTML file.

    Raises:
        DataError: the file cannot be written.

    Example:
        >>> from tempfile import mkdtemp
        >>> write_page(Page("Tea", []), Path(mkdtemp(), "tea.html")).name
        'tea.html'
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        draft.write_text(page.html(), encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{target}: cannot be written ({error.strerror}); choose another path") from error
    return target


def write_cell(value: Cell) -> str:
    """A value as people read it: thousands apart, four digits, nothing for none.

    Example:
        >>> [write_cell(one) for one in (5476251, 0.99964, 12345.678, None, True, "als")]
        ['5,476,251', '0.9996', '12,346', '', 'yes', 'als']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return value


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    surroundings = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    surroundings.filters["cell"] = write_cell
    surroundings.tests["number"] = lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    return surroundings.get_template("page.html.j2")


def _kind(block: object) -> str:
    return type(block).__name__.lower()


def _inline(svg: str, number: int) -> str:
    """The drawing as part of a page: without its file header, its ids apart from those of other drawings."""
    body = svg[svg.index("<svg") :]
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>d{number}-", body)
