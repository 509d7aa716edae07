"""A study for trying the page: bundled sentences with outputs that are good and bad in ways that are easy to see."""

from __future__ import annotations

from eval_harness.human.questions import BY_PURPOSE
from eval_harness.human.study import Item, Study
from eval_harness.registry import discover

TASK = "scenes"
ITEMS = 8
PEOPLE = 3
ABOUT = {
    "reference": "what a person wrote",
    "copy-input": "the source as it is: not dissimilar",
    "other-reference": "what a person wrote of another source: not faithful",
    "every-second-word": "every second word is missing: not fluent",
}


def practice_study() -> Study:
    """The first sentences of the bundled task `scenes`, with four systems that need no model."""
    task = discover().task(TASK)
    data = task.load()
    some = data.examples[:ITEMS]
    items = []
    for number, example in enumerate(some):
        other = some[(number + 1) % len(some)]
        outputs = (
            example.references[0],
            example.source,
            other.references[0],
            " ".join(example.references[0].split()[::2]),
        )
        named = dict(zip(ABOUT, outputs, strict=True))
        items.append(Item(example.id, example.source, example.references, example.exemplar, named))
    about = {name: {"name": name, "spec": name, "settings": {"made": text}} for name, text in ABOUT.items()}
    told = {"name": task.name, "purpose": task.purpose, "origin": data.origin}
    return Study("Practice", True, 0, PEOPLE, BY_PURPOSE[task.purpose], told, about, tuple(items))
