"""The report as one HTML file that needs nothing beside it and reads without its script. All text is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from eval_harness.report import words
from eval_harness.report.board import Board, Cell, Column, Row
from eval_harness.report.canvas import Picture
from eval_harness.report.document import Document, Section
from eval_harness.report.page import SCRIPT, STYLE, policy
from eval_harness.report.published import Published
from eval_harness.report.samples import Sample
from eval_harness.report.text import decimals, number, plain, slug
from eval_harness.report.words import RUN_TITLES, better, column_title, run_row, settings


def html(document: Document) -> str:
    """The whole page."""
    anchors = [f"task-{index}-{slug(section.task)}" for index, section in enumerate(document.sections, start=1)]
    links = zip(anchors, document.sections, strict=True)
    contents = "".join(f'<li><a href="#{anchor}">{escape(section.task)}</a></li>' for anchor, section in links)
    parts = [
        f"<h1>{escape(document.title)}</h1>\n<p>{escape(document.summary)}</p>",
        *(f'<p class="warn"><strong>Left out:</strong> {escape(sentence)}</p>' for sentence in document.damaged),
        f'<nav aria-label="Tasks"><ul>{contents}</ul></nav>',
        *(_section(section, anchor) for section, anchor in zip(document.sections, anchors, strict=True)),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(document.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{chr(10).join(parts)}
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _section(section: Section, anchor: str) -> str:
    parts = [f'<h2 id="{anchor}">{escape(section.task)}</h2>']
    parts += [f"<p>{escape(section.description)}</p>"] if section.description else []
    for index, board in enumerate(section.boards, start=1):
        parts.append(_board_section(section, board, f"{anchor}-{index}"))
    if section.published is not None:
        parts.append(_published(section.published, f"{anchor}-reported"))
    return "\n".join(parts)


def _board_section(section: Section, board: Board, anchor: str) -> str:
    heading = words.section(board)
    notes = "".join(f"<li>{escape(plain(note))}</li>" for note in words.notes(board))
    pictures = "".join(_picture(picture) for picture in section.pictures[board.name])
    return f"""<section aria-labelledby="{anchor}">
<h3 id="{anchor}">{escape(heading[:1].upper() + heading[1:])}</h3>
<p role="status" class="hidden"></p>
{_board(board, anchor)}
<ul class="notes">{notes}</ul>
{_signatures(board, anchor)}
{pictures}
{_runs(board, anchor)}
{_samples(section.samples[board.name], anchor)}
</section>"""


def _board(board: Board, anchor: str) -> str:
    heads = [
        _head('<span class="label">#</span>', 'aria-sort="ascending" data-kind="number"', "rank", up=False),
        _head('<span class="label">System</span>', 'class="name" data-kind="text"', "system", up=False),
        *(_metric_head(board, column, index, anchor) for index, column in enumerate(board.columns, start=1)),
    ]
    places = [decimals([cell.value for _, cell in board.column(index)]) for index in range(len(board.columns))]
    rows = [_row(row, places) for row in board.rows]
    caption = escape(words.ranking(board))
    return _scroll(
        f'<table data-sortable><caption id="{anchor}-caption">{caption}</caption>\n'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{chr(10).join(rows)}\n</tbody></table>",
        f"{anchor}-caption",
    )


def _head(content: str, attributes: str, name: str, up: bool) -> str:
    """A column's head; ``up``: sorting begins with the highest."""
    first = "descending" if up else "ascending"
    return f'<th scope="col" {attributes} data-first="{first}" data-name="{name}">{content}</th>'


def _metric_head(board: Board, column: Column, index: int, anchor: str) -> str:
    """Title, which way is better, and a link to the signature."""
    title, up = escape(column_title(board, column)), column.sign >= 0
    said = {1: " (higher is better)", -1: " (lower is better)", 0: ""}[column.sign]
    label = (
        f'<span class="label">{title}<span aria-hidden="true">{better(column)}</span>'
        f'<span class="hidden">{said}</span></span>'
    )
    note = f'<sup><a href="#{anchor}-s{index}" aria-label="Signature {index}">{index}</a></sup>'
    return _head(label + note, 'data-kind="number"', title, up)


def _row(row: Row, places: Sequence[int]) -> str:
    rank = "" if row.rank is None else str(row.rank)
    cells = [_cell(cell, digits) for cell, digits in zip(row.cells, places, strict=True)]
    name = escape(row.label)
    head = f'<th scope="row" class="name" data-value="{name}"><span>{name}</span></th>'
    return f'<tr><td data-value="{rank}">{rank or "–"}</td>{head}{"".join(cells)}</tr>'


def _cell(cell: Cell | None, places: int) -> str:
    if cell is None:
        return '<td data-value="">–</td>'
    value, low, high = (number(amount, places) for amount in (cell.value, cell.low, cell.high))
    said = {
        "best": f'<strong class="best">{value}</strong><span class="hidden"> (best)</span>',
        "tied": f'{value}<sup aria-hidden="true">†</sup><span class="hidden"> (not shown to be worse)</span>',
        "": value,
    }[cell.mark]
    return f'<td data-value="{cell.value!r}">{said}<span class="interval">[{low}, {high}]</span></td>'


def _signatures(board: Board, anchor: str) -> str:
    items = "".join(
        f'<li id="{anchor}-s{index}">{escape(column.title)}: {escape(plain(column.signature))}</li>'
        for index, column in enumerate(board.columns, start=1)
    )
    return f'<ol class="signatures" aria-label="Signatures: how each score was made">{items}</ol>'


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode()
    return f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(picture.alt)}"></figure>'


def _runs(board: Board, anchor: str) -> str:
    table = _table(RUN_TITLES, [run_row(row) for row in board.rows], "How each was run", f"{anchor}-runs")
    chosen = [[row.label, settings(row)] for row in board.rows]
    decoding = _table(("System", "Settings"), chosen, "Settings of each system", f"{anchor}-settings", text=True)
    return f"<details><summary>How each was run</summary>{table}{decoding}</details>"


def _samples(shown: Sequence[Sample], anchor: str) -> str:
    tables = []
    for index, sample in enumerate(shown, start=1):
        rows = [["source", sample.source], *(["reference", text] for text in sample.references)]
        rows += [["exemplar", sample.exemplar]] if sample.exemplar is not None else []
        rows += [[label, text or "(empty)"] for label, text in sample.predictions]
        tables.append(_table(("From", "Text"), rows, f"Example {sample.id}", f"{anchor}-e{index}", text=True))
    return f"<details><summary>What they wrote</summary>{''.join(tables)}</details>"


def _published(block: Published, anchor: str) -> str:
    sources = "".join(f"<li>{escape(source)}</li>" for source in block.sources)
    return f"""<section aria-labelledby="{anchor}">
<h3 id="{anchor}">Reported figures</h3>
<p>{escape(words.PUBLISHED)}</p>
{_table(block.titles, block.rows, "Reported, not measured here", f"{anchor}-table")}
<ul class="notes">{sources}</ul>
</section>"""


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str, anchor: str, text: bool = False) -> str:
    """A table of plain text; the first cell of a row names it. ``text``: cells hold sentences."""
    kind = ' class="text"' if text else ""
    heads = "".join(
        f'<th scope="col"{kind if index else _NAME}>{escape(title)}</th>' for index, title in enumerate(titles)
    )
    lines = [
        f'<tr><th scope="row"{_NAME}><span>{escape(plain(first))}</span></th>'
        f"{''.join(f'<td{kind}>{escape(plain(cell))}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    ]
    body = f"<thead><tr>{heads}</tr></thead><tbody>{chr(10).join(lines)}</tbody>"
    return _scroll(f'<table><caption id="{anchor}">{escape(caption)}</caption>{body}</table>', anchor)


_NAME = ' class="name"'


def _scroll(table: str, label: str) -> str:
    """A table that scrolls by itself on a narrow screen, reachable by keyboard."""
    return f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{label}">{table}</div>'
