"""The whole page: a head, and a tab for everything that the demo can do."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from demo import api, made
from demo.pages import attributes, batch, paraphrase, summary, syntax
from demo.pages import made as made_page
from demo.studio import Studio
from idist.errors import UserError
from space_kit.markup import escaped, message
from space_kit.serving import KEPT_SECONDS

HEAD = (
    '<div class="kit-head"><h1>Impossible-T5</h1><p>A small model that learned to paraphrase from a language model '
    "that cannot. Every candidate shows what the critics of its training would have said of it.</p>"
    '<p class="kit-quiet">Student: {name}</p></div>'
)

PAGES: dict[str, tuple[str, Callable[[Studio], None]]] = {
    "paraphrase": ("Paraphrase", paraphrase.add),
    "syntax": ("Syntax", syntax.add),
    "attributes": ("Attributes", attributes.add),
    "summary": ("Summarize", summary.add),
}
NO_DATASET = "No dataset is named, so there is none to look into: set IDIST_DATASET to a release or a run."


def build(studio: Studio, dataset: str | None = None) -> Any:
    """The `gradio.Blocks`, not yet served.

    Args:
        studio: the models. A page whose student is not there says how to make one.
        dataset: see `demo.made.read`.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    story = _story(dataset)
    with gr.Blocks(title="Impossible-T5", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as app:
        gr.HTML(HEAD.format(name=escaped(shown(studio.students["paraphrase"].name))))
        with gr.Tabs():
            for task, (name, add) in PAGES.items():
                with gr.Tab(name, id=task):
                    if task in studio.students:
                        add(studio)
                    else:
                        gr.HTML(message(studio.missing(task), "note"))
            with gr.Tab("Table", id="table"):
                batch.add(studio)
            with gr.Tab("How it was made", id="made"):
                made_page.add(story)
        api.add(studio, story)
    return app


def _story(dataset: str | None) -> made.Made | str:
    """Of the dataset; a page without it is better than no page, so what is wrong becomes its sentence."""
    if dataset is None:
        return NO_DATASET
    try:
        return made.read(dataset)
    except UserError as error:
        return str(error)


def shown(name: str) -> str:
    """A model's name without the folders of this machine: a run's name and stage, or the Hub's."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    if name.startswith("embedded:") or len(parts) < 3:
        return name
    return "/".join(parts[-3:-1] if parts[-1] == "model" else parts[-1:])
