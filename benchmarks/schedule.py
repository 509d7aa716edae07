"""Measurements one after the other until time is up."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.record import Figure, line


@dataclass(frozen=True)
class Part:
    """Something to be measured.

    Attributes:
        name: for people; seconds: what it takes at most, building of the model included.
        work: gives figures, one by one as they are found.
    """

    name: str
    seconds: float
    work: Callable[[], Sequence[Figure]]


@dataclass
class Schedule:
    """Parts one after the other until time is up.

    Attributes:
        ends: on `time.perf_counter`.
        figures: found so far; left_out: part -> why; failed: part -> its error.
    """

    ends: float
    figures: list[Figure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def take(self, part: Part) -> None:
        """Measure it if there is time. An error of one part must not lose the others: it is printed and counted."""
        left = self.ends - time.perf_counter()
        if left < part.seconds:
            self.left_out[part.name] = f"{left:.0f} s left, up to {part.seconds:.0f} needed"
            return
        print(f"== {part.name} ({left:.0f} s left)", flush=True)
        start = time.perf_counter()
        try:
            found = part.work()
        except Exception as error:
            traceback.print_exc()
            self.failed[part.name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            return
        self.figures += found
        for figure in found:
            print(line(figure))
        print(f"   {time.perf_counter() - start:.0f} s", flush=True)

    def table(self) -> str:
        """What was found, and what was not."""
        rows = [("what", "idist", "otherwise", "ratio", "unit", "of the limit")]
        for one in self.figures:
            share = f"{one.share.achieved / one.share.limit:.0%} {one.share.of}" if one.share else ""
            other, ratio = (f"{value:,.4g}" if value is not None else "" for value in (one.other, one.ratio))
            rows.append((one.claim, f"{one.ours:,.4g}", other, ratio, one.unit, share))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines += [f"skipped: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join([*lines, *(f"FAILED: {name}: {why}" for name, why in self.failed.items())])
