"""A table of sentences: one column of a CSV file, with progress."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.batch import CANDIDATES, ROWS, rewrite_all
from demo.studio import Studio
from idist.errors import UserError
from space_kit.markup import escaped, message, table
from space_kit.serving import on_gpu
from space_kit.tables import download_link, read_column

TASKS = {"paraphrase": "Paraphrase", "summary": "Summarize"}
HEAD = ["source", "candidate", "kept", "problem"]
LAST = 20  # rows shown while it runs


def add(studio: Studio) -> None:
    """Into the open tab."""
    import gradio as gr

    tasks = {name: task for task, name in TASKS.items() if task in studio.students}
    file = gr.File(
        label=f"CSV file with a header, at most {ROWS} rows", file_types=[".csv", ".tsv"], elem_id="batch-file"
    )
    with gr.Row():
        column = gr.Textbox("sentence", label="Column with the sentences", elem_id="batch-column")
        task = gr.Dropdown(list(tasks), value=next(iter(tasks)), label="What to do")
        number = gr.Slider(1, 10, CANDIDATES, step=1, label="Candidates for each sentence")
        heat = gr.Slider(0.1, 2.0, 0.9, step=0.1, label="Temperature for all")
    with gr.Row():
        start = gr.Button("Rewrite the table", variant="primary", elem_id="batch-go")
        stop = gr.Button("Stop", elem_id="batch-stop")
    page = gr.HTML(
        message("The table comes here, row by row, and can be saved at any time.", "note"), elem_id="batch-page"
    )

    @on_gpu
    def run(path: str | None, name: str, chosen: str, candidates: float, temperature: float) -> Iterator[str]:
        try:
            if not path:
                raise UserError("There is no table: choose a CSV file first.")
            sentences = read_column(Path(path), name, ROWS)
            rows: list[dict[str, Any]] = []
            batches = rewrite_all(studio, tasks[chosen], sentences, candidates, temperature)
            for done, found in enumerate(batches, start=1):
                rows += found
                yield progress(rows, done, len(sentences))
        except UserError as error:
            yield message(str(error))

    running = start.click(
        run,
        [file, column, task, number, heat],
        page,
        concurrency_id="batch",
        concurrency_limit=1,
        api_visibility="private",
        show_progress="minimal",
    )
    stop.click(None, cancels=[running], queue=False)


def progress(rows: list[dict[str, Any]], done: int, total: int) -> str:
    """How far it is, the last rows, and all of them to be saved."""
    kind = "done" if done == total else "note"
    said = message(f"{done} of {total} sentences, {len(rows)} rows.", kind)
    bar = f'<progress class="kit-progress" max="{total}" value="{done}" aria-label="Sentences done"></progress>'
    shown = [[_word(row[name]) for name in HEAD] for row in rows[-LAST:]]
    caption = "All rows" if len(rows) <= LAST else f"The last {LAST} of {len(rows)} rows"
    link = download_link(rows, "rewritten.csv", "Download as CSV")
    return f'{said}{bar}<div class="kit-row">{link}</div>{table(HEAD, shown, escaped(caption), len(HEAD))}'


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
