"""Which systems are not beaten on both of two scores at once."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the Pareto front, by falling first coordinate.

    Args:
        points: (x, y), higher is better in both, no NaN. A point is beaten if another is at least as good in both
            and better in one; equal points are on the front together.
    """
    order = sorted(range(len(points)), key=lambda index: (-points[index][0], -points[index][1], index))
    kept: list[int] = []
    highest: float | None = None  # y among all points with a larger x
    for index in order:
        x, y = points[index]
        equal = bool(kept) and points[kept[-1]] == (x, y)
        if highest is None or y > highest or equal:
            kept.append(index)
            highest = y
    return kept
