"""The pictures of `benchmarks/README.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idist.analysis.picture import grid, heading
from idist.drawing import ACCENT, INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLES = ((ACCENT, "o", "-"), (QUIET, "s", "--"), (INK, "^", ":"), (QUIET, "d", "-."))


def ratios_picture(found: list[dict[str, Any]]) -> Figure:
    """A dot a ratio."""
    from matplotlib.ticker import StrMethodFormatter

    shown = [figure for content in found for figure in content["figures"] if figure["ratio"] is not None]
    height = 1.3 + 0.3 * len(shown)
    figure = new_figure(8.6, height)
    heading(figure, "How many times as fast", "each against what a person would do otherwise, in one run; logarithmic")
    axes = figure.add_axes((0.56, 0.5 / height, 0.41, 1 - 1.15 / height))
    for place, one in enumerate(shown):
        axes.hlines(place, 1, one["ratio"], ACCENT, linewidth=1.8)
        axes.plot(one["ratio"], place, "o", color=ACCENT, markersize=5)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_yticks(range(len(shown)), [shortened(one["claim"]) for one in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    grid(axes, "x")
    return figure


def curve_picture(curve: dict[str, Any]) -> Figure:
    """Lines with a marker a measurement; a line's name stands at its end."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

    figure = new_figure(6.4, 3.6)
    heading(figure, curve["title"], curve["below"])
    axes = figure.add_axes((0.12, 0.15, 0.68, 0.64))
    ticks = sorted({x for points in curve["lines"].values() for x, _ in points})
    for (label, points), (colour, marker, style) in zip(curve["lines"].items(), STYLES * 2, strict=False):
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, style, color=colour, marker=marker, markersize=5, linewidth=1.6)
        axes.annotate(label, (xs[-1], ys[-1]), (7, 0), textcoords="offset points", va="center", color=colour)
    if curve["logarithmic"]:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(curve["x"])
    axes.set_ylabel(curve["y"])
    grid(axes, "y")
    return figure


def shortened(text: str, most: int = 62) -> str:
    """A claim that fits beside its dot."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip(' ,')}…"
