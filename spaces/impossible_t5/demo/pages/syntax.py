"""Control of syntax: write it as an exemplar is built, as a frequent tree, or as a tree that a person types."""

from __future__ import annotations

from typing import Any

from demo.pages.results import dials, results, sentence_box
from demo.studio import Studio
from idist.errors import UserError

EXAMPLES = ["A man in a blue shirt is riding a bike in the park.", "Two women are sitting on a bench near the water."]
EXEMPLARS = ["Two women sitting on a bench.", "There is a dog on the beach.", "In the street, a boy runs."]
WAYS = {"an exemplar sentence": "exemplar", "a frequent tree": "template", "a tree of your own": "tree"}
LONGEST = 2000  # characters of a tree


def add(studio: Studio) -> None:
    """Into the open tab."""
    import gradio as gr

    student = studio.students["syntax"]
    box = sentence_box("syntax", EXAMPLES)
    assert student.controls is not None
    templates = [line for line in student.controls.describe() if line.startswith("template:")]
    way = gr.Radio(list(WAYS), value=next(iter(WAYS)), label="Built like", elem_id="syntax-way")
    exemplar = gr.Textbox(
        label="Exemplar", placeholder="A sentence with the syntax that you want", elem_id="syntax-exemplar"
    )
    gr.Examples([[text] for text in EXEMPLARS], [exemplar], label="Exemplars", api_visibility="private")
    template = gr.Dropdown(templates, value=templates[0] if templates else None, label="Frequent trees", visible=False)
    tree = gr.Textbox(
        "(S (NP) (VP))", label="Tree in brackets", visible=False, elem_id="syntax-tree", max_length=LONGEST * 10
    )

    def choose(chosen: str) -> list[Any]:
        return [gr.update(visible=WAYS[chosen] == kind) for kind in ("exemplar", "template", "tree")]

    way.change(choose, way, [exemplar, template, tree], queue=False, api_visibility="private")

    def wish(chosen: str, sentence: str, line: str | None, brackets: str) -> dict[str, str]:
        kind = WAYS[chosen]
        if kind == "exemplar":
            return {kind: student.check(sentence, "The exemplar")}
        return {kind: (line or "").removeprefix("template:").split(" ")[0] if kind == "template" else checked(brackets)}

    results(studio, "syntax", box, dials("syntax"), "Rewrite", wish, (way, exemplar, template, tree))


def checked(brackets: str | None) -> str:
    """A tree of reasonable length on one line; whether it is one, the control says.

    Raises:
        UserError: empty or too long.
    """
    text = " ".join((brackets or "").split())
    if not text or len(text) > LONGEST:
        raise UserError(f"The tree has {len(text):,} characters, expected 1 to {LONGEST:,}, such as (S (NP) (VP)).")
    return text
