"""The pictures of a board: similarity against diversity, and every score with its interval."""

from __future__ import annotations

from typing import Any

from idist.errors import UserError
from space_kit.markup import message
from standings.pages.chosen import Chooser, Chosen, pictures_of
from standings.pictures import pictures
from standings.shelf import Shelf

DRAWING = "The pictures are being drawn."
NOTHING = "Nothing was measured of this task, and reported figures have no intervals to draw."


def add(shelf: Shelf, task: Any, board: Any) -> Chooser:
    """Into the open tab."""
    import gradio as gr

    page = gr.HTML("", elem_id="plots-page")

    def fill(chosen: Chosen) -> list[Any]:
        return [message(NOTHING if chosen.board is None else DRAWING, "note")]

    async def drawn(asked: str, name: str | None) -> str:
        standings = shelf.last()
        try:
            chosen = Chosen.of(standings, asked, name)
            if chosen.board is None:
                return message(NOTHING, "note")
            return pictures(await pictures_of(chosen))
        except UserError as error:
            return message(standings.said(error))

    return Chooser([page], fill, ([task, board], drawn, [page]))
