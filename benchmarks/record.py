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
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("idist", "torch", "transformers", "numpy", "numba", "rapidfuzz", "rouge-score", "apted", "networkx")
T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """What was reached of what the machine can do (`benchmarks/limits.py`).

    Attributes:
        achieved, limit: in ``unit``; of: what the limit is, such as ``matrix rate``.
    """

    achieved: float
    limit: float
    unit: str
    of: str


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
        share: of the machine's limit that our side reached; None: there is no model of what could be reached.
    """

    claim: str
    unit: str
    ours: float
    other: float | None = None
    ratio: float | None = None
    target: str | None = None
    reached: bool | None = None
    note: str = ""
    share: Share | None = None


@dataclass(frozen=True)
class Curve:
    """A figure for several settings, to be drawn.

    Attributes:
        name: of the picture's file; title, below: over it.
        x, y: what the axes are.
        lines: label -> [(x, y), ...]; the first line is ours.
        logarithmic: both axes.
    """

    name: str
    title: str
    below: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    logarithmic: bool = False


def times(
    claim: str,
    unit: str,
    ours: float,
    other: float,
    least: float | None = None,
    note: str = "",
    share: Share | None = None,
) -> Figure:
    """A figure of rates: ``ours / other``, at least ``least`` times."""
    ratio = ours / other
    target = None if least is None else f"at least {least:g} times"
    return Figure(claim, unit, ours, other, ratio, target, None if least is None else ratio >= least, note, share)


def add_argument(parser: argparse.ArgumentParser) -> None:
    """``--record``."""
    parser.add_argument("--record", action="store_true", help="leave the figures in benchmarks/results, too")


def positive(text: str) -> int:
    """A count on the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number of 1 or more")
    return int(text)


def command(main: Callable[[], Any]) -> None:
    """Run a benchmark and exit: with what it returns, or 2 and one sentence for bad input."""
    from idist.errors import UserError

    try:
        code = main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    sys.exit(code)


def record(
    name: str,
    figures: Sequence[Figure],
    wanted: bool = True,
    limits: Sequence[Mapping[str, Any]] = (),
    curves: Sequence[Curve] = (),
    folder: Path = RESULTS,
) -> None:
    """Print the figures and, if wanted, leave ``NAME.json``.

    Args:
        limits: of the machine, measured in the same process.
        curves: to be drawn by `benchmarks/report.py`.
        folder: made if need be.
    """
    from idist.provenance import hardware, versions

    for figure in figures:
        print(line(figure))
    if not wanted:
        return
    commit, changed = revision()
    content = {
        "benchmark": name,
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "changed": changed,
        "machine": hardware() | {"threads": os.environ.get("OMP_NUM_THREADS"), "load": os.getloadavg()[0]},
        "versions": versions(LIBRARIES),
        "limits": list(limits),
        "figures": [asdict(figure) for figure in figures],
        "curves": [asdict(curve) for curve in curves],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"Recorded in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def revision(root: Path = ROOT) -> tuple[str | None, list[str]]:
    """Commit of the checkout, and the tracked files of `idist` and `benchmarks` that differ from it, results and pages
    aside: they measure nothing. (None, []) outside of a checkout."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    if not (root / ".git").exists():
        return None, []
    try:
        commit = git("rev-parse", "HEAD").strip()
        files = git("diff", "--name-only", "HEAD", "--", "idist", "benchmarks").splitlines()
    except (OSError, subprocess.SubprocessError):
        return None, []
    return commit, [one for one in files if not one.startswith("benchmarks/results/") and not one.endswith(".md")]


def line(figure: Figure) -> str:
    """One figure for a terminal."""
    sides = f"{figure.ours:,.4g}" + ("" if figure.other is None else f" against {figure.other:,.4g}")
    ratio = "" if figure.ratio is None else f", {figure.ratio:,.4g} times"
    target = "" if figure.target is None else f" ({figure.target}: {'reached' if figure.reached else 'MISSED'})"
    return f"{figure.claim}: {sides} {figure.unit}{ratio}{target}{reached_of(figure.share)}"


def reached_of(share: Share | None) -> str:
    """For a terminal."""
    if share is None:
        return ""
    part = f"{share.achieved / share.limit:.0%} of the {share.of}"
    return f"; {share.achieved:,.4g} of {share.limit:,.4g} {share.unit} ({part})"


def processor_seconds(work: Callable[[], T], rounds: int = 1) -> tuple[T, float]:
    """Result and median of this process's processor time, which other programs on the machine disturb little."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return result, statistics.median(seconds)
