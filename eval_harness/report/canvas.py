"""What the pictures share: the same bytes from the same data, colours that all can tell apart, dark on white."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eval_harness.report.text import plain, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a1a1a"  # text
QUIET = "#595959"  # what is less important; 7:1 against white
FAINT = "#d0d0d0"  # lines to look along
ACCENT = "#005a9c"  # the best: a blue that differs from grey in lightness, too, so also without colour vision
NAME = 38  # characters of a system's name in a picture; tables have it whole
FONT = 9.0
Key = list[tuple[str, str]]  # what a sign means, in which colour
_EDGE, _BETWEEN = 0.18, 0.22  # inches
_DPI = 160
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same everywhere
    "font.size": FONT,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "svg.fonttype": "path",  # looks the same without the font
    "svg.hashsalt": "idist-eval",  # ids from the content, not from chance
}


@dataclass(frozen=True)
class Picture:
    """A drawn plot: ``alt`` says in words what it shows."""

    name: str  # of its files, without suffix
    alt: str
    png: bytes
    svg: bytes


def draw(name: str, title: str, alt: str, make: Callable[[], Figure]) -> Picture:
    """Run ``make`` with our settings alone (not those of a matplotlibrc) and keep what it drew as PNG and SVG."""
    with _settings():
        figure = make()
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=_DPI, metadata={"Title": title})
        figure.savefig(svg, format="svg", metadata={"Title": title, "Date": None})
    return Picture(name, alt, png.getvalue(), svg.getvalue())


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of so many inches. No display is needed and pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


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


@contextmanager
def _settings() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        # a script that the font lacks shows boxes; the tables have the name
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
