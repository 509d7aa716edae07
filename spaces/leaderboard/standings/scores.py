"""The table as plain rows, one a score, measured and reported: what is saved as CSV or JSON and what programs get."""

from __future__ import annotations

from typing import Any

from eval_harness import reported
from eval_harness.report.board import Board
from eval_harness.report.text import plain
from eval_harness.report.words import column_title
from standings.shelf import Standings

MEASURED, REPORTED = "measured", "reported"
_COLUMNS = ("kind", "task", "protocol", "examples", "system", "rank", "metric", "title", "value", "low", "high")
_EMPTY: dict[str, Any] = dict.fromkeys((*_COLUMNS, "mark", "signature", "source"))


def rows(standings: Standings, task: str, board: Board | None) -> list[dict[str, Any]]:
    """Every score of a task, all rows with the same keys.

    Args:
        standings: what there is.
        task: its name.
        board: of the task; None: nothing was measured.

    Returns:
        ``kind`` is ``measured`` or ``reported``; the latter have no ``rank``, ``low``, ``high``, ``mark`` and
        ``signature`` (None), and a ``source``. ``mark`` is ``best``, ``tied`` (not shown to be worse) or empty.
    """
    return [*(_measured(board) if board else []), *_reported(standings, task)]


def _measured(board: Board) -> list[dict[str, Any]]:
    return [
        _EMPTY
        | {
            "kind": MEASURED,
            "task": board.task,
            "protocol": board.protocol,
            "examples": board.about["examples"],
            "system": row.label,
            "rank": row.rank,
            "metric": column.metric,
            "title": column_title(board, column),
            "value": cell.value,
            "low": cell.low,
            "high": cell.high,
            "mark": cell.mark,
            "signature": plain(column.signature),
        }
        for row in board.rows
        for column, cell in zip(board.columns, row.cells, strict=True)
        if cell is not None
    ]


def _reported(standings: Standings, task: str) -> list[dict[str, Any]]:
    paper = {row.table: row.paper for row in reported.rows(task)}
    printed = [
        (figure.system, figure.metric, figure.value, f"{paper[figure.table]}, table {figure.table}")
        for figure in reported.figures(task)
    ]
    for result in standings.results:
        if result.task == task and result.meta["system"]["reported"]:
            for metric, score in result.meta["scores"].items():
                printed.append((result.system, metric, float(score["value"]), result.path.name))
    return [
        _EMPTY
        | {"kind": REPORTED, "task": task, "system": plain(system), "metric": metric, "title": metric}
        | {"value": value, "source": plain(source)}
        for system, metric, value, source in printed
    ]
