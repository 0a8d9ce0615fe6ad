"""Charts as SVG text, drawn for a small screen first: narrow, few words, colours that everybody can tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encorec.errors import DataError
from encorec.page.axes import (
    PALETTE,
    add_legend,
    axes_of,
    colour_scale,
    label_rows,
    rows_height,
    set_dates,
    set_scales,
    set_whole_numbers,
)
from encorec.page.bins import bin_edges
from encorec.page.swarm_places import swarm_places
from encorec.types import FloatMatrix, FloatVector, IntVector

__all__ = ["bars", "beeswarm", "grouped_bars", "heatmap", "histogram", "intervals", "lines", "scatter"]

_LOW, _MIDDLE, _HIGH, _UNKNOWN = "#008bfb", "#9b4fc4", "#ff0051", "#9aa3ad"
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
    with axes_of(x, y) as (axes, done):
        for place, (name, (along, up)) in enumerate(series.items()):
            at: Any = np.asarray(along).astype("datetime64[s]") if dates else along
            axes.plot(at, up, label=name, linewidth=1.6, marker="o" if len(up) <= 12 else None, markersize=3.5)
            if bands and name in bands:
                colour = PALETTE[place % len(PALETTE)]
                axes.fill_between(at, bands[name][0], bands[name][1], color=colour, alpha=0.15, linewidth=0)
        set_scales(axes, log)
        if not dates and "x" not in log and all(np.asarray(along).dtype.kind in "iu" for along, _ in series.values()):
            set_whole_numbers(axes)
        if dates:
            set_dates(axes)
        if len(series) > 1:
            add_legend(axes, len(series))
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
    with axes_of(x, "", height=rows_height(len(values))) as (axes, done):
        place = np.arange(len(values))
        axes.barh(place, list(values.values()), height=0.7)
        label_rows(axes, list(values))
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
    with axes_of(x, "", height=rows_height(len(groups) * (0.45 * many + 0.5) + 1)) as (axes, done):
        place, thick = np.arange(len(groups)), 0.8 / many
        for number, (name, values) in enumerate(series.items()):
            axes.barh(place + (number - (many - 1) / 2) * thick, values, height=thick, label=name)
        label_rows(axes, list(groups))
        add_legend(axes, many)
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
    with axes_of(x, "", height=rows_height(len(values))) as (axes, done):
        mean, low, high = np.array(list(values.values()), float).reshape(-1, 3).T
        place = np.arange(len(values))
        axes.hlines(place, low, high, color=PALETTE[0], linewidth=2)
        axes.plot(mean, place, "o", color=PALETTE[0], markersize=5)
        if zero:
            axes.axvline(0, color="#59636e", linewidth=1)
        label_rows(axes, list(values))
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
    colours = colour_scale(_LOW, _MIDDLE, _HIGH)
    dots: dict[str, Any] = {"s": 7, "linewidths": 0, "rasterized": True}
    with axes_of(x, "", height=rows_height(1.1 * len(points) + 1)) as (axes, done):
        axes.axvline(0, color="#59636e", linewidth=1)
        shades = None
        for row, (contribution, level) in enumerate(points.values()):
            along, known = np.asarray(contribution, float), np.isfinite(np.asarray(level, float))
            place = row + swarm_places(along, 0.4)
            axes.scatter(along[~known], place[~known], color=_UNKNOWN, **dots)
            shades = axes.scatter(along[known], place[known], c=level[known], cmap=colours, vmin=0, vmax=1, **dots)
        label_rows(axes, list(points))
        if shades is not None:
            figure: Any = axes.figure
            figure.set_dpi(_DOTS)
            bar = figure.colorbar(shades, ax=axes, ticks=[0, 1], aspect=60, pad=0.02)
            bar.ax.set_yticklabels(["low", "high"])
            bar.set_label("value of the feature", labelpad=-12)
            bar.outline.set_visible(False)
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
    with axes_of(x, y) as (axes, done):
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
    with axes_of(x, y) as (axes, done):
        axes.hist(values, bins=bin_edges(np.asarray(values, np.float64), bins, ratio="x" in log).tolist())
        set_scales(axes, log)
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
    with axes_of(x, y, height=max(rows_height(len(rows)) + 0.5, 1.8)) as (axes, done):
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
