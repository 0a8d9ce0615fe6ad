"""Charts as SVG text, drawn for a small screen first: narrow, few words, colours that everybody can tell apart."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
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

from encorec.errors import DataError
from encorec.page.bins import bin_edges
from encorec.page.swarm_places import swarm_places
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["bars", "beeswarm", "grouped_bars", "heatmap", "histogram", "intervals", "lines", "scatter"]

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
_LOW, _MIDDLE, _HIGH, _UNKNOWN = "#008bfb", "#9b4fc4", "#ff0051", "#9aa3ad"
_UNSIGNED = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_WIDTH, _HEIGHT, _ROW = 4.6, 2.9, 0.27
_DOTS = 200  # per inch, where thousands of points would be a heavy drawing

Points = tuple[FloatVector | IntVector, FloatVector | IntVector]


def lines(
    series: Mapping[str, Points],
    *,
    x: str,
    y: str,
    dates: bool = False,
    log: str = "",
    bands: Mapping[str, Points] | None = None,
) -> str:
    """One line per series.

    Args:
        series: name -> (x, y), each (n,); NaN breaks the line. With ``dates`` x are seconds since 1970.
        x: what lies along the axis, with unit.
        y: what is measured, with unit.
        dates: whether x are moments.
        log: axes with a logarithmic scale: "", "x", "y" or "xy".
        bands: name of a series -> its (low, high), drawn behind its line.

    Example:
        >>> svg = lines({"als": (np.arange(3), np.array([0.1, 0.2, 0.2]))}, x="k", y="recall@k")
        >>> svg.startswith("<svg"), "recall@k" in svg
        (True, True)
    """
    with _axes(x, y) as (axes, done):
        for place, (name, (along, up)) in enumerate(series.items()):
            at: Any = np.asarray(along).astype("datetime64[s]") if dates else along
            axes.plot(at, up, label=name, linewidth=1.6, marker="o" if len(up) <= 12 else None, markersize=3.5)
            if bands and name in bands:
                colour = PALETTE[place % len(PALETTE)]
                axes.fill_between(at, bands[name][0], bands[name][1], color=colour, alpha=0.15, linewidth=0)
        _scales(axes, log)
        if not dates and "x" not in log and all(np.asarray(along).dtype.kind in "iu" for along, _ in series.values()):
            axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        if dates:
            locator = AutoDateLocator(minticks=3, maxticks=7)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        if len(series) > 1:
            _legend(axes, len(series))
    return done()


def bars(values: Mapping[str, float], *, x: str) -> str:
    """Horizontal bars, the first on top.

    Args:
        values: label -> length of its bar.
        x: what is measured, with unit.

    Example:
        >>> "drama" in bars({"drama": 3, "comedy": 5}, x="films")
        True
    """
    with _axes(x, "", height=_rows(len(values))) as (axes, done):
        place = np.arange(len(values))
        axes.barh(place, list(values.values()), height=0.7)
        _row_labels(axes, list(values))
    return done()


def grouped_bars(groups: Sequence[str], series: Mapping[str, Sequence[float]], *, x: str) -> str:
    """Several bars per group, horizontal, NaN left out.

    Args:
        groups: g labels, the first on top.
        series: name -> g lengths.
        x: what is measured, with unit.

    Example:
        >>> "new" in grouped_bars(["new", "heavy"], {"als": [0.1, 0.3], "popular": [0.2, 0.1]}, x="ndcg@10")
        True
    """
    many = max(len(series), 1)
    with _axes(x, "", height=_rows(len(groups) * (0.45 * many + 0.5) + 1)) as (axes, done):
        place, thick = np.arange(len(groups)), 0.8 / many
        for number, (name, values) in enumerate(series.items()):
            axes.barh(place + (number - (many - 1) / 2) * thick, values, height=thick, label=name)
        _row_labels(axes, list(groups))
        _legend(axes, many)
    return done()


def intervals(values: Mapping[str, tuple[float, float, float]], *, x: str, zero: bool = False) -> str:
    """A dot with its interval per row, the first on top.

    Args:
        values: label -> (mean, low, high).
        x: what is measured, with unit.
        zero: draw the line at 0, where "no difference" is.

    Example:
        >>> "als" in intervals({"als": (0.02, 0.01, 0.03)}, x="difference", zero=True)
        True
    """
    with _axes(x, "", height=_rows(len(values))) as (axes, done):
        mean, low, high = np.array(list(values.values()), float).reshape(-1, 3).T
        place = np.arange(len(values))
        axes.hlines(place, low, high, color=PALETTE[0], linewidth=2)
        axes.plot(mean, place, "o", color=PALETTE[0], markersize=5)
        if zero:
            axes.axvline(0, color="#59636e", linewidth=1)
        _row_labels(axes, list(values))
    return done()


def beeswarm(points: Mapping[str, Points], *, x: str) -> str:
    """A SHAP summary plot: one row of points per feature, coloured by the value of the feature; lundberg2018.

    Args:
        points: feature -> (contribution, level), each (p,), the first on top; levels are 0 (low) to 1 (high), NaN = the
            value is not known, which is grey.
        x: what the contributions change, with unit.

    Example:
        >>> "als_score" in beeswarm({"als_score": (np.array([-0.1, 0.2]), np.array([0.0, 1.0]))}, x="SHAP value")
        True
    """
    colours = LinearSegmentedColormap.from_list("levels", [_LOW, _MIDDLE, _HIGH])
    dots: dict[str, Any] = {"s": 7, "linewidths": 0, "rasterized": True}
    with _axes(x, "", height=_rows(1.1 * len(points) + 1)) as (axes, done):
        axes.axvline(0, color="#59636e", linewidth=1)
        shades = None
        for row, (contribution, level) in enumerate(points.values()):
            along, known = np.asarray(contribution, float), np.isfinite(np.asarray(level, float))
            place = row + swarm_places(along, 0.4)
            axes.scatter(along[~known], place[~known], color=_UNKNOWN, **dots)
            shades = axes.scatter(along[known], place[known], c=level[known], cmap=colours, vmin=0, vmax=1, **dots)
        _row_labels(axes, list(points))
        if shades is not None and isinstance(axes.figure, Figure):
            axes.figure.set_dpi(_DOTS)
            bar = axes.figure.colorbar(shades, ax=axes, ticks=[0, 1], aspect=60, pad=0.02)
            bar.ax.set_yticklabels(["low", "high"])
            bar.set_label("value of the feature", labelpad=-12)
            bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return done()


def scatter(
    points: Mapping[str, tuple[float, float]], *, x: str, y: str, size: Mapping[str, float] | None = None
) -> str:
    """One labelled dot per system.

    Args:
        points: label -> (x, y).
        x: what lies along the axis, with unit.
        y: what goes up, with unit.
        size: label -> a number that its area shows.

    Example:
        >>> "popular" in scatter({"popular": (1.2, 0.05), "als": (2.0, 0.07)}, x="miuf@10 (bits)", y="ndcg@10")
        True
    """
    with _axes(x, y) as (axes, done):
        largest = max(size.values(), default=0) if size else 0
        for number, (name, (along, up)) in enumerate(points.items()):
            area = 30 + 170 * (size or {}).get(name, 0) / largest if largest > 0 else 45
            axes.scatter([along], [up], s=area, color=PALETTE[number % len(PALETTE)], alpha=0.85)
            axes.annotate(name, (along, up), xytext=(5, 5), textcoords="offset points", fontsize=8)
        axes.margins(0.15)
    return done()


def histogram(values: FloatVector | IntVector, *, x: str, y: str, bins: int = 30, log: str = "") -> str:
    """How often values of a size occur; bins of equal width, of equal ratio where x is logarithmic.

    Bins of whole numbers hold whole numbers: equally many, or 1, 2 to 3, 4 to 7, 8 to 15 where x is logarithmic.

    Args:
        values: (n,) finite; positive where x is logarithmic.
        x: what was counted, with unit.
        y: of what there are so many.
        bins: number of them at most.
        log: "", "x", "y" or "xy".

    Example:
        >>> "items each" in histogram(np.array([1, 2, 2, 9]), x="items each", y="users", log="xy")
        True
    """
    with _axes(x, y) as (axes, done):
        axes.hist(values, bins=bin_edges(np.asarray(values, np.float64), bins, ratio="x" in log).tolist())
        _scales(axes, log)
    return done()


def heatmap(values: FloatMatrix, rows: Sequence[str], columns: Sequence[str], *, x: str, y: str) -> str:
    """A matrix in shades, its numbers written where there is room.

    Args:
        values: (rows, columns) finite or NaN (empty).
        rows: labels, the first on top.
        columns: labels.
        x: what the columns are.
        y: what the rows are.

    Raises:
        DataError: labels that do not fit the matrix.

    Example:
        >>> "1-3" in heatmap(np.eye(2), ["1-3", "4-9"], ["1-3", "4-9"], x="final rank", y="retriever rank")
        True
    """
    if values.shape != (len(rows), len(columns)):
        raise DataError(f"heatmap: {values.shape} values for {len(rows)} row and {len(columns)} column labels")
    with _axes(x, y, height=max(1.2 + _ROW * len(rows), 1.8)) as (axes, done):
        axes.grid(visible=False)
        largest = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
        axes.imshow(values, cmap="Blues", aspect="auto", vmin=0, vmax=largest or 1.0)
        tight = len(columns) * max(map(len, columns), default=0) > 45
        axes.set_xticks(range(len(columns)), columns, rotation=60 if tight else 0, ha="right" if tight else "center")
        axes.set_yticks(range(len(rows)), rows)
        if len(columns) <= 10:
            for row, column in np.argwhere(np.isfinite(values)):
                dark = values[row, column] > 0.6 * largest
                text = f"{values[row, column]:.3g}"
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "#1b1f24")
    return done()


@contextmanager
def _axes(x: str, y: str, *, height: float = _HEIGHT) -> Iterator[tuple[Axes, Callable[[], str]]]:
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


def _scales(axes: Axes, log: str) -> None:
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


def _rows(count: float) -> float:
    return max(0.7 + _ROW * count, 1.1)


def _row_labels(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), [_plain(_short(one)) for one in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _short(label: str) -> str:
    return label if len(label) <= 28 else f"{label[:27]}…"


def _legend(axes: Axes, many: int) -> None:
    if axes.figure is not None:
        axes.figure.legend(loc="outside lower center", ncols=2 if many == 4 else min(many, 3), fontsize=8)
