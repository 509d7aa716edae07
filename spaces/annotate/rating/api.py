"""The same for programs (`gradio_client`): the next item, an answer, how far the study is."""

from __future__ import annotations

from typing import Any

from rating.desk import Desk, View, by_name
from space_kit.serving import by_api


def add(desk: Desk) -> None:
    """Endpoints into the open `gradio.Blocks`."""
    import gradio as gr

    @by_api
    def next_item(annotator: str) -> dict[str, Any]:
        """The item that a person is to rate now: id, source, outputs in this person's order; item null at the end."""
        return _plain(desk, desk.start(annotator))

    @by_api
    def answer(annotator: str, item: str, ratings: list[dict[str, Any]]) -> dict[str, Any]:
        """Store all ratings of an item, one object for each output as shown, such as {"fluency": 3, ...}."""
        desk.submit(annotator, item, by_name(ratings, desk.study.questions))
        return {"stored": True, **_progress(desk)}

    @by_api
    def progress() -> dict[str, Any]:
        """Items answered, and all that are wanted."""
        return _progress(desk)

    for function in (next_item, answer, progress):
        gr.api(function, api_name=function.__name__, queue=False)


def _plain(desk: Desk, view: View | None) -> dict[str, Any]:
    questions = list(desk.study.questions)
    if view is None:
        return {"item": None, "source": None, "outputs": [], "questions": questions, **_progress(desk)}
    shown = {"item": view.item, "source": view.source, "outputs": list(view.outputs)}
    return {**shown, "questions": questions, **_progress(desk)}


def _progress(desk: Desk) -> dict[str, int]:
    finished, wanted = desk.progress()
    return {"finished": finished, "wanted": wanted}
