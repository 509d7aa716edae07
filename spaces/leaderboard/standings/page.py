"""The whole page: a head with the task, and a tab for each way to look at its results."""

from __future__ import annotations

import os
from typing import Any

from idist.errors import UserError
from space_kit.markup import escaped, message
from space_kit.serving import KEPT_SECONDS
from standings import api
from standings.pages import compare, examples, plots, submit, table
from standings.pages.chosen import Chooser, Chosen
from standings.shelf import NOTHING, Shelf, Standings

HEAD = (
    '<div class="kit-head"><h1>Paraphrase leaderboard</h1><p>Systems that write paraphrases and summaries, scored by '
    "one harness: every number with its interval and with what made it. What papers report stands apart.</p></div>"
)
PARTS = (("Table", table), ("Compare", compare), ("Plots", plots), ("Examples", examples))


def build(shelf: Shelf) -> Any:
    """The `gradio.Blocks`, not yet served.

    Args:
        shelf: the results. It is read again when a page is opened and by the button.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    now = shelf.current()
    with gr.Blocks(
        title="Paraphrase leaderboard", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)
    ) as app:
        gr.HTML(HEAD)
        with gr.Row(equal_height=True):
            task = gr.Dropdown(tasks(now), label="Task", elem_id="task", scale=3, min_width=260)
            board = gr.Dropdown([], label="Results", elem_id="board", scale=3, min_width=260)
            again = gr.Button("Reload", elem_id="reload", scale=1, min_width=100)
        state = gr.HTML("", elem_id="state")
        choosers: list[Chooser] = []
        with gr.Tabs():
            for name, part in PARTS:
                with gr.Tab(name, id=name.lower()):
                    choosers.append(part.add(shelf, task, board))
            with gr.Tab("Submit", id="submit"):
                submit.add()
        outputs = [task, board, state, *(component for chooser in choosers for component in chooser.outputs)]

        def fill(asked: str | None, name: str | None, linked: bool = False) -> list[Any]:
            """Everything that depends on the task and its results; what is gone since is passed over."""
            standings = shelf.current()
            said = summary(standings)
            try:
                chosen = Chosen.of(standings, asked, name if linked or name in standings.boards else None)
            except UserError as error:
                said = f'<div class="kit-cards">{message(standings.said(error))}</div>{said}'
                chosen = Chosen.of(standings, None, None)
            own = [(boards_words(standings, one), one.name) for one in standings.of_task(chosen.task)]
            shown = gr.update(choices=own, value=chosen.board.name if chosen.board else None, visible=bool(own))
            filled = [value for chooser in choosers for value in chooser.fill(chosen)]
            return [gr.update(choices=tasks(standings), value=chosen.task), shown, said, *filled]

        def arrive(request: Any) -> list[Any]:
            asked = dict(request.query_params or {})
            return fill(asked.get("task"), asked.get("results"), linked=True)

        arrive.__annotations__["request"] = gr.Request  # a name of this function's own would not be found there
        quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        filled = [
            app.load(arrive, None, outputs, **quiet),
            task.input(lambda asked: fill(asked, None), task, outputs, **quiet),
            board.input(fill, [task, board], outputs, **quiet),
            again.click(fill, [task, board], outputs, **quiet),
        ]
        for chooser in choosers:
            if chooser.later is not None:
                inputs, function, where = chooser.later
                for event in filled:
                    event.then(function, inputs, where, **quiet)
        api.add(shelf)
    return app


def tasks(standings: Standings) -> list[tuple[str, str]]:
    """(words, name) of every task."""
    systems = dict.fromkeys(standings.tasks, 0)
    for board in standings.boards.values():
        systems[board.task] += len(board.rows)
    return [(f"{task} ({count} measured)" if count else f"{task} (reported)", task) for task, count in systems.items()]


def boards_words(standings: Standings, board: Any) -> str:
    """What tells the boards of one task apart."""
    from eval_harness.report.words import section

    words = section(board)
    same = [other for other in standings.of_task(board.task) if section(other) == words]
    return words if len(same) == 1 else f"{words}, data {board.about['fingerprint']}"


def summary(standings: Standings) -> str:
    """What could not be used, folded; how to make results where there are none."""
    said = "" if standings.boards else message(NOTHING, "note")
    if standings.left_out:
        items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in standings.left_out)
        number = len(standings.left_out)
        title = "One place or file is left out" if number == 1 else f"{number} places or files are left out"
        said += (
            '<details class="kit-message kit-error" role="status" open>'
            f"<summary>{title}</summary><ul>{items}</ul></details>"
        )
    return f'<div class="kit-cards">{said}</div>' if said else ""
