"""What the pictures share, beside `idist.drawing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eval_harness.report.text import plain, shorten
from idist.drawing import FONT, new_figure, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = 38  # characters of a system's name in a picture; tables have it whole
Key = list[tuple[str, str]]  # what a sign means, in which colour
_EDGE, _BETWEEN = 0.18, 0.22  # inches


@dataclass(frozen=True)
class Picture:
    """A drawn plot: ``alt`` says in words what it shows."""

    name: str  # of its files, without suffix
    alt: str
    png: bytes
    svg: bytes


def draw(name: str, title: str, alt: str, make: Callable[[], Figure]) -> Picture:
    """What ``make`` draws, as PNG and SVG."""
    return Picture(name, alt, *render(title, make))


def heading(figure: Figure, title: str, key: Key) -> None:
    """Title and, under it, what the signs mean, in their colours."""
    width, height = figure.get_size_inches()
    figure.text(_EDGE / width, 1 - 0.16 / height, title, va="top", fontsize=FONT + 2, fontweight="bold")
    x = _EDGE
    for text, colour in key:
        figure.text(x / width, 1 - 0.42 / height, text, va="top", color=colour)
        x += measure(text)[0] + _BETWEEN


def heading_width(title: str, key: Key) -> float:
    """Inches that :func:`heading` needs."""
    signs = sum(measure(text)[0] + _BETWEEN for text, _ in key)
    return 2 * _EDGE + max(signs, measure(title, fontsize=FONT + 2, fontweight="bold")[0])


def measure(text: str, **style: Any) -> tuple[float, float]:
    """(width, height) of a text in inches."""
    figure = new_figure(1, 1)
    extent = figure.text(0, 0, text, **style).get_window_extent()
    return extent.width / figure.dpi, extent.height / figure.dpi


def short_name(label: str) -> str:
    """The name of a system as it stands in a picture."""
    return shorten(plain(label), NAME)
