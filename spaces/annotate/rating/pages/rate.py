"""Rating: who one is, an item with its outputs, three questions to each, back and on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eval_harness.human.questions import QUESTIONS, SCALE, Question, asked
from idist.errors import UserError
from rating import cards
from rating.desk import LONGEST, Desk, View, letter
from space_kit.markup import message

WELCOME = (
    "Read the guidelines, type your name or code, and press Start. With the same name you go on where you stopped."
)
STORED = "Stored: {answer}."
KEPT = "Answers are stored as you give them. Keys 1, 2 and 3 answer, too."
DONE = "That was the last item for you. Thank you! You may go back and change answers, or close the page."
FIRST = "This is your first item."
# An answer is not said to be stored before the server says so: it may be out of reach.
# 1, 2 and 3 answer the question that has the focus, else the first without an answer, and go to the next one.
KEYS = """
element.ownerDocument.addEventListener('change', (event) => {
  const said = element.ownerDocument.querySelector('#rate-notice .kit-message');
  if (said && event.target.closest('.rating-question')) said.textContent = 'Storing ...';
});
element.ownerDocument.addEventListener('keydown', (event) => {
  const typing = event.target.closest('textarea, input:not([type=radio]), select, [contenteditable]');
  if (typing || event.ctrlKey || event.altKey || event.metaKey || !['1', '2', '3'].includes(event.key)) return;
  const page = element.ownerDocument;
  const all = [...page.querySelectorAll('.rating-question')].filter((one) => one.offsetParent !== null);
  const open = all.find((one) => !one.querySelector('input:checked'));
  const at = all.find((one) => one.contains(page.activeElement)) || open;
  if (!at) return;
  event.preventDefault();
  at.querySelectorAll('input')[Number(event.key) - 1].click();
  const next = all[all.indexOf(at) + 1];
  const inside = next && (next.querySelector('input:checked') || next.querySelector('input'));
  (inside || page.querySelector('#rate-save')).focus();
});
"""
# To the first question without an answer; of a new item, with its source in view.
TO_OPEN = """() => setTimeout(() => {
  const all = [...document.querySelectorAll('.rating-question')].filter((one) => one.offsetParent !== null);
  const open = all.find((one) => !one.querySelector('input:checked'));
  if (open) open.querySelector('input').focus({preventScroll: true});
  const far = open && open !== all[0];
  (far ? open : document.querySelector('#rate-progress')).scrollIntoView({block: far ? 'center' : 'start'});
}, 100)"""
QUICK: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}


@dataclass
class Parts:
    """The components that change with the item."""

    who: Any
    item: Any
    notice: Any
    progress: Any
    area: Any
    source: Any
    outputs: list[Any]
    radios: list[list[Any]]  # (outputs, questions)
    save: Any
    back: Any

    @property
    def all(self) -> list[Any]:
        """In the order of `_shown`."""
        flat = [radio for row in self.radios for radio in row]
        return [self.who, self.item, self.notice, self.progress, self.area, self.source, *self.outputs, *flat]


def add(desk: Desk) -> None:
    """Into the open tab."""
    import gradio as gr

    with gr.Row(equal_height=True):
        name = gr.Textbox(
            label="Your name or code",
            info="the same each time; results never show it",
            max_length=LONGEST * 20,
            scale=4,
            elem_id="rate-name",
        )
        start = gr.Button("Start", variant="primary", scale=1, min_width=120, elem_id="rate-start")
    parts = _parts(desk)

    def answered(step: Callable[..., View | None], end: str) -> Callable[..., list[Any]]:
        """An event: what is wrong becomes a sentence in the page, and nothing else changes."""

        def event(who: Any, item: Any, *values: Any) -> list[Any]:
            try:
                view = step(who, item, *values)
                return _shown(desk, str(who), view, end)
            except UserError as error:
                return _said(parts, str(error))

        return event

    def go_on(who: Any, item: Any, *values: Any) -> View | None:
        width = len(desk.study.questions)
        desk.submit(who, item, [values[at : at + width] for at in range(0, len(values), width)])
        return desk.after(who, item)

    flat = [radio for row in parts.radios for radio in row]
    known = [parts.who, parts.item]
    begin = answered(lambda who, _: desk.start(who), DONE)
    steps = (
        gr.on([start.click, name.submit], begin, [name, parts.item], parts.all, **QUICK),
        parts.save.click(answered(go_on, DONE), [*known, *flat], parts.all, **QUICK),
        parts.back.click(answered(desk.before, FIRST), known, parts.all, **QUICK),
    )
    for step in steps:
        step.then(None, js=TO_OPEN, **QUICK)
    for output, row in enumerate(parts.radios):
        for question, radio in enumerate(row):
            keep = _keep(desk, output, question)
            # a second choice while the first is on its way is sent after it, and not dropped
            radio.input(keep, [*known, radio], parts.notice, trigger_mode="always_last", **QUICK)


def _parts(desk: Desk) -> Parts:
    import gradio as gr

    who, item = gr.Textbox(visible=False), gr.Textbox(visible=False)
    progress = gr.HTML(cards.progress(None, *desk.progress()), elem_id="rate-progress")
    with gr.Column(visible=False, elem_id="rate-item") as area:
        source = gr.HTML(elem_id="rate-source", js_on_load=KEYS)
        outputs, radios = [], []
        for place in range(len(desk.study.systems)):
            with gr.Column(elem_classes="rating-card", elem_id=f"rate-output-{letter(place)}"):
                outputs.append(gr.HTML())
                with gr.Row():
                    radios.append([_radio(question, place) for question in asked(desk.study.questions)])
    notice = gr.HTML(message(WELCOME, "note"), elem_id="rate-notice")
    with gr.Row():
        back = gr.Button("Back", elem_id="rate-back")
        save = gr.Button("Save and go on", variant="primary", elem_id="rate-save")
    return Parts(who, item, notice, progress, area, source, outputs, radios, save, back)


def _radio(question: Question, output: int) -> Any:
    import gradio as gr

    levels = list(zip(SCALE, question.levels, strict=True))[::-1]
    return gr.Radio(
        [(f"{value} {words}", value) for value, words in levels],
        label=f"Output {letter(output)}: {question.title.lower()}?",
        info=question.asks,
        elem_classes="rating-question",
        min_width=220,
    )


def _keep(desk: Desk, output: int, question: int) -> Callable[..., Any]:
    """Every single answer is stored when it is given. No two sentences in a row are equal: each is shown anew."""
    import gradio as gr

    title = QUESTIONS[desk.study.questions[question]].title.lower()

    def event(who: Any, item: Any, value: Any) -> Any:
        if value is None:  # the next item came meanwhile; all of this one was stored with it
            return gr.skip()
        answer = f"Output {letter(output)}, {title}, {value}"
        try:
            desk.rate(who, item, output, question, value)
            return message(STORED.format(answer=answer), "done")
        except UserError as error:
            return message(f"{answer}: {error}")

    return event


def _shown(desk: Desk, who: str, view: View | None, said: str) -> list[Any]:
    """Values of `Parts.all`: an item, or a sentence where there is none."""
    import gradio as gr

    bar = cards.progress(view, *desk.progress())
    units = len(desk.study.units)
    if view is None:
        same = [gr.skip()] * (1 + len(desk.study.systems) + units)
        if said == FIRST:
            return [gr.skip(), gr.skip(), message(said, "note"), bar, gr.skip(), *same]
        return [who, "", message(said, "done"), bar, gr.Column(visible=False), *same]  # back leads to the last item
    texts = [cards.output(text, place) for place, text in enumerate(view.outputs)]
    values = [gr.Radio(value=value) for row in view.answers for value in row]
    return [
        who,
        view.item,
        message(KEPT, "note"),
        bar,
        gr.Column(visible=True),
        cards.source(view.source),
        *texts,
        *values,
    ]


def _said(parts: Parts, text: str) -> list[Any]:
    """Nothing changes but the sentence."""
    import gradio as gr

    return [message(text) if part is parts.notice else gr.skip() for part in parts.all]
