"""The paper that every chart is drawn on: size, colours, scales and labels."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

__all__ = [
    "PALETTE",
    "add_legend",
    "axes_of",
    "colour_scale",
    "label_rows",
    "rows_height",
    "set_dates",
    "set_scales",
    "set_whole_numbers",
]

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")  # okabe2008
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small files, and a reader can search it
    "svg.hashsalt": "encorec",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e9ec",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
_UNSIGNED = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_WIDTH, _HEIGHT, _ROW = 4.6, 2.9, 0.27


@contextmanager
def axes_of(x: str, y: str, *, height: float = _HEIGHT) -> Iterator[tuple[Axes, Callable[[], str]]]:
    """Axes to draw on, and what gives the drawing afterwards; no state of matplotlib outlives it."""
    drawn: list[str] = []
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height))
        axes = figure.subplots()
        axes.set_xlabel(_plain(x))
        axes.set_ylabel(_plain(y))
        yield axes, lambda: drawn[0]
        _short_numbers(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=_UNSIGNED)
        text = file.getvalue()
        drawn.append(text[text.index("<svg") :].replace("'DejaVu Sans'", "system-ui, sans-serif"))


def _plain(text: str) -> str:
    """Text is text: a dollar sign starts no formula."""
    return text.replace("$", r"\$")


def set_whole_numbers(axes: Axes) -> None:
    """Ticks of the horizontal axis at whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def set_dates(axes: Axes) -> None:
    """Days since 1970 on the horizontal axis, written as dates."""
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def colour_scale(*colours: str) -> Any:
    """A function from 0 to 1 to the colours between these."""
    return LinearSegmentedColormap.from_list("levels", list(colours))


def set_scales(axes: Axes, log: str) -> None:
    """Logarithmic axes where anything is above zero, with plain numbers beside as many ticks as do not touch."""
    for letter in log:
        axis = axes.xaxis if letter == "x" else axes.yaxis
        if not np.isfinite(axis.get_minpos()):
            continue
        (axes.set_xscale if letter == "x" else axes.set_yscale)("log")
        low, high = axis.get_view_interval()
        few = high < 500 * low
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())


def _short_numbers(axes: Axes) -> None:
    """Thousands and millions by a letter on linear axes that reach far."""
    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter) and max(axis.get_view_interval()) >= 10_000:
            axis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _place: int | None = None) -> str:
    """A number of an axis, thousands and millions by a letter."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def rows_height(count: float) -> float:
    """Inches of a drawing of so many rows."""
    return max(0.7 + _ROW * count, 1.1)


def label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """One row per label, the first on top."""
    axes.set_yticks(range(len(labels)), [_plain(_short(one)) for one in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _short(label: str) -> str:
    return label if len(label) <= 28 else f"{label[:27]}…"


def add_legend(axes: Axes, many: int) -> None:
    """What the ``many`` colours mean, below the drawing."""
    if axes.figure is not None:
        axes.figure.legend(loc="outside lower center", ncols=2 if many == 4 else min(many, 3), fontsize=8)
