"""The table of a task as HTML: what was measured, and apart from it what others report."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from eval_harness.report import words
from eval_harness.report.board import Board, Cell, Row
from eval_harness.report.published import Published
from eval_harness.report.text import decimals, listed, number, plain
from idist.errors import UserError
from space_kit.markup import escaped, rich_table, table

RANK = "rank"
TESTING = "Which systems are not shown to be worse than the best is being tested; the table tells when it is done."
_SAID = {
    "best": ("<strong>", '</strong><span class="kit-hidden"> best</span>'),
    "tied": ("", '<sup aria-hidden="true">†</sup><span class="kit-hidden"> not shown to be worse</span>'),
    "": ("", ""),
}


def metrics(board: Board | None, printed: Published | None) -> list[tuple[str, str]]:
    """(title, name) of every metric that a task's tables have."""
    titles = {column.metric: column.title for column in board.columns} if board else {}
    if printed:
        shown = zip(printed.metrics, printed.titles[1:], strict=True)
        titles = titles | {metric: title.rstrip(" ↑↓") for metric, title in shown if metric not in titles}
    return [(title, metric) for metric, title in titles.items()]


def orders(board: Board | None) -> list[tuple[str, str]]:
    """(words, value) of the orders to choose from."""
    columns = [column.metric for column in board.columns] if board else []
    titles = {column.metric: column.title for column in board.columns} if board else {}
    return [("rank", RANK), *((titles[metric], metric) for metric in dict.fromkeys(columns))]


def measured(board: Board, chosen: Collection[str], order: str = RANK, done: bool = True) -> str:
    """The board with a badge of its own.

    Args:
        board: its rows are shown best first.
        chosen: names of the metrics to show.
        order: `RANK`, or a metric by which the best comes first.
        done: whether the ties are marked.

    Raises:
        UserError: no such order.
    """
    if order not in [value for _, value in orders(board)]:
        raise UserError(f"There is no score {order[:80]!r} to order by.")
    shown = [index for index, column in enumerate(board.columns) if column.metric in chosen]
    places = [decimals([cell.value for _, cell in board.column(index)]) for index in range(len(board.columns))]
    heads = ["System", *(_head(board, index) for index in shown)]
    rows = [[_name(row), *(_cell(row.cells[index], places[index]) for index in shown)] for row in ordered(board, order)]
    notes = [*words.notes(board), *([] if done else [TESTING])]
    return (
        '<section class="kit-card kit-measured" aria-label="Measured here">'
        f'<p class="kit-row"><span class="kit-badge">● measured</span>{escaped(words.section(board))}</p>'
        f"{rich_table(heads, rows, words.ranking(board), named=True)}"
        f'<ul class="kit-notes">{"".join(f"<li>{escaped(plain(note))}</li>" for note in notes)}</ul>'
        f"{_signatures(board, shown)}{_runs(board)}</section>"
    )


def ordered(board: Board, order: str) -> list[Row]:
    """Rows best first by a metric (the highest first where neither side is better); what has no score comes last."""
    if order == RANK:
        return board.rows
    index = next(place for place, column in enumerate(board.columns) if column.metric == order)
    sign = board.columns[index].sign or 1

    def place(row: Row) -> tuple[bool, float]:
        cell = row.cells[index]
        return cell is None, 0.0 if cell is None else -sign * cell.value

    return sorted(board.rows, key=place)


def reported(printed: Published, chosen: Collection[str]) -> str:
    """What others report: another badge, another border, no rank and no interval."""
    shown = [0, *(place for place, metric in enumerate(printed.metrics, start=1) if metric in chosen)]
    rows = [[escaped(row[place]) for place in shown] for row in printed.rows]
    heads = [_unbroken(escaped(printed.titles[place])) for place in shown]
    return (
        '<section class="kit-card kit-reported" aria-label="Reported by others">'
        '<p class="kit-row"><span class="kit-badge">◇ reported</span>in papers, not measured here</p>'
        f"{rich_table(heads, rows, 'Figures as printed', named=True)}"
        f'<ul class="kit-notes"><li>{escaped(words.PUBLISHED)}</li><li>{escaped(listed(printed.sources))}</li></ul>'
        "</section>"
    )


def breakable(name: str) -> str:
    """A system's name, escaped, that breaks between the parts of its spec where room is scarce."""
    return re.sub("([/,:])", r"\1<wbr>", escaped(name))


def _head(board: Board, index: int) -> str:
    column = board.columns[index]
    said = {1: "higher is better", -1: "lower is better", 0: ""}[column.sign]
    hidden = f'<span class="kit-hidden"> ({said})</span>' if said else ""
    title = escaped(words.column_title(board, column))
    return f'{title}<span aria-hidden="true">{_unbroken(words.better(column))}</span>{hidden}'


def _unbroken(title: str) -> str:
    """The arrow stays beside the last word."""
    return re.sub(" (?=[↑↓])", "&nbsp;", title)


def _name(row: Row) -> str:
    rank = "–" if row.rank is None else str(row.rank)
    return f'<span class="kit-ranked"><span class="kit-rank">{rank}</span> <span>{breakable(row.label)}</span></span>'


def _cell(cell: Cell | None, places: int) -> str:
    if cell is None:
        return "–"
    before, after = _SAID[cell.mark]
    value, low, high = (number(amount, places) for amount in (cell.value, cell.low, cell.high))
    return f'{before}{value}{after}<span class="kit-interval">[{low}, {high}]</span>'


def _signatures(board: Board, shown: Sequence[int]) -> str:
    columns = [board.columns[index] for index in shown]
    items = "".join(
        f"<dt>{escaped(words.column_title(board, column))}</dt><dd>{escaped(plain(column.signature))}</dd>"
        for column in columns
    )
    return f'<details><summary>How each score was made</summary><dl class="kit-notes">{items}</dl></details>'


def _runs(board: Board) -> str:
    told = [[*words.run_row(row), words.settings(row)] for row in board.rows]
    head = [*words.RUN_TITLES, "Settings"]
    return f"<details><summary>How each was run</summary>{table(head, told, 'How each was run', len(head))}</details>"
