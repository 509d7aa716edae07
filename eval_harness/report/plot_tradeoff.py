"""Similarity to the source against diversity: keeping the meaning is easy for who keeps the words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from eval_harness import specs
from eval_harness.report import pareto
from eval_harness.report.board import Board, Cell, Column
from eval_harness.report.canvas import Picture, draw, heading, heading_width, measure, short_name
from eval_harness.report.labels import Box, Line, Spot, place
from eval_harness.report.text import counted, decimals, listed, number, slug
from eval_harness.report.words import caption, interval_name
from idist.drawing import ACCENT, FAINT, FONT, INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 7.2, 5.4  # inches
_LEAD = 14.0  # pixels between a point and its name from which on a line joins them


@dataclass(frozen=True)
class Point:
    """A system in the plane; ``diversity`` is 100 - self-BLEU. Both with the ends of their intervals."""

    label: str
    diversity: Cell
    similarity: Cell
    on_front: bool = False


@dataclass(frozen=True)
class Plane:
    """What is drawn: the points, those of the Pareto front first, by falling diversity; and what their height is."""

    similarity: Column
    points: list[Point]

    @property
    def front(self) -> list[Point]:
        """Points that no other beats on both."""
        return [point for point in self.points if point.on_front]


def tradeoff_picture(board: Board) -> Picture | None:
    """One point a system, the Pareto front joined; None where fewer than two systems have both scores."""
    plane = plane_of(board)
    if plane is None:
        return None
    return draw(slug(f"{board.name}-tradeoff"), caption(board), _alt(board, plane), lambda: _figure(board, plane))


def plane_of(board: Board) -> Plane | None:
    """Systems with a similarity to the source (BERTScore against it, else the cosine) and a self-BLEU."""
    x = _find(board, lambda column: column.metric == "self_bleu")
    y = _find(board, _bertscore_of_source)
    y = _find(board, lambda column: column.metric == "cosine") if y is None else y
    if x is None or y is None:
        return None
    cells = [(row.label, row.cells[x], row.cells[y]) for row in board.rows]
    points = [Point(label, _flipped(a), b) for label, a, b in cells if a is not None and b is not None]
    front = pareto.front([(point.diversity.value, point.similarity.value) for point in points])
    ordered = [Point(points[i].label, points[i].diversity, points[i].similarity, True) for i in front]
    ordered += [point for index, point in enumerate(points) if index not in front]
    return Plane(board.columns[y], ordered) if len(ordered) > 1 else None


def _bertscore_of_source(column: Column) -> bool:
    return column.metric == "bertscore" and specs.parse(column.spec).settings.get("against") == "sources"


def _find(board: Board, wanted: Callable[[Column], bool]) -> int | None:
    return next((index for index, column in enumerate(board.columns) if wanted(column)), None)


def _flipped(cell: Cell) -> Cell:
    return Cell(100.0 - cell.value, 100.0 - cell.high, 100.0 - cell.low)


def _figure(board: Board, plane: Plane) -> Figure:
    key = [("● beaten by none on both (Pareto front)", ACCENT), ("○ others", QUIET), (f"— {interval_name(board)}", INK)]
    width = max(_WIDTH, heading_width(caption(board), key))
    figure = new_figure(width, _HEIGHT)
    heading(figure, caption(board), key)
    axes = figure.add_axes((0.68 / width, 0.11, (width - 0.9) / width, 0.755))
    for point in plane.points:
        x, y, edge = point.diversity, point.similarity, ACCENT if point.on_front else QUIET
        for xs, ys in (((x.low, x.high), (y.value, y.value)), ((x.value, x.value), (y.low, y.high))):
            axes.plot(xs, ys, color=edge, linewidth=0.8, alpha=0.55, zorder=2)
        face = edge if point.on_front else "white"
        axes.plot([x.value], [y.value], "o", color=face, markeredgecolor=edge, zorder=4)
    steps = _steps(plane.front)
    axes.plot(*zip(*steps, strict=True), color=ACCENT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.margins(0.09)
    axes.set_xlabel("diversity: 100 − self-BLEU (higher: fewer words of the source)")
    axes.set_ylabel(f"similarity: {plane.similarity.title} to the source")
    axes.grid(color=FAINT, linewidth=0.5, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["right", "top"]].set_visible(False)
    unnamed = _write_names(figure, axes, plane.points, steps)
    if unnamed:
        text = f"{counted(unnamed, 'system')} without a name for want of room: see the table"
        figure.text(1 - 0.2 / width, 0.012, text, ha="right", fontsize=FONT - 1.5, color=QUIET)
    return figure


def _steps(front: list[Point]) -> list[Spot]:
    """Corners of the edge of what the systems reach, from the most diverse to the most similar."""
    corners: list[Spot] = []
    for point in front:
        x, y = point.diversity.value, point.similarity.value
        corners += [(x, corners[-1][1]), (x, y)] if corners else [(x, y)]
    return corners


def _write_names(figure: Figure, axes: Axes, points: list[Point], steps: list[Spot]) -> int:
    """Names beside the points; how many found no room."""
    from matplotlib.patheffects import withStroke

    figure.canvas.draw()  # the limits of the axes are now what they will be

    def to_pixels(spot: Spot) -> Spot:
        return _pair(axes.transData.transform(spot))

    names = [short_name(point.label) for point in points]
    spots = [to_pixels((point.diversity.value, point.similarity.value)) for point in points]
    sizes = [_pair((side + 0.04) * figure.dpi for side in measure(name)) for name in names]
    frame = axes.get_window_extent()
    inside = Box(frame.x0 + 2, frame.y0 + 2, figure.bbox.x1 - 2, frame.y1)
    boxes = place(spots, sizes, inside, _drawn(points, steps, to_pixels))
    to_figure = figure.transFigure.inverted().transform
    for point, name, spot, box in zip(points, names, spots, boxes, strict=True):
        if box is None:
            continue
        near = box.nearest(spot)
        if abs(near[0] - spot[0]) + abs(near[1] - spot[1]) > _LEAD:
            start, end = _pair(to_figure(spot)), _pair(to_figure(near))
            _lead(figure, start, end)
        x, y = _pair(to_figure(box.centre))
        text = figure.text(x, y, name, ha="center", va="center", color=INK if point.on_front else QUIET)
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])  # readable where it crosses a line
    return boxes.count(None)


def _lead(figure: Figure, start: Spot, end: Spot) -> None:
    from matplotlib.lines import Line2D

    xs, ys = zip(start, end, strict=True)
    figure.add_artist(Line2D(xs, ys, color=QUIET, linewidth=0.6, transform=figure.transFigure))


def _drawn(points: list[Point], steps: list[Spot], to_pixels: Callable[[Spot], Spot]) -> list[Line]:
    """Lines that names had better not cover: intervals, and the front."""
    lines: list[tuple[Spot, Spot]] = list(pairwise(steps))
    for point in points:
        x, y = point.diversity, point.similarity
        lines += [((x.low, y.value), (x.high, y.value)), ((x.value, y.low), (x.value, y.high))]
    return [(to_pixels(start), to_pixels(end)) for start, end in lines]


def _pair(two: Iterable[float]) -> Spot:
    x, y = two
    return float(x), float(y)


def _alt(board: Board, plane: Plane) -> str:
    places = decimals([point.similarity.value for point in plane.points])
    front = [
        f"{point.label} (diversity {number(point.diversity.value, 1)}, "
        f"similarity {number(point.similarity.value, places)})"
        for point in plane.front
    ]
    return (
        f"Similarity to the source ({plane.similarity.title}) against diversity (100 - self-BLEU) of "
        f"{counted(len(plane.points), 'system')} on {caption(board)}. Beaten by none on both: {listed(front, 12)}."
    )
