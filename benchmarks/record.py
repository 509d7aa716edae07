"""What a benchmark found, as JSON with the machine it was found on: `benchmarks/results/NAME.json`.

`benchmarks/report.py` makes the page of all of them. A figure says what is claimed, both sides, and what was to be
reached; the sides are of one run of one process.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("idist", "torch", "transformers", "numpy", "numba", "rapidfuzz", "rouge-score", "apted", "networkx")
T = TypeVar("T")


@dataclass(frozen=True)
class Figure:
    """One claim.

    Attributes:
        claim: what is compared with what, in words.
        ours, other: of the two sides, in ``unit``; ``other`` is None where there is nothing to compare with.
        ratio: how many times better ours is; of a single figure None.
        target: what was to be reached, such as ``at least 15 times``; None: nothing was set.
        reached: whether it was; None without a target.
        note: what a reader must know beside it.
    """

    claim: str
    unit: str
    ours: float
    other: float | None = None
    ratio: float | None = None
    target: str | None = None
    reached: bool | None = None
    note: str = ""


def times(claim: str, unit: str, ours: float, other: float, least: float | None = None, note: str = "") -> Figure:
    """A figure of rates: ``ours / other``, at least ``least`` times."""
    ratio = ours / other
    target = None if least is None else f"at least {least:g} times"
    return Figure(claim, unit, ours, other, ratio, target, None if least is None else ratio >= least, note)


def add_argument(parser: argparse.ArgumentParser) -> None:
    """``--record``."""
    parser.add_argument("--record", action="store_true", help="leave the figures in benchmarks/results, too")


def record(name: str, figures: Sequence[Figure], wanted: bool = True) -> None:
    """Print the figures and, if wanted, leave ``benchmarks/results/NAME.json``."""
    from idist.provenance import commit, hardware, versions

    for figure in figures:
        print(line(figure))
    if not wanted:
        return
    content = {
        "benchmark": name,
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "machine": hardware() | {"threads": os.environ.get("OMP_NUM_THREADS"), "load": os.getloadavg()[0]},
        "versions": versions(LIBRARIES),
        "figures": [asdict(figure) for figure in figures],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"Recorded in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def line(figure: Figure) -> str:
    """One figure for a terminal."""
    sides = f"{figure.ours:,.4g}" + ("" if figure.other is None else f" against {figure.other:,.4g}")
    ratio = "" if figure.ratio is None else f", {figure.ratio:,.4g} times"
    target = "" if figure.target is None else f" ({figure.target}: {'reached' if figure.reached else 'MISSED'})"
    return f"{figure.claim}: {sides} {figure.unit}{ratio}{target}"


def processor_seconds(work: Callable[[], T], rounds: int = 1) -> tuple[T, float]:
    """Result and median of this process's processor time, which other programs on the machine disturb little."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return result, statistics.median(seconds)
