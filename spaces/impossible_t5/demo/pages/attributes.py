"""Control of attributes: how long, how literal, how differently built."""

from __future__ import annotations

from demo.pages.results import dials, results, sentence_box
from demo.pages.syntax import EXAMPLES
from demo.studio import Studio
from idist.errors import UserError

ANY = "any"


def add(studio: Studio) -> None:
    """Into the open tab."""
    import gradio as gr

    controls = studio.students["attributes"].controls
    assert controls is not None
    box = sentence_box("attributes", EXAMPLES)
    names = [control.name for control in controls.controls]
    with gr.Row():
        choices = [
            gr.Dropdown([ANY, *control.describe()], value=ANY, label=control.name.replace("_", " ").capitalize())
            for control in controls.controls
        ]

    def wish(*lines: str) -> dict[str, str]:
        found = {
            name: line.removeprefix(f"{name}:").split("  ")[0]
            for name, line in zip(names, lines, strict=True)
            if line != ANY
        }
        if not found:
            raise UserError("Nothing is asked for: choose a value of at least one attribute.")
        return found

    results(studio, "attributes", box, dials("attributes"), "Rewrite", wish, tuple(choices))
