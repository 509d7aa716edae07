"""What the plots of this room share, beside `idist.drawing`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from idist.drawing import FAINT, FONT, QUIET, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPEN = {"axes.spines.top": False, "axes.spines.right": False}


def save(folder: Path, name: str, title: str, make: Callable[[], Figure]) -> list[Path]:
    """Write ``name.png`` and ``name.svg`` of what ``make`` draws.

    Args:
        folder: must be there.
        title: what the picture shows, kept in both files.
        make: draws the figure.
    """
    from idist.engine import write_bytes

    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    for path, drawn in zip(paths, render(title, make, OPEN), strict=True):
        write_bytes(path, drawn)
    return paths


def heading(figure: Figure, title: str, below: str = "") -> None:
    """Title at the top left and a line of explanation under it."""
    width, height = figure.get_size_inches()
    figure.text(0.18 / width, 1 - 0.16 / height, title, va="top", fontsize=FONT + 2, fontweight="bold")
    figure.text(0.18 / width, 1 - 0.42 / height, below, va="top", color=QUIET)


def grid(axes: Axes, axis: str) -> None:
    """Faint lines to look along, behind the data; ``axis``: x or y."""
    axes.grid(True, axis=axis, color=FAINT, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
