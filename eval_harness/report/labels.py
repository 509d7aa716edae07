"""Where names go beside the points of a scatter plot, so that no name covers another name or a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Spot = tuple[float, float]
Line = tuple[Spot, Spot]

_RADII = (7.0, 11.0, 16.0, 22.0, 30.0, 40.0, 52.0, 66.0, 82.0, 100.0, 125.0, 155.0, 190.0)  # from a point to its name
_ANGLES = (45, 0, 20, -20, -45, 65, 180, 160, 135, -160, -135, -65, 90, -90, 115, -115)  # the first is liked best
_POINT = 6.0  # half the width of a point
_ROUNDS = 6
_CROSSED = 18.0  # a name had rather be so much further away than cover a line


@dataclass(frozen=True)
class Box:
    """A rectangle: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def centre(self) -> Spot:
        """(x, y)."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def nearest(self, spot: Spot) -> Spot:
        """Where in the box one is nearest to the spot."""
        return min(max(spot[0], self.left), self.right), min(max(spot[1], self.bottom), self.top)

    def meets(self, other: Box) -> bool:
        """Whether the two have a point in common (not only an edge)."""
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    def within(self, other: Box) -> bool:
        """Whether all of it lies in the other."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.bottom <= self.bottom and self.top <= other.top

    def crossed(self, line: Line) -> bool:
        """Whether the line runs through the inside (Liang and Barsky's clipping)."""
        (x, y), (end_x, end_y) = line
        first, last = 0.0, 1.0
        for step, start, low, high in ((end_x - x, x, self.left, self.right), (end_y - y, y, self.bottom, self.top)):
            if step == 0.0:
                if not low < start < high:
                    return False
                continue
            enter, leave = sorted(((low - start) / step, (high - start) / step))
            first, last = max(first, enter), min(last, leave)
        return first < last


def place(points: Sequence[Spot], sizes: Sequence[Spot], inside: Box, drawn: Sequence[Line] = ()) -> list[Box | None]:
    """A box for each name, or None where there is no room left for it.

    Names are placed in the order given (the important ones first), each as near to its point as it can be without
    meeting another point, a name, or the line that leads to a name.

    Args:
        points: (x, y), in the same unit (pixels, say) as all else.
        sizes: (width, height) of each name.
        inside: where names may be.
        drawn: lines that names should leave free if there is room.
    """
    order = list(range(len(points)))
    best: dict[int, Box] = {}
    for _ in range(_ROUNDS):
        placed = _in_order(order, points, sizes, inside, drawn)
        if len(placed) > len(best):
            best = placed
        if len(placed) == len(order):
            break
        order = [i for i in order if i not in placed] + [i for i in order if i in placed]  # next time those come first
    return [best.get(index) for index in range(len(points))]


def _in_order(
    order: Sequence[int], points: Sequence[Spot], sizes: Sequence[Spot], inside: Box, drawn: Sequence[Line]
) -> dict[int, Box]:
    """Boxes of those that find room when their turn comes."""
    spots = [Box(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    leads: list[Line] = []
    placed: dict[int, Box] = {}
    for index in order:
        point = points[index]
        others = [*spots[:index], *spots[index + 1 :], *placed.values()]
        box, least = None, math.inf
        for distance, candidate in _candidates(point, sizes[index]):
            if distance >= least:
                break  # those that follow are further off
            if _free(candidate, point, others, leads, inside):
                cost = distance + _CROSSED * sum(candidate.crossed(line) for line in drawn)
                box, least = (candidate, cost) if cost < least else (box, least)
        if box is not None:
            placed[index] = box
            leads.append((point, box.nearest(point)))
    return placed


def _candidates(point: Spot, size: Spot) -> list[tuple[float, Box]]:
    """(how far off, box) around a point, near ones first."""
    found = []
    for radius in _RADII:
        for preference, angle in enumerate(_ANGLES):
            x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            x, y = round(x, 9), round(y, 9)
            # beside the point, the box's edge is at the radius; above and below, its middle is over the point
            centre_x = point[0] + x * radius + (math.copysign(size[0] / 2, x) if x else 0.0)
            centre_y = point[1] + y * (radius + size[1] / 2)
            left, bottom = centre_x - size[0] / 2, centre_y - size[1] / 2
            found.append((radius + preference * 0.4, Box(left, bottom, left + size[0], bottom + size[1])))
    return sorted(found, key=lambda pair: pair[0])


def _free(box: Box, point: Spot, others: Sequence[Box], leads: Sequence[Line], inside: Box) -> bool:
    if not box.within(inside) or any(box.meets(other) for other in others):
        return False
    lead, at_point = (point, box.nearest(point)), Box(*point, *point)
    if any(other.crossed(lead) for other in others if not at_point.within(other)):
        return False  # (points may lie on each other: no line can start outside of both)
    return not any(box.crossed(other) for other in leads)
