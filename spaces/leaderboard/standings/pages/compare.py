"""Two systems, tested against each other."""

from __future__ import annotations

from typing import Any

from idist.errors import UserError
from space_kit.markup import message
from standings import duel
from standings.pages.chosen import Chooser, Chosen
from standings.shelf import Shelf

STATISTICS = "statistics"  # tests wait in one queue: each takes a core for a while
WAITING = "Choose two systems. The test compares their scores on the same examples."


def add(shelf: Shelf, task: Any, board: Any) -> Chooser:
    """Into the open tab."""
    import gradio as gr

    with gr.Row():
        a = gr.Dropdown([], label="System A", elem_id="compare-a", min_width=260)
        b = gr.Dropdown([], label="System B", elem_id="compare-b", min_width=260)
    test = gr.Radio(list(duel.TESTS), value=next(iter(duel.TESTS)), label="Test", elem_id="compare-test")
    button = gr.Button("Compare", variant="primary", elem_id="compare-go")
    page = gr.HTML(message(WAITING, "note"), elem_id="compare-page")

    def fill(chosen: Chosen) -> list[Any]:
        names = duel.systems(chosen.board, chosen.published)
        first, second = [*names, None, None][:2]
        return [gr.update(choices=names, value=first), gr.update(choices=names, value=second), message(WAITING, "note")]

    def run(asked: str, name: str | None, first: str | None, second: str | None, how: str) -> str:
        standings = shelf.last()
        try:
            if not first or not second:
                raise UserError("Choose two systems first.")
            return duel.page(duel.duel(standings, asked, name, first, second, duel.TESTS[how]), first, second)
        except UserError as error:
            return message(standings.said(error))

    button.click(
        run,
        [task, board, a, b, test],
        page,
        concurrency_id=STATISTICS,
        concurrency_limit=1,
        api_visibility="private",
    )
    return Chooser([a, b, page], fill)
