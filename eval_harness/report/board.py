"""Results -> boards: one table a task, protocol and data, with its columns in order and its systems ranked.

Only what can be compared stands together: results on other examples (``--limit``) get a board of their own, and
scores of one metric with two signatures get a column each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from eval_harness import specs
from eval_harness.metrics.base import PROTOCOLS
from eval_harness.report.text import plain
from eval_harness.results import Result
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry

Mark = Literal["best", "tied", ""]  # tied: not shown to be worse than the best


@dataclass(frozen=True)
class Column:
    """Scores that may be compared with each other: one metric, one signature."""

    metric: str
    title: str
    higher_is_better: bool | None  # None: neither is better
    signature: str
    spec: str

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is, 0 where neither is."""
        return 0 if self.higher_is_better is None else 1 if self.higher_is_better else -1


@dataclass
class Cell:
    """One score with the ends of its interval."""

    value: float
    low: float
    high: float
    mark: Mark = ""


@dataclass
class Row:
    """One system; ``rank`` is None where it has no score in the column that ranks."""

    label: str
    result: Result
    cells: list[Cell | None]  # one a column
    rank: int | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """The result's JSON."""
        return self.result.meta


@dataclass
class Board:
    """One table. ``tests`` is how many comparisons its marks rest on, ``untested`` why some could not be made."""

    task: str
    protocol: str
    columns: list[Column]
    rows: list[Row]  # best first
    among: int = 1  # boards of this task and protocol, on other examples each
    tests: int = 0
    untested: list[str] = field(default_factory=list)

    @property
    def ranking(self) -> int | None:
        """Index of the column that ranks: the first in which one direction is better."""
        return _ranking(self.columns)

    @property
    def about(self) -> dict[str, Any]:
        """What the results say of the task, the same in all of them."""
        about: dict[str, Any] = self.rows[0].meta["task"]
        return about

    @property
    def name(self) -> str:
        """``mrpc-paper``, and the data's fingerprint where one board of that name is not enough."""
        plain_name = f"{self.task}-{self.protocol}"
        return plain_name if self.among == 1 else f"{plain_name}-{self.about['fingerprint']}"

    def column(self, index: int) -> Iterator[tuple[Row, Cell]]:
        """Rows that have a score there."""
        for row in self.rows:
            cell = row.cells[index]
            if cell is not None:
                yield row, cell


def boards(found: Sequence[Result], registry: Registry) -> list[Board]:
    """All boards, by name of task, then protocol, then most examples first. Reported figures are left out.

    Args:
        found: any results, in any order.
        registry: knows the tasks' own order of metrics; a task it does not know keeps the order of its results.
    """
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in found:
        if not result.meta["system"]["reported"]:
            key = (result.task, result.meta["protocol"], result.meta["task"]["fingerprint"])
            groups.setdefault(key, []).append(result)
    sizes = Counter(key[:2] for key in groups)
    made = [_board(group, registry, sizes[key[:2]]) for key, group in groups.items()]
    return sorted(made, key=lambda b: (b.task, _protocol_order(b.protocol), -b.about["examples"], b.name))


def _protocol_order(protocol: str) -> tuple[int, str]:
    known: tuple[str, ...] = PROTOCOLS
    return known.index(protocol) if protocol in known else len(known), protocol


def _board(group: list[Result], registry: Registry, among: int) -> Board:
    group = sorted(group, key=lambda result: (result.system, str(result.path)))
    columns = _columns(group, _metric_order(group[0].task, registry))
    labels = _labels(group)
    cells = [[_cell(result, column) for column in columns] for result in group]
    rows = [Row(*parts) for parts in zip(labels, group, cells, strict=True)]
    board = Board(group[0].task, group[0].meta["protocol"], columns, _ranked(rows, columns), among)
    for index, column in enumerate(columns):
        scored = [cell for _, cell in board.column(index)]
        best = max((column.sign * cell.value for cell in scored), default=math.nan)
        for cell in scored if len(scored) > 1 and column.sign else []:  # the only one is not the best
            cell.mark = "best" if column.sign * cell.value == best else ""
    return board


def _metric_order(task: str, registry: Registry) -> list[str]:
    """Names of the task's own metrics; none for a task that is not registered."""
    try:
        return [specs.parse(spec).name for spec in registry.task(task).default_metrics()]
    except UserError:
        return []


def _columns(group: list[Result], order: list[str]) -> list[Column]:
    """The task's metrics in its order, then others as the runs had them; of two signatures the more frequent first."""
    seen: Counter[Column] = Counter()
    for result in sorted(group, key=lambda result: (-len(result.metrics), result.meta["created"])):
        for metric, score in result.meta["scores"].items():
            seen[_column(metric, score)] += 1
    columns = list(seen)
    metrics = list(dict.fromkeys(column.metric for column in columns))
    metrics.sort(key=lambda metric: order.index(metric) if metric in order else len(order))
    return sorted(columns, key=lambda column: (metrics.index(column.metric), -seen[column], columns.index(column)))


def _column(metric: str, score: dict[str, Any]) -> Column:
    return Column(metric, plain(score["title"]), score["higher_is_better"], score["signature"], score["spec"])


def _cell(result: Result, column: Column) -> Cell | None:
    score = result.meta["scores"].get(column.metric)
    if score is None or _column(column.metric, score) != column or not math.isfinite(score["value"]):
        return None
    value = float(score["value"])
    ends = [float(score[end]) if math.isfinite(score[end]) else value for end in ("low", "high")]
    return Cell(value, ends[0], ends[1])


def _labels(group: list[Result]) -> list[str]:
    """The spec of each system; where one was run twice, also the folder (else the path) that tells them apart."""
    names = [plain(result.system) for result in group]
    folders = [f"{name} ({plain(result.path.parents[2].name)})" for name, result in zip(names, group, strict=True)]
    paths = [f"{name} ({plain(result.path)})" for name, result in zip(names, group, strict=True)]
    counts, folder_counts = Counter(names), Counter(folders)
    return [
        name if counts[name] == 1 else folder if folder_counts[folder] == 1 else path
        for name, folder, path in zip(names, folders, paths, strict=True)
    ]


def _ranked(rows: list[Row], columns: list[Column]) -> list[Row]:
    """Best first by the column that ranks, then by the others; equal scores there have equal rank, and rows without a
    score there come last, unranked."""
    first = _ranking(columns)

    def order(row: Row) -> tuple[float, ...]:
        cells = list(zip(columns, row.cells, strict=True))
        ahead = cells if first is None else [cells[first], *cells]
        return tuple(math.inf if cell is None else -column.sign * cell.value for column, cell in ahead)

    rows = sorted(rows, key=order)
    if first is None:
        return rows
    for position, row in enumerate(rows, start=1):
        cell, above = row.cells[first], rows[position - 2]
        if cell is not None:
            before = above.cells[first] if position > 1 else None
            row.rank = above.rank if before is not None and before.value == cell.value else position
    return rows


def _ranking(columns: list[Column]) -> int | None:
    return next((index for index, column in enumerate(columns) if column.sign), None)
