"""What each critic leaves of a run's pairs, drawn: one panel a funnel, bars on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from idist.analysis.picture import heading, save
from idist.drawing import ACCENT, INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from idist.critics.funnel import Funnel

NAME = "funnel"
BAR = 0.3  # inches of height a bar
LABELS = 1.8  # inches for the critics' names
LEAST = 0.6  # a bar of nothing ends here: the logarithm of 0 does not exist


def draw_funnels(funnels: Mapping[str, Funnel], folder: Path, title: str) -> list[Path]:
    """``funnel.png`` and ``funnel.svg`` in ``folder``.

    Args:
        funnels: panel's title -> funnel of at least one critic.
        folder: must be there.
        title: of the whole picture.
    """
    return save(folder, NAME, title, lambda: _figure(funnels, title))


def _figure(funnels: Mapping[str, Funnel], title: str) -> Figure:
    bars = [len(funnel.steps) + 1 for funnel in funnels.values()]
    height = 0.7 + sum(BAR * count + 0.45 for count in bars)
    figure = new_figure(7.5, height)
    heading(figure, title, "pairs left after each critic; logarithmic scale; share of all candidates")
    most = max(funnel.steps[0].seen for funnel in funnels.values())
    top = height - 0.7
    for (name, funnel), count in zip(funnels.items(), bars, strict=True):
        top -= 0.3 + BAR * count
        axes = figure.add_axes((LABELS / 7.5, top / height, (7.5 - LABELS - 1.4) / 7.5, BAR * count / height))
        _panel(axes, name, funnel, most)
        top -= 0.15
    return figure


def _panel(axes: Axes, name: str, funnel: Funnel, most: int) -> None:
    """The candidates, then what is left after each critic; the last bar is what was kept."""
    left = [funnel.steps[0].seen, *(step.seen - step.removed for step in funnel.steps)]
    labels = ["candidates", *(step.name for step in funnel.steps)]
    places = range(len(left))
    colours = [QUIET, *[ACCENT] * len(funnel.steps)]
    axes.barh(places, [max(value, LEAST) for value in left], color=colours, height=0.72)
    axes.set_xscale("log")
    axes.set_xlim(LEAST, max(2 * most, 10))
    axes.set_ylim(len(left) - 0.5, -0.5)
    axes.set_yticks(places, labels)
    axes.set_xticks([])
    axes.minorticks_off()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(name, loc="left", fontweight="bold", fontsize=9)
    for place, value in zip(places, left, strict=True):
        share = f" ({value / left[0]:.1%})" if place and left[0] else ""
        axes.annotate(
            f"{value:,}{share}", (max(value, LEAST), place), (4, 0), textcoords="offset points", va="center", color=INK
        )
