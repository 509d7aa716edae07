"""The report as Markdown, and its tables for a terminal. Text from outside is escaped: it can add no markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval_harness.report import words
from eval_harness.report.board import Board, Cell
from eval_harness.report.document import Document, Section
from eval_harness.report.published import Published
from eval_harness.report.samples import Sample
from eval_harness.report.text import counted, decimals, number, plain, shorten
from eval_harness.report.words import RUN_TITLES, better, column_title, run_row, settings

PLOTS = "plots"  # folder of the pictures, beside the report
_TERMINAL_ROWS = 12
_TERMINAL_NAME = 40


def markdown(document: Document) -> str:
    """The whole report (GitHub's flavour)."""
    parts = [f"# {document.title}", escape(document.summary)]
    parts += [f"**Left out:** {escape(sentence)}" for sentence in document.damaged]
    for section in document.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text -> Markdown that shows it, in a table's cell, too."""
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
    return re.sub(r"([\\`*_\[\]#|~!])", r"\\\1", text)


def compact(board: Board) -> str:
    """The board without intervals, in aligned columns that are Markdown, too; the best twelve systems."""
    shown = board.rows[:_TERMINAL_ROWS]
    places = _places(board)
    rows = [["#", "system", *(f"{column_title(board, column)}{better(column)}" for column in board.columns)]]
    for row in shown:
        cells = [_value(cell, places[i]) + (_mark(cell) or " ") for i, cell in enumerate(row.cells)]
        rows.append([_rank(row.rank), shorten(row.label, _TERMINAL_NAME).replace("|", "\\|"), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(_padded(cells, widths)) + " |" for cells in rows]
    lines.insert(
        1, "|" + "|".join("-" * (width + 1) + ("-" if i == 1 else ":") for i, width in enumerate(widths)) + "|"
    )
    rest = len(board.rows) - len(shown)
    more = [f"and {counted(rest, 'system')} more in the report"] if rest else []
    return "\n".join([words.caption(board), "", *lines, *more])


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        f"{cell:<{width}}" if i == 1 else f"{cell:>{width}}"
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _section(section: Section) -> list[str]:
    parts = [f"## {escape(section.task)}", escape(section.description)]
    for board in section.boards:
        parts += [f"### {escape(words.section(board)).capitalize()}", _board(board)]
        parts.append(_list([escape(note) for note in words.notes(board)]))
        parts += ["Signatures:", _signatures(board)]
        parts += [
            f"[![{escape(picture.alt)}]({PLOTS}/{picture.name}.png)]({PLOTS}/{picture.name}.svg)"
            for picture in section.pictures[board.name]
        ]
        runs = _table(RUN_TITLES, [run_row(row) for row in board.rows])
        decoding = _table(("System", "Settings"), [[row.label, settings(row)] for row in board.rows])
        parts += _folded("How each was run", [runs, decoding])
        parts += _folded("What they wrote", [_sample(sample) for sample in section.samples[board.name]])
    if section.published is not None:
        parts += _published(section.published)
    return [part for part in parts if part]


def _folded(title: str, parts: list[str]) -> list[str]:
    """Shown on a click, where Markdown is shown with HTML in it."""
    return [f"<details><summary>{title}</summary>", *parts, "</details>"]


def _board(board: Board) -> str:
    places = _places(board)
    titles = [
        f"{escape(column_title(board, column))}{better(column)} <sup>{index}</sup>"
        for index, column in enumerate(board.columns, start=1)
    ]
    lines = [_line(["#", "System", *titles]), _line(["--:", ":--", *("--:" for _ in titles)])]
    for row in board.rows:
        cells = [_cell(cell, places[i]) for i, cell in enumerate(row.cells)]
        lines.append(_line([_rank(row.rank), escape(row.label), *cells]))
    return "\n".join(lines)


def _cell(cell: Cell | None, places: int) -> str:
    if cell is None:
        return "–"
    value = _value(cell, places)
    strong = f"**{value}**" if cell.mark == "best" else value + _mark(cell)
    return f"{strong} [{number(cell.low, places)}, {number(cell.high, places)}]"


def _value(cell: Cell | None, places: int) -> str:
    return "–" if cell is None else number(cell.value, places)


def _mark(cell: Cell | None) -> str:
    """The sign after a value."""
    return {"best": "*", "tied": "†", "": ""}[cell.mark if cell is not None else ""]


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)


def _places(board: Board) -> list[int]:
    return [decimals([cell.value for _, cell in board.column(index)]) for index in range(len(board.columns))]


def _signatures(board: Board) -> str:
    numbered = enumerate(board.columns, start=1)
    return "\n".join(f"{i}. {escape(column.title)}: {_code(column.signature)}" for i, column in numbered)


def _code(text: str) -> str:
    """As it is, so that it can be copied (not for a table's cell, where a bar would end it)."""
    text = plain(text) or "-"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{edge}{text}{edge}{fence}"


def _sample(sample: Sample) -> str:
    rows = [["source", sample.source], *(["reference", text] for text in sample.references)]
    rows += [["exemplar", sample.exemplar]] if sample.exemplar is not None else []
    return _table((sample.id, "text"), rows + [[label, text or "(empty)"] for label, text in sample.predictions])


def _published(block: Published) -> list[str]:
    return [
        "### Reported figures",
        escape(words.PUBLISHED),
        _table(block.titles, block.rows),
        _list([escape(source) for source in block.sources]),
    ]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = [_line([escape(cell) for cell in row]) for row in rows]
    return "\n".join([_line([escape(title) for title in titles]), _line([":--"] * len(titles)), *body])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
