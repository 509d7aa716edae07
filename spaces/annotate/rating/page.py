"""The whole page: a head, and tabs for rating, guidelines and results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rating import api
from rating.desk import Desk
from rating.guidelines import guidelines
from rating.pages import rate, results
from space_kit.look import style
from space_kit.markup import escaped, message
from space_kit.serving import KEPT_SECONDS

HEAD = (
    '<div class="kit-head"><h1>{title}</h1><p>Several systems rewrote the same sentences. You see what they wrote, not '
    "who wrote it: how good is it?</p></div>"
)
PRACTICE = (
    "This is practice: bundled sentences, some of them spoilt on purpose. A study of your own: "
    "recipes/human_eval.py make, then IDIST_STUDY."
)


def build(desk: Desk, results_code: str | None = None) -> Any:
    """The `gradio.Blocks`, not yet served.

    Args:
        desk: hands out the items.
        results_code: see `rating.settings.Settings`.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr

    forget = (KEPT_SECONDS, KEPT_SECONDS)
    with gr.Blocks(title="Human evaluation", analytics_enabled=False, delete_cache=forget) as app:
        gr.HTML(HEAD.format(title=escaped(f"Human evaluation: {desk.study.name}")))
        if desk.study.practice:
            gr.HTML(message(PRACTICE, "note"))
        with gr.Tabs():
            with gr.Tab("Rate", id="rate"):
                rate.add(desk)
            with gr.Tab("Guidelines", id="guidelines"):
                gr.HTML(guidelines(desk.study.questions))
            with gr.Tab("Results", id="results"):
                results.add(desk, results_code)
        api.add(desk)
    return app


def look() -> str:
    """The common style sheet, and a few lines for outputs and questions."""
    return style() + (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
