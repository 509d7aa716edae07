"""The whole page: a head, and a tab for everything that the demo can do."""

from __future__ import annotations

import os
from typing import Any

from demo.pages import paraphrase
from demo.studio import Studio
from space_kit.markup import escaped
from space_kit.serving import KEPT_SECONDS

HEAD = (
    '<div class="kit-head"><h1>Impossible-T5</h1><p>A small model that learned to paraphrase from a language model '
    "that cannot. Every candidate shows what the critics of its training would have said of it.</p>"
    '<p class="kit-quiet">Student: {name}</p></div>'
)


def build(studio: Studio) -> Any:
    """The `gradio.Blocks`, not yet served."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    with gr.Blocks(title="Impossible-T5", analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)) as app:
        gr.HTML(HEAD.format(name=escaped(shown(studio.students["paraphrase"].name))))
        with gr.Tabs(), gr.Tab("Paraphrase", id="paraphrase"):
            paraphrase.add(studio)
    return app


def shown(name: str) -> str:
    """A model's name without the folders of this machine: a run's name and stage, or the Hub's."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    if name.startswith("embedded:") or len(parts) < 3:
        return name
    return "/".join(parts[-3:-1] if parts[-1] == "model" else parts[-1:])
