"""Every example with the outputs of some systems side by side."""

from __future__ import annotations

from typing import Any

from idist.errors import UserError
from space_kit.markup import message
from standings import browse, sheet
from standings.pages.chosen import Chooser, Chosen
from standings.shelf import Shelf

SHOWN = 2  # systems at first
NOTHING = "Nothing was measured of this task: papers report scores, not what the systems wrote."


def add(shelf: Shelf, task: Any, board: Any) -> Chooser:
    """Into the open tab."""
    import gradio as gr

    systems = gr.Dropdown(
        [],
        label=f"Systems, at most {browse.MOST}",
        multiselect=True,
        max_choices=browse.MOST,
        elem_id="examples-systems",
    )
    with gr.Row():
        metric = gr.Dropdown([], label="Score", elem_id="examples-metric", min_width=260)
        order = gr.Dropdown(
            list(browse.ORDERS.items()),
            value="data",
            label="Order of examples",
            elem_id="examples-order",
            min_width=260,
        )
        find = gr.Textbox(label="With the text", max_length=200, elem_id="examples-find", min_width=260)
    page = gr.HTML("", elem_id="examples-page")
    with gr.Row(equal_height=True):
        before = gr.Button("Previous", elem_id="examples-before")
        number = gr.Number(1, label="Page", precision=0, minimum=1, elem_id="examples-number")
        after = gr.Button("Next", elem_id="examples-after")
    inputs = [task, board, systems, metric, order, find, number]

    def fill(chosen: Chosen) -> list[Any]:
        if chosen.board is None:
            empty = gr.update(choices=[], value=None)
            return [gr.update(choices=[], value=[]), empty, 1, message(NOTHING, "note")]
        labels = [row.label for row in chosen.board.rows]
        metrics = sheet.metrics(chosen.board, None)
        ranks = chosen.board.columns[chosen.board.ranking].metric if chosen.board.ranking is not None else None
        text, at = show(chosen, labels[:SHOWN], ranks or (metrics[0][1] if metrics else ""), "data", "", 1)
        return [
            gr.update(choices=labels, value=labels[:SHOWN]),
            gr.update(choices=metrics, value=ranks or (metrics[0][1] if metrics else None)),
            at,
            text,
        ]

    def turn(step: int) -> Any:
        def turned(
            asked: str, name: str | None, names: list[str], by: str | None, how: str, text: str, at: float | None
        ) -> tuple[str, int]:
            standings = shelf.last()
            try:
                chosen = Chosen.of(standings, asked, name)
            except UserError as error:
                return message(standings.said(error)), 1
            return show(chosen, names or [], by or "", how, text or "", (at or 1) + step)

        return turned

    quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    where = [page, number]
    gr.on([systems.input, metric.input, order.input, find.submit], first(turn(0)), inputs, where, **quiet)
    number.submit(turn(0), inputs, where, **quiet)
    before.click(turn(-1), inputs, where, **quiet)
    after.click(turn(1), inputs, where, **quiet)
    return Chooser([systems, metric, number, page], fill)


def first(turned: Any) -> Any:
    """The same from the first page: after another choice the old number means nothing."""

    def begun(*values: Any) -> tuple[str, int]:
        result: tuple[str, int] = turned(*values[:-1], 1)
        return result

    return begun


def show(chosen: Chosen, names: list[str], by: str, how: str, text: str, at: float) -> tuple[str, int]:
    """The page of examples as HTML, and its number; a sentence for what cannot be shown."""
    try:
        board = chosen.standings.measured(chosen.task, chosen.board.name if chosen.board else None)
        found = browse.listing(board, names, by, how, at, text)
    except UserError as error:
        return message(chosen.standings.said(error)), 1
    return f'<div class="kit-cards" lang="en">{browse.cards(board, found)}</div>', found.page
