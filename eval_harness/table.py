"""What a run prints at its end: a table per task, how each number was made, where the files are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval_harness.report.text import counted, decimals, number, plain, shorten
from eval_harness.results import Result

_WIDEST = 48  # characters of a system's name


def table(results: Sequence[Result]) -> str:
    """Scores of all results, with half the width of their intervals, for a terminal.

    Args:
        results: at least one, all of one run (one protocol, seed, number of resamples).
    """
    tasks = list(dict.fromkeys(result.task for result in results))
    blocks = [_task([result for result in results if result.task == task]) for task in tasks]
    return "\n\n".join([*blocks, _signatures(results), _files(results)])


def _task(results: Sequence[Result]) -> str:
    """One task: a row a system, a column a metric."""
    about = results[0].meta
    metrics = list(dict.fromkeys(name for result in results for name in result.metrics))
    columns = [_column(name, results) for name in metrics]
    names = [shorten(plain(result.system), _WIDEST) for result in results]
    width = max(map(len, names))
    widths = [max(map(len, column)) for column in columns]
    lines = [_title(about)]
    for row, name in enumerate(["", *names]):
        cells = [f"{column[row]:>{size}}" for column, size in zip(columns, widths, strict=True)]
        lines.append("   ".join([f"{name:<{width}}", *cells]).rstrip())
    lines += _remarks(results)
    return "\n".join(lines)


def _title(about: dict[str, Any]) -> str:
    task = about["task"]
    first = ", the first ones" if task.get("limit") == task["examples"] else ""
    size = counted(task["examples"], "example")
    return f"{task['name']} ({size}{first}, {task['origin']}), protocol {about['protocol']}"


def _column(name: str, results: Sequence[Result]) -> list[str]:
    """Title and one cell per result: ``47.1 ± 1.2``, or ``-`` where the metric was not scored."""
    scores = [result.meta["scores"].get(name) for result in results]
    known = [score for score in scores if score is not None]
    places = decimals([score["value"] for score in known])
    title = str(known[0]["title"]) + (" (lower)" if known[0]["higher_is_better"] is False else "")
    return [title, *("-" if score is None else _cell(score, places) for score in scores)]


def _cell(score: dict[str, Any], places: int) -> str:
    half = (score["high"] - score["low"]) / 2
    return f"{number(score['value'], places)} ± {number(half, places)}"


def _remarks(results: Sequence[Result]) -> list[str]:
    """Failures and contamination, where there are any."""
    lines = []
    for result in results:
        failed = result.meta.get("failures") or 0
        if failed:
            lines.append(f"{plain(result.system)}: {counted(failed, 'example')} without a prediction, scored as empty")
    return lines


def _signatures(results: Sequence[Result]) -> str:
    """How the numbers were made, once where they were made alike."""
    about = results[0].meta
    share = f"{100 * about['confidence']:g}%"
    lines = [f"± half the {share} bootstrap interval ({about['resamples']:,} resamples, seed {about['seed']})"]
    made = {(name, score["signature"]) for result in results for name, score in result.meta["scores"].items()}
    order = list(dict.fromkeys(name for result in results for name in result.metrics))
    width = max(map(len, order))
    for name, signature in sorted(made, key=lambda pair: (order.index(pair[0]), pair[1])):
        lines.append(f"{name:<{width}}  {plain(signature)}")
    return "\n".join(lines)


def _files(results: Sequence[Result]) -> str:
    """The folder of the files, and what reads them."""
    folders = list(dict.fromkeys(str(result.path.parent) for result in results))
    common = os.path.commonpath(folders)
    names = ", ".join(folders) if len(folders) <= 3 else str(Path(common))
    return f"Files: {names} (scores in .json, every example in .parquet)"
