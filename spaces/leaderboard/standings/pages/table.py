"""The table: metrics to choose, an order, and everything to be saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from eval_harness.report.text import slug
from idist.errors import UserError
from space_kit.markup import escaped, message
from space_kit.tables import download_link, save_link
from standings import scores, sheet
from standings.pages.chosen import Chooser, Chosen, pictures_of
from standings.shelf import Shelf

READING = "The results are being read."


def add(shelf: Shelf, task: Any, board: Any) -> Chooser:
    """Into the open tab."""
    import gradio as gr

    metrics = gr.CheckboxGroup([], label="Metrics", elem_id="table-metrics")
    order = gr.Dropdown([], label="Order of measured systems", elem_id="table-order")
    page = gr.HTML(message(READING, "note"), elem_id="table-page")
    inputs = [task, board, metrics, order]

    def fill(chosen: Chosen) -> list[Any]:
        every = sheet.metrics(chosen.board, chosen.published)
        names = [name for _, name in every]
        orders = sheet.orders(chosen.board)
        return [
            gr.update(choices=every, value=names),
            gr.update(choices=orders, value=sheet.RANK, visible=chosen.board is not None),
            show(chosen, names, sheet.RANK),
        ]

    def again(asked: str, name: str | None, only: Sequence[str], by: str | None) -> str:
        standings = shelf.last()
        try:
            return show(Chosen.of(standings, asked, name), only, by or sheet.RANK)
        except UserError as error:
            return message(standings.said(error))

    async def tested(asked: str, name: str | None, only: Sequence[str], by: str | None) -> str:
        """The same once the ties are marked."""
        standings = shelf.last()
        try:
            await pictures_of(Chosen.of(standings, asked, name))
        except UserError as error:
            return message(standings.said(error))
        return again(asked, name, only, by)

    gr.on(
        [metrics.input, order.input],
        again,
        inputs,
        page,
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
    return Chooser([metrics, order, page], fill, (inputs, tested, [page]))


def show(chosen: Chosen, only: Sequence[str], by: str) -> str:
    """Both tables, the measured one first.

    Raises:
        UserError: no such order.
    """
    parts = [f'<p class="kit-quiet">{escaped(chosen.standings.description(chosen.task))}</p>']
    if chosen.board is not None:
        finished = chosen.standings.finished(chosen.board)
        parts.append(sheet.measured(chosen.board, only, by, finished.done()))
    if chosen.published is not None:
        parts.append(sheet.reported(chosen.published, only))
    if not only:
        parts.insert(1, message("No metric is chosen: tick at least one.", "note"))
    return f'<div class="kit-cards">{"".join(parts)}</div>{_links(chosen)}'


def _links(chosen: Chosen) -> str:
    """Of every score of the task, whatever is shown."""
    rows = scores.rows(chosen.standings, chosen.task, chosen.board)
    file = slug(chosen.board.name if chosen.board else chosen.task)
    content = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    links = (
        download_link(rows, f"{file}.csv", "Download as CSV"),
        save_link(content, "application/json", f"{file}.json", "Download as JSON"),
    )
    return f'<p class="kit-row kit-after">{"".join(links)}</p>'
