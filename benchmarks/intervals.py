"""Wilson's interval of a share."""

from __future__ import annotations

import math

Z = 1.96  # 95 %


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of ``hits`` of ``total``; (0, 1) of nothing. It takes the cases for independent."""
    if total == 0:
        return 0.0, 1.0
    share, weight = hits / total, Z * Z / total
    middle = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / total + weight / total / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def told(hits: int, total: int) -> str:
    """``194 of 197 (98.5 %, 95 % interval 95.6 to 99.5 %)``."""
    if total == 0:
        return "0 of 0"
    low, high = wilson(hits, total)
    return f"{hits:,} of {total:,} ({hits / total:.2%}, 95 % interval {low:.2%} to {high:.2%})"
