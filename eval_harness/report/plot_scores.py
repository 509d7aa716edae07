"""Every score of a board with its interval: one panel a metric, one line a system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eval_harness.report.board import Board
from eval_harness.report.canvas import Key, Picture, draw, heading, heading_width, measure, short_name
from eval_harness.report.text import counted, decimals, number, slug
from eval_harness.report.words import better, caption, column_title, interval_name
from idist.drawing import ACCENT, FAINT, FONT, INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 3  # panels side by side
_LINE = 0.27  # inches a system
_PANEL, _VALUES, _GAP = 1.75, 0.55, 0.2  # inches: width of a panel, of the numbers beside it, and between
_TOP, _TITLE, _TICKS = 0.62, 0.38, 0.34  # inches: heading; above and below each panel
_MARKERS = {"best": ("D", ACCENT, ACCENT), "tied": ("o", ACCENT, ACCENT), "": ("o", "white", QUIET)}


def score_picture(board: Board) -> Picture | None:
    """Systems in the board's order, a mark at each score, a line along its interval; None if nothing was scored."""
    if not any(cell is not None for row in board.rows for cell in row.cells):
        return None
    return draw(slug(f"{board.name}-scores"), caption(board), _alt(board), lambda: _figure(board))


def _figure(board: Board) -> Figure:
    names = [short_name(row.label) for row in board.rows]
    left = max(measure(name)[0] for name in names) + 2 * _GAP
    across = min(_ACROSS, len(board.columns))
    down = -(-len(board.columns) // across)
    panel_height = _LINE * len(board.rows)
    key = _key(board)
    width = max(left + across * (_PANEL + _VALUES + _GAP), heading_width(caption(board), key))
    height = _TOP + down * (_TITLE + panel_height + _TICKS)
    figure = new_figure(width, height)
    heading(figure, caption(board), key)
    for index, column in enumerate(board.columns):
        x = left + (index % across) * (_PANEL + _VALUES + _GAP)
        y = height - _TOP - (index // across + 1) * (_TITLE + panel_height + _TICKS) + _TICKS
        axes = figure.add_axes((x / width, y / height, _PANEL / width, panel_height / height))
        _panel(axes, board, index)
        axes.set_title(f"{column_title(board, column)}{better(column)}", loc="left", fontsize=FONT)
        if index % across == 0:
            for line, name in enumerate(names):
                _write(axes, name, 0.0, line, -7, ha="right")
    return figure


def _panel(axes: Axes, board: Board, index: int) -> None:
    places = decimals([cell.value for _, cell in board.column(index)])
    for line, row in enumerate(board.rows):
        axes.axhline(line, color=FAINT, linewidth=0.6, zorder=0)
        cell = row.cells[index]
        if cell is None:
            _write(axes, "–", 1.0, line, 5, color=QUIET)
            continue
        weight = "bold" if cell.mark == "best" else "normal"
        _write(axes, number(cell.value, places), 1.0, line, 5, fontweight=weight)
        shape, face, edge = _MARKERS[cell.mark]
        axes.plot([cell.low, cell.high], [line, line], color=edge, linewidth=1.6, solid_capstyle="butt", zorder=2)
        axes.plot([cell.value], [line], shape, color=face, markeredgecolor=edge, markersize=5.5, zorder=3)
    axes.set_ylim(len(board.rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.margins(x=0.07)
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", labelsize=FONT - 1, length=3)
    axes.spines[["left", "right", "top"]].set_visible(False)


def _write(axes: Axes, text: str, side: float, line: int, shift: float, **style: str) -> None:
    """Text beside a panel (``side`` 0: left, 1: right), at the height of a line."""
    axes.annotate(
        text,
        (side, line),
        (shift, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center_baseline",
        **style,  # type: ignore[arg-type]  # names of text properties
    )


def _key(board: Board) -> Key:
    marks = {cell.mark for row in board.rows for cell in row.cells if cell is not None}
    key = [("◆ best", ACCENT)] if "best" in marks else []
    key += [("● not shown to be worse", ACCENT)] if "tied" in marks else []
    key += [("○ others", QUIET)] if {"", "best"} <= marks else []
    return [*key, (f"— {interval_name(board)}", INK)]


def _alt(board: Board) -> str:
    """In words: per panel the best system to the worst (the highest to the lowest where neither is)."""
    said = []
    for index, column in enumerate(board.columns):
        cells = sorted(board.column(index), key=lambda pair: -(column.sign or 1) * pair[1].value)
        if not cells:
            continue
        places = decimals([cell.value for _, cell in cells])
        (first, top), (last, bottom) = cells[0], cells[-1]
        end = f" to {last.label} {number(bottom.value, places)}" if len(cells) > 1 else ""
        said.append(f"{column_title(board, column)}: {first.label} {number(top.value, places)}{end}")
    return (
        f"Scores with {interval_name(board)} of {counted(len(board.rows), 'system')} on {caption(board)}. "
        f"{'; '.join(said)}. The table has all values."
    )
