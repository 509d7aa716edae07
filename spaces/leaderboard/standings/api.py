"""The leaderboard's functions for programs (`gradio_client`): plain values in, plain values out."""

from __future__ import annotations

from typing import Any

from idist.errors import UserError
from space_kit.serving import by_api
from standings import browse, duel
from standings.pages.compare import STATISTICS
from standings.scores import rows
from standings.shelf import Shelf


def add(shelf: Shelf) -> None:
    """Endpoints into the open `gradio.Blocks`."""
    import gradio as gr

    @by_api
    def tasks() -> list[dict[str, Any]]:
        """Every task with its results: names of boards, systems, what is reported."""
        standings = shelf.current()
        told = []
        for task in standings.tasks:
            printed = standings.published(task)
            boards = {board.name: [row.label for row in board.rows] for board in standings.of_task(task)}
            reported = [row[0] for row in printed.rows] if printed else []
            told.append(
                {"task": task, "description": standings.description(task), "results": boards, "reported": reported}
            )
        return told

    @by_api
    def table(task: str, results: str = "") -> list[dict[str, Any]]:
        """Every score of a task, one a row, measured and reported; results names a board (default: the first)."""
        check(task=task, results=results)
        standings = shelf.current()
        board = standings.board(task, results or None)
        if board is not None:
            standings.finished(board).result()
        return rows(standings, task, board)

    @by_api
    def compare(task: str, a: str, b: str, test: str = "bootstrap", results: str = "") -> dict[str, Any]:
        """System a against system b on the same examples; test is bootstrap or randomization."""
        check(task=task, a=a, b=b, test=test, results=results)
        standings = shelf.current()
        if test not in duel.TESTS.values():
            raise UserError(f"The test is {test!r}, expected one of: {', '.join(duel.TESTS.values())}.")
        return duel.plain_values(duel.duel(standings, task, results or None, a, b, test), a, b)

    @by_api
    def examples(
        task: str, systems: list[str], metric: str = "", order: str = "data", page: int = 1, results: str = ""
    ) -> dict[str, Any]:
        """A page of examples with outputs of up to four systems; order is data, lowest, highest or difference."""
        if not isinstance(systems, list):
            raise UserError(f"systems is {systems!r}, expected a list of names.")
        check(task=task, metric=metric, order=order, results=results)
        check(**{f"systems[{place}]": name for place, name in enumerate(systems)})
        standings = shelf.current()
        board = standings.measured(task, results or None)
        try:
            found = browse.listing(board, systems, metric, order, page)
        except UserError as error:
            raise UserError(standings.said(error)) from None
        return {"page": found.page, "pages": found.pages, "total": found.total, "examples": found.examples}

    gr.api(tasks, api_name="tasks", queue=False)
    gr.api(table, api_name="table", concurrency_id=STATISTICS, concurrency_limit=1)
    gr.api(compare, api_name="compare", concurrency_id=STATISTICS, concurrency_limit=1)
    gr.api(examples, api_name="examples")


def check(**texts: object) -> None:
    """Raises UserError for what is no text: programs send anything."""
    for name, value in texts.items():
        if not isinstance(value, str):
            raise UserError(f"{name} is {value!r}, expected a text.")
