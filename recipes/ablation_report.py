"""The table of `recipes/ablations.py`: every variant's scores, and whether they differ from the whole method's.

Differences are tested on the same examples by paired approximate randomization; the p-values of one task's table, over
all rows and metrics, are corrected together (Holm). Intervals are bootstrap intervals over examples: how much another
training of the same variant would differ is not in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.ablation_variants import FULL, Variant
from recipes.pipeline import pair_files, student_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from eval_harness.registry import Registry
    from eval_harness.results import Result

TEST = "randomization"  # 10,000 trials: p-values small enough to survive the correction of a table
LEVEL = 0.05
DIGITS = 1


@dataclass
class Difference:
    """From the whole method's score: with its 95 % interval, and the corrected p-value of there being none."""

    value: float
    low: float
    high: float
    p: float

    @property
    def real(self) -> bool:
        """Whether it is more than chance."""
        return self.p < LEVEL


@dataclass
class Score:
    """One metric of one student, with its 95 % interval; ``difference`` is None for the whole method itself."""

    value: float
    low: float
    high: float
    difference: Difference | None = None


@dataclass
class Line:
    """One variant on one task; ``pairs`` is what its student learned from last."""

    name: str
    title: str
    pairs: int | None
    steps: int | None
    scores: dict[str, Score] = field(default_factory=dict)


@dataclass
class Table:
    """One task. ``titles``: metric -> its title; the first metric is the one that the picture shows. ``left_out`` says
    what could not be compared with the whole method."""

    task: str
    examples: int
    titles: dict[str, str]
    signatures: dict[str, str]
    lines: list[Line]
    left_out: list[str] = field(default_factory=list)


def compared(results: Mapping[Variant, Sequence[Result]], registry: Registry, folder: Path) -> list[Table]:
    """Tables of all tasks.

    Args:
        results: variant -> the harness's results of its student, the whole method's first; what they hold besides
            (baselines, scored with the first) become rows of their own, before it.
        registry: makes the metrics again.
        folder: of the runs.

    Raises:
        UserError: results that cannot be compared (`eval_harness.comparison`).
    """
    full = next(variant for variant in results if variant.name == FULL)
    return [_table(result, results, registry, folder) for result in _own(results[full], full, folder)]


def _own(found: Sequence[Result], variant: Variant, folder: Path) -> list[Result]:
    """The results of the variant's student, one a task."""
    student = str(student_folder(folder / variant.run, variant.student))
    return [result for result in found if str(result.meta["system"]["settings"].get("model")) == student]


def _table(whole: Result, results: Mapping[Variant, Sequence[Result]], registry: Registry, folder: Path) -> Table:
    scores = whole.meta["scores"]
    rows = []
    for variant, found in results.items():
        here = [result for result in found if result.task == whole.task]
        own = _own(here, variant, folder)
        rows += [(Line(r.system, r.system, None, None), r) for r in here if r not in own]
        rows += [(_line(variant, folder), result) for result in own]
    for line, result in rows:
        line.scores = {
            name: Score(score["value"], score["low"], score["high"]) for name, score in result.meta["scores"].items()
        }
    left_out = _test([(line, result) for line, result in rows if result is not whole], whole, registry)
    return Table(
        whole.task,
        whole.meta["task"]["examples"],
        {name: score["title"] for name, score in scores.items()},
        {name: score["signature"] for name, score in scores.items()},
        [line for line, _ in rows],
        left_out,
    )


def _line(variant: Variant, folder: Path) -> Line:
    import pyarrow.parquet as parquet

    own = folder / variant.run
    pairs = sum(parquet.read_metadata(path).num_rows for path in pair_files(own, variant.taught_by))
    training = json.loads((own / variant.student / "training.json").read_text(encoding="utf-8"))
    return Line(variant.name, variant.title, pairs, training["steps"])


def _test(rows: Sequence[tuple[Line, Result]], whole: Result, registry: Registry) -> list[str]:
    """Set the differences from the whole method; returns what could not be compared, and why."""
    import numpy as np

    from eval_harness.comparison import compare
    from eval_harness.statistics import holm

    tested, left_out = [], []
    for line, result in rows:
        comparison = compare(result, whole, registry, test=TEST, examples=0)
        tested += [(line.scores[one.metric], one.paired) for one in comparison.lines]
        left_out += [f"{line.title}: {reason}" for reason in comparison.left_out]
    if not tested:  # nothing but the whole method
        return left_out
    corrected = holm(np.array([paired.p_value for _, paired in tested]))
    for (score, paired), p in zip(tested, corrected.tolist(), strict=True):
        score.difference = Difference(paired.difference, paired.low, paired.high, p)
    return left_out


def table(tables: Sequence[Table]) -> str:
    """For a terminal, and as it stands a Markdown document: the first metric with its test, then all metrics."""
    return "\n\n".join(_text(one) for one in tables)


def _text(found: Table) -> str:
    first, *others = found.titles
    lines = [f"## {found.task}, {found.examples:,} examples", ""]
    head = ["", "pairs", "steps", found.titles[first], "against the whole method", "p"]
    rows = [head, *(_detailed(line, line.scores[first]) for line in found.lines)]
    lines += _aligned(rows)
    if others:
        lines += ["", *_aligned([["", *(found.titles[name] for name in others)], *_plain(found.lines, others)])]
    lines += [
        "",
        "In brackets 95 % bootstrap intervals over examples. p: paired approximate randomization, corrected over all "
        "rows and metrics (Holm). `*`: below 0.05. What another training of the same variant would give is not in "
        "them.",
        *found.left_out,
    ]
    return "\n".join(lines)


def _detailed(line: Line, score: Score) -> list[str]:
    interval = f"{score.value:.{DIGITS}f} [{score.low:.{DIGITS}f}, {score.high:.{DIGITS}f}]"
    counts = ["" if count is None else f"{count:,}" for count in (line.pairs, line.steps)]
    other = score.difference
    if other is None:
        return [line.title, *counts, interval, "", ""]
    against = f"{other.value:+.{DIGITS}f} [{other.low:+.{DIGITS}f}, {other.high:+.{DIGITS}f}]"
    return [line.title, *counts, interval, against, f"{other.p:.4f}{_star(score)}"]


def _plain(lines: Sequence[Line], metrics: Sequence[str]) -> list[list[str]]:
    def cell(score: Score | None) -> str:
        return "" if score is None else f"{score.value:.{DIGITS}f}{_star(score)}"

    return [[line.title, *(cell(line.scores.get(name)) for name in metrics)] for line in lines]


def _star(score: Score) -> str:
    return r"\*" if score.difference is not None and score.difference.real else ""


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a Markdown table whose columns also line up in a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    written = [
        f"| {row[0]:<{widths[0]}} | "
        + " | ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 1) + (":" if n else "-") for n, width in enumerate(widths)) + "|"
    return [written[0], rule, *written[1:]]


def write_report(folder: Path, found: Sequence[Table]) -> list[Path]:
    """``ablations.md``, ``ablations.json``, and the picture of the first task."""
    from idist.analysis.picture import save
    from idist.engine import write_bytes, write_json

    paths = [folder / "ablations.md", folder / "ablations.json"]
    write_bytes(paths[0], f"# Ablations\n\n{table(found)}\n".encode())
    plain: dict[str, Any] = {"test": TEST, "correction": "holm", "tasks": [asdict(one) for one in found]}
    write_json(paths[1], plain)
    title = f"Against the whole method on {found[0].task}"
    return [*paths, *save(folder, "ablations", title, lambda: _figure(title, found[0]))]


def _figure(title: str, found: Table) -> Figure:
    """Differences in the first metric with their intervals, the whole method as the line at 0."""
    from idist.analysis.picture import grid, heading
    from idist.drawing import ACCENT, INK, QUIET, new_figure

    metric = next(iter(found.titles))
    shown = [(line.title, other) for line in found.lines if (other := line.scores[metric].difference) is not None]
    height = 1.3 + 0.3 * len(shown)
    figure = new_figure(7.6, height)
    heading(figure, title, f"difference in {found.titles[metric]}, 95 % interval; blue: p < {LEVEL} after Holm")
    axes = figure.add_axes((0.4, 0.5 / height, 0.57, 1 - 1.15 / height))
    for place, (_, other) in enumerate(shown):
        colour = ACCENT if other.real else QUIET
        axes.hlines(place, other.low, other.high, colour, linewidth=1.8)
        axes.plot(other.value, place, "o", color=colour, markersize=5)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(shown)), [title for title, _ in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    grid(axes, "x")
    return figure
