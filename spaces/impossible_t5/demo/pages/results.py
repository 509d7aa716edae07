"""What all pages that rewrite share: how many candidates, the button, and the cards with their order and selection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from demo.cards import ALL, AS_WRITTEN, cards, filter_choices, filtered_by, sort_choices
from demo.student import CANDIDATES, CHARACTERS, DIVERSITIES, TEMPERATURES
from demo.studio import Answer, Studio
from idist.errors import UserError
from space_kit.markup import message
from space_kit.serving import on_gpu

MODEL = "model"  # events of this group wait in one queue: the models take one at a time
COPY = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  let done = true;
  try { await navigator.clipboard.writeText(button.dataset.copy); } catch { done = false; }
  button.textContent = done ? 'Copied' : 'Select the text and copy it';
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
});
"""
WAITING = "The candidates, with what the critics think of each, come here."

Wish = Callable[..., Mapping[str, str] | None]


@dataclass
class Dials:
    """The controls that every such page has."""

    candidates: Any
    temperature: Any
    diversity: Any
    seed: Any

    @property
    def all(self) -> list[Any]:
        """In the order of `Studio.rewrite`'s arguments."""
        return [self.candidates, self.temperature, self.diversity, self.seed]


def sentence_box(task: str, examples: list[str]) -> Any:
    """The source, and examples to click."""
    import gradio as gr

    box = gr.Textbox(
        label="Sentence",
        placeholder="One English sentence",
        lines=2,
        max_length=CHARACTERS * 20,
        elem_id=f"{task}-sentence",
    )
    gr.Examples([[text] for text in examples], [box], label="Examples", api_visibility="private", cache_examples=False)
    return box


def dials(task: str, candidates: int = 4, temperature: float = 0.9) -> Dials:
    """Sliders with the limits of `Student.write`."""
    import gradio as gr

    with gr.Row():
        number = gr.Slider(*CANDIDATES, candidates, step=1, label="Candidates", elem_id=f"{task}-candidates")
        heat = gr.Slider(
            *TEMPERATURES,
            temperature,
            step=0.1,
            label="Temperature",
            info="higher: bolder, and wrong more often",
            elem_id=f"{task}-temperature",
        )
    with gr.Accordion("More settings", open=False), gr.Row():
        diversity = gr.Slider(
            *DIVERSITIES, 0.0, step=0.1, label="Diversity", info="how little two candidates may share"
        )
        seed = gr.Number(0, label="Seed", precision=0, info="another number, other candidates")
    return Dials(number, heat, diversity, seed)


def results(
    studio: Studio,
    task: str,
    box: Any,
    dial: Dials,
    label: str,
    wish: Wish = lambda: None,
    wishes: tuple[Any, ...] = (),
) -> None:
    """The button and everything below it.

    Args:
        studio: the models.
        task: see `Studio.rewrite`.
        box: component with the sentence.
        dial: see `dials`.
        label: of the button.
        wish: values of ``wishes`` -> what is asked of a controlled student; may raise UserError.
        wishes: components.
    """
    import gradio as gr

    columns, thresholds = studio.judges[task].columns, studio.judges[task].thresholds
    button = gr.Button(label, variant="primary", elem_id=f"{task}-go")
    with gr.Row():
        order = gr.Dropdown(sort_choices(columns), value=AS_WRITTEN, label="Order", elem_id=f"{task}-order")
        shown = gr.Dropdown(filter_choices(columns), value=ALL, label="Show", elem_id=f"{task}-show")
        limit = gr.Number(label="Limit", visible=False, elem_id=f"{task}-limit")
    kept = gr.State(None, time_to_live=3600)
    page = gr.HTML(message(WAITING, "note"), js_on_load=COPY, elem_id=f"{task}-results")

    @on_gpu
    def ask(
        text: str,
        candidates: float,
        temperature: float,
        diversity: float,
        seed: float | None,
        by: str,
        only: str,
        within: float | None,
        *asked: Any,
    ) -> tuple[Answer | None, str]:
        try:
            answer = studio.rewrite(task, text, candidates, temperature, diversity, seed or 0, wish(*asked))
            return answer, cards(answer, by, only, within)
        except UserError as error:
            return None, message(str(error))

    def again(answer: Answer | None, by: str, only: str, within: float | None) -> str:
        return cards(answer, by, only, within) if answer else message(WAITING, "note")

    def select(answer: Answer | None, by: str, only: str) -> tuple[Any, str]:
        """Another selection begins with the critic's own threshold."""
        column = filtered_by(columns, only)
        start = thresholds[column] if column else None
        return gr.update(value=start, visible=column is not None), again(answer, by, only, start)

    gr.on(
        [button.click, box.submit],
        ask,
        [box, *dial.all, order, shown, limit, *wishes],
        [kept, page],
        concurrency_id=MODEL,
        concurrency_limit=1,
        api_visibility="private",
    )
    quick: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    shown.input(select, [kept, order, shown], [limit, page], **quick)
    gr.on([order.input, limit.input], again, [kept, order, shown, limit], page, trigger_mode="always_last", **quick)
