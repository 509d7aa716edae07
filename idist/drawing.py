"""How pictures are drawn here: the same bytes from the same data, in ink, grey and one blue on white."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a1a1a"  # text
QUIET = "#595959"  # what is less important; 7:1 against white
FAINT = "#d0d0d0"  # lines to look along
ACCENT = "#005a9c"  # a blue that differs from grey in lightness, too, so also without colour vision
FONT = 9.0
DPI = 160
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
    "svg.hashsalt": "idist",  # ids from the content, not from chance
}


def render(title: str, make: Callable[[], Figure], settings: Mapping[str, Any] | None = None) -> tuple[bytes, bytes]:
    """Run ``make`` with our settings alone (not those of a matplotlibrc); gives what it drew as PNG and as SVG.

    Args:
        title: what the picture shows, kept in both.
        make: draws the figure.
        settings: of matplotlib besides ours.
    """
    with _only_ours(settings or {}):
        figure = make()
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=DPI, metadata={"Title": title})
        figure.savefig(svg, format="svg", metadata={"Title": title, "Date": None})
    return png.getvalue(), svg.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of so many inches. No display is needed and pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def _only_ours(more: Mapping[str, Any]) -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS | dict(more))
        # a script that the font lacks shows boxes; the tables have the name
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
