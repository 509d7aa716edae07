"""What the plots of this room share: the same bytes from the same data, in ink, grey and one blue on white."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"
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
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "svg.fonttype": "path",  # looks the same without the font
    "svg.hashsalt": "idist-analysis",  # ids from the content, not from chance
}


def save(folder: Path, name: str, title: str, make: Callable[[], Figure]) -> list[Path]:
    """Draw with our settings alone and write ``name.png`` and ``name.svg``.

    Args:
        folder: must be there.
        title: what the picture shows, kept in both files.
        make: draws the figure.
    """
    from idist.engine import write_bytes

    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    with _settings():
        figure = make()
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=DPI, metadata={"Title": title})
        figure.savefig(svg, format="svg", metadata={"Title": title, "Date": None})
    for path, drawn in zip(paths, (png, svg), strict=True):
        write_bytes(path, drawn.getvalue())
    return paths


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of so many inches; no display is needed and pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def heading(figure: Figure, title: str, below: str = "") -> None:
    """Title at the top left and a line of explanation under it."""
    width, height = figure.get_size_inches()
    figure.text(0.18 / width, 1 - 0.16 / height, title, va="top", fontsize=FONT + 2, fontweight="bold")
    figure.text(0.18 / width, 1 - 0.42 / height, below, va="top", color=QUIET)


def grid(axes: Axes, axis: str) -> None:
    """Faint lines to look along, behind the data; ``axis``: x or y."""
    axes.grid(True, axis=axis, color=FAINT, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


@contextmanager
def _settings() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield
