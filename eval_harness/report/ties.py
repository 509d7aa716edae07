"""Which systems are not shown to be worse than the best: a paired test for every score of a board against the best
score of its column, on the same examples, corrected together (Holm)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from eval_harness.metrics.base import Floats, Metric
from eval_harness.report.board import Board, Cell, Column, Row
from eval_harness.report.text import listed, plain
from eval_harness.results import Result
from eval_harness.statistics import holm, paired_test
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry

LEVEL = 0.05
TEST = "randomization"  # 10,000 trials: p-values small enough to survive the correction of a large table


def mark_ties(board: Board, registry: Registry, trials: int | None = None) -> None:
    """Set ``mark`` of the board's cells, and its ``tests`` and ``untested``.

    The statistics of one system at a time are in memory, beside those of the best.

    Args:
        registry: makes the metrics; a column whose metric it does not know is not tested.
        trials: of the test; None: its default.
    """
    best = _best(board, registry)
    compared: list[Cell] = []
    p_values: list[float] = []
    for row in board.rows:
        opened = Result(row.result.path, row.result.meta)  # its examples are forgotten with it
        for index, (metric, statistics) in best.items():
            cell = row.cells[index]
            if cell is None or cell.mark == "best":
                continue
            try:
                other = _statistics(opened, board.columns[index], metric)
                p_values.append(paired_test(metric, statistics, other, TEST, trials).p_value)
            except UserError as error:
                board.untested.append(str(error))
                continue
            compared.append(cell)
    corrected: Floats = holm(np.array(p_values)) if p_values else np.zeros(0)
    for cell, p_value in zip(compared, corrected, strict=True):
        cell.mark = "tied" if p_value >= LEVEL else ""
    board.tests = len(compared)


def _best(board: Board, registry: Registry) -> dict[int, tuple[Metric, Floats]]:
    """Columns that have something to test -> metric and statistics of the best row."""
    best: dict[int, tuple[Metric, Floats]] = {}
    strange: dict[str, list[str]] = {}
    for index, column in enumerate(board.columns):
        marks = [cell.mark for _, cell in board.column(index)]
        if "best" not in marks or marks.count("best") == len(marks):
            continue
        try:
            metric = registry.metric(column.spec, {"protocol": board.protocol})
        except UserError as error:
            strange.setdefault(str(error), []).append(column.title)
            continue
        row: Row = next(row for row, cell in board.column(index) if cell.mark == "best")
        try:
            best[index] = metric, _statistics(Result(row.result.path, row.result.meta), column, metric)
        except UserError as error:
            board.untested.append(str(error))
    for reason, titles in strange.items():
        board.untested.append(f"{listed(titles)}: {plain(reason)}")
    return best


def _statistics(result: Result, column: Column, metric: Metric) -> Floats:
    """(n, s); UserError where they do not give the score stated: the test would be of something else."""
    statistics = result.statistics(column.metric)
    stated = result.meta["scores"][column.metric]["value"]
    found = metric.score(statistics)
    if not math.isclose(found, stated, rel_tol=1e-6, abs_tol=1e-6):
        raise UserError(
            f"{result.path}: the statistics of {column.metric} give {found:.4f}, its JSON says {stated:.4f}; "
            "run the system again."
        )
    return statistics
