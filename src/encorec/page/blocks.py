"""What a page is made of. Text is text: the page escapes it; only a chart is markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Block", "Cell", "Chart", "Code", "Columns", "Details", "Facts", "Prose", "Section", "Table", "Verdict"]

Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Prose:
    """A paragraph.

    Example:
        >>> Prose("Nobody was asked twice.").text
        'Nobody was asked twice.'
    """

    text: str


@dataclass(frozen=True)
class Verdict:
    """The one sentence that matters.

    Args:
        text: the sentence.
        kind: ``good``, ``bad`` or ``open`` (neither).

    Example:
        >>> Verdict("The two-stage wins.", "good").kind
        'good'
    """

    text: str
    kind: Literal["good", "bad", "open"] = "open"


@dataclass(frozen=True)
class Facts:
    """Names and values, side by side.

    Args:
        pairs: in the order of reading; numbers are written with thousands apart and few digits.

    Example:
        >>> Facts((("users", 962179), ("sparsity", 0.99964))).pairs[0]
        ('users', 962179)
    """

    pairs: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Table:
    """Rows under a head; wide ones scroll sideways in their own box.

    Args:
        head: names of the columns.
        rows: one cell per column; numbers stand right, text left.
        strong: numbers of the rows that stand out.
        caption: what it shows.

    Example:
        >>> Table(("system", "ndcg@10"), [("als", 0.07)]).strong
        frozenset()
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    strong: frozenset[int] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing of ``encorec.page.charts``.

    Args:
        svg: the drawing.
        caption: what is to be seen.

    Example:
        >>> Chart("<svg></svg>", "nothing yet").caption
        'nothing yet'
    """

    svg: str
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """Text whose lines and blanks stay as they are, such as a file.

    Example:
        >>> Code("name = 'tea'").text
        "name = 'tea'"
    """

    text: str


@dataclass(frozen=True)
class Columns:
    """Blocks beside each other where the screen is wide enough, below each other where it is not.

    Example:
        >>> len(Columns((Prose("left"), Prose("right"))).blocks)
        2
    """

    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until asked for.

    Example:
        >>> Details("All segments", (Prose("here"),)).summary
        'All segments'
    """

    summary: str
    blocks: Sequence["Block"]


Block: TypeAlias = Prose | Verdict | Facts | Table | Chart | Code | Columns | Details


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Example:
        >>> Section("Time", (Prose("163 days"),)).title
        'Time'
    """

    title: str
    blocks: Sequence[Block]
