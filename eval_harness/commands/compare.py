"""``compare``: is system A better than system B, and where do they differ?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from eval_harness.registry import discover
from eval_harness.report.text import counted, decimals, number, plain, shorten

if TYPE_CHECKING:
    from eval_harness.comparison import Comparison, Contrast, Line
    from eval_harness.results import Result

help = "compare two systems on one task: differences, intervals, p-values, the examples where they differ most"
_WIDEST = 60  # characters of a system's name
_TESTS = {"bootstrap": "paired bootstrap", "randomization": "paired approximate randomization"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two results, and how to compare them."""
    parser.add_argument("a", metavar="A", type=Path, help="a result: OUT/TASK/PROTOCOL/SYSTEM.json")
    parser.add_argument("b", metavar="B", type=Path, help="another one of the same task and protocol")
    parser.add_argument(
        "--metrics",
        "--metric",
        metavar="METRIC",
        nargs="+",
        action="extend",
        default=[],
        help="names (default: all that both have)",
    )
    parser.add_argument("--test", choices=tuple(_TESTS), default="bootstrap", help="default: bootstrap")
    parser.add_argument("--resamples", type=int, metavar="N", help="default: 1000, or 10000 trials of randomization")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (default: 0)")
    parser.add_argument("--examples", type=int, default=5, metavar="N", help="how many to show (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> None:
    """Compare and print."""
    from eval_harness import results
    from eval_harness.comparison import as_json, compare

    comparison = compare(
        results.read(args.a),
        results.read(args.b),
        discover(args.plugin),
        args.metrics,
        args.test,
        args.resamples,
        args.seed,
        args.examples,
    )
    if args.json:
        print(json.dumps(as_json(comparison), ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(filter(None, [_head(comparison), _table(comparison), _remarks(comparison)])))
        for part in _examples(comparison):
            print(f"\n{part}")


def _head(comparison: Comparison) -> str:
    """Task, protocol, and which system is A and which is B."""
    a, b = comparison.a, comparison.b
    task = a.meta["task"]
    size = counted(task["examples"], "example")
    lines = [f"{task['name']} ({size}, {task['origin']}), protocol {a.meta['protocol']}"]
    for letter, result in (("A", a), ("B", b)):
        lines.append(f"{letter}  {shorten(plain(result.system), _WIDEST)}{_failures(result)}")
    return "\n".join(lines)


def _failures(result: Result) -> str:
    failed = result.meta.get("failures") or 0
    return f" ({counted(failed, 'example')} without a prediction, scored as empty)" if failed else ""


def _table(comparison: Comparison) -> str:
    """A row a metric."""
    share = f"{100 * comparison.confidence:g}% interval"
    rows = [["", "A", "B", "A - B", share, "p", "p (Holm)", "better"]]
    rows += [_row(line) for line in comparison.lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    written = []
    for row in rows:
        first, *cells = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)]
        written.append("   ".join([f"{row[0]:<{len(first)}}", *cells]).rstrip())
    return "\n".join(written)


def _row(line: Line) -> list[str]:
    paired = line.paired
    places = max(decimals([paired.a, paired.b]), 1)
    title = line.title + (" (lower)" if line.higher_is_better is False else "")
    low, high = number(paired.low, places), number(paired.high, places)
    scores = [number(value, places) for value in (paired.a, paired.b, paired.difference)]
    return [title, *scores, f"[{low}, {high}]", _p(paired.p_value), _p(line.p_corrected), line.better or "-"]


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else f"{value:.1e}"


def _remarks(comparison: Comparison) -> str:
    """How the numbers were made, and what was left out."""
    kind = "resamples" if comparison.test == "bootstrap" else "trials (intervals: bootstrap)"
    many = counted(len(comparison.lines), "metric")
    lines = [
        f"{_TESTS[comparison.test]}, {comparison.resamples:,} {kind}, seed {comparison.seed}; "
        f"p as in sacreBLEU, corrected over {many} (Holm); better: corrected p below 0.05"
    ]
    width = max(len(line.metric) for line in comparison.lines)
    lines += [f"{line.metric:<{width}}  {plain(line.signature)}" for line in comparison.lines]
    lines += [f"left out: {plain(sentence)}" for sentence in comparison.left_out]
    return "\n".join(lines)


def _examples(comparison: Comparison) -> list[str]:
    """One block an example."""
    contrasts = comparison.contrasts
    if not contrasts:
        return []
    title = comparison.lines[0].title
    shown = "The example that differs" if len(contrasts) == 1 else f"The {len(contrasts)} examples that differ"
    return [f"{shown} most in {title}:", *(_block(contrast, title) for contrast in contrasts)]


def _block(contrast: Contrast, title: str) -> str:
    scores = [number(value, 1) for value in (contrast.score_a, contrast.score_b)]
    texts = [("source", contrast.source)]
    texts += [("exemplar", contrast.exemplar)] if contrast.exemplar is not None else []
    texts += [("reference", reference) for reference in contrast.references]
    texts += [("A", contrast.a), ("B", contrast.b)]
    lines = [f"{plain(contrast.id)}: {title} {scores[0]} (A), {scores[1]} (B)"]
    return "\n".join(lines + [f"  {name:<9}  {plain(text) or '(empty)'}" for name, text in texts])
