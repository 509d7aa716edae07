"""How it was made: the funnel of the dataset, and pairs to browse."""

from __future__ import annotations

import random
from typing import Any

from demo.judge import title
from demo.made import COUNTS, STAGES, Made, left
from space_kit.difference import marked
from space_kit.markup import escaped, message, table

SHOWN = 5  # pairs at a time
STORY = """\
A language model that reads an informative context often says the same thing twice in other words. So: let it write
contexts, continue each many times, and compare all the sentences of one context. Critics keep the few pairs that mean
the same and are put differently. A small model learns from them, paraphrases new sentences, and learns once more from
those of its own pairs that the critics keep."""


def add(made: Made | str) -> None:
    """Into the open tab. In place of a dataset a sentence: why there is none."""
    import gradio as gr

    gr.Markdown(STORY)
    if isinstance(made, str):
        gr.HTML(message(made, "note"))
        return
    kinds = {STAGES[stage]: stage for stage in made.stages}
    gr.HTML("".join(funnel(STAGES[stage], told) for stage, told in made.stages.items()))
    with gr.Row():
        kind = gr.Radio(list(kinds), value=next(iter(kinds)), label="Pairs to browse")
        button = gr.Button("Show other pairs", elem_id="made-more")
    page = gr.HTML(browse(made, next(iter(made.stages)), 0), elem_id="made-pairs")

    def others(chosen: str) -> str:
        return browse(made, kinds[chosen], random.randrange(1 << 30))

    gr.on([button.click, kind.change], others, kind, page, queue=False, api_visibility="private")


def funnel(name: str, told: dict[str, Any]) -> str:
    """What came in, and what each critic removed and left."""
    counts = ", ".join(f"{told['counts'][key]:,} {word}" for key, word in COUNTS.items() if key in told["counts"])
    rows = [
        [title(critic), f"{removed:,}", f"{remaining:,}", f"{share:.1%}"]
        for critic, removed, remaining, share in left(told["funnel"])
    ]
    head = ["critic", "removed", "left", "of all pairs"]
    return f'<p class="kit-quiet">{escaped(counts)}</p>{table(head, rows, f"{name}: what each critic removed")}'


def browse(made: Made, stage: str, seed: int) -> str:
    """Some random pairs; the same seed, the same pairs."""
    pairs = made.pairs[stage]
    chosen = random.Random(seed).sample(pairs, min(SHOWN, len(pairs)))
    return f'<div class="kit-cards" lang="en">{"".join(map(_card, chosen))}</div>'


def _card(pair: dict[str, Any]) -> str:
    source, target = marked(pair["x"], pair["y"])
    chips = "".join(f"<li><b>{escaped(score)}</b></li>" for score in _scores(pair["scores"]))
    context = "x was written by the teacher, y by the student."
    if pair["context"]:
        context = f"Context: {pair['context']}"
    return (
        f'<article class="kit-card"><p class="kit-quiet" dir="auto">{escaped(context)}</p><p dir="auto">x: {source}</p>'
        f'<p dir="auto">y: {target}</p><ul class="kit-chips" aria-label="Scores">{chips}</ul></article>'
    )


def _scores(scores: dict[str, float]) -> list[str]:
    """Those that say something of the pair alone; of the diversity critic they are the entailments again."""
    own = {name: value for name, value in scores.items() if not name.startswith("diversity")}
    return [f"{title(name)} {value:.2f}".removesuffix(".00") for name, value in own.items()]
