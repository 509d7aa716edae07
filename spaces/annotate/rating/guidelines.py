"""What raters read before they begin: what each question means, and sentences that were rated for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval_harness.human.questions import FAITHFUL_SUMMARY, QUESTIONS, SCALE, Question, asked
from space_kit.markup import escaped, table

INTRODUCTION = (
    "Each item shows one source sentence and several outputs. Rate every output by itself, on every question. The "
    "order of the outputs is random and says nothing: the same system may be A now and C next. Two outputs may be "
    "equal; give them equal answers."
)
RULES = (
    "Answer each question alone. A sentence can be perfect English and say something else, or be broken and say all.",
    "Go by the source, not by what you know: an output that adds a true fact is not faithful.",
    "Use 3 when nothing is wanting and 1 when the output fails. 2 is for what lies between, not for doubt.",
    "You may go back and change answers at any time. Every answer is stored as you give it.",
)


@dataclass(frozen=True)
class Worked:
    """One output, rated for the reader under one question."""

    source: str
    output: str
    value: int
    why: str


BUS = "A woman in a red coat is waiting for the bus."
DOGS = "Two dogs are running through the snow."
STORM = (
    "After the storm had torn down a part of the old bridge, the city closed the road and asked drivers to take the "
    "ferry until spring."
)
WORKED = {
    QUESTIONS["fluency"]: (
        Worked(DOGS, "A pair of dogs runs across the snow.", 3, "Nobody would stumble over it."),
        Worked(DOGS, "Two dog is running through the snow.", 2, "A mistake, and yet clear at once."),
        Worked(DOGS, "Snow through dogs the run two two.", 1, "The words are there, a sentence is not."),
    ),
    QUESTIONS["faithfulness"]: (
        Worked(BUS, "A lady wearing red waits for her bus to come.", 3, "The same person does the same thing."),
        Worked(BUS, "A woman is waiting for the bus.", 2, "The red coat is lost; what is left is true."),
        Worked(BUS, "A woman in a red coat has missed the bus.", 1, "It says something that the source does not."),
    ),
    QUESTIONS["dissimilarity"]: (
        Worked(BUS, "Dressed in red, a lady stands at the bus stop.", 3, "Other words, built in another way."),
        Worked(BUS, "A lady in a red coat is waiting for a bus.", 2, "Two words differ, the rest is the same."),
        Worked(BUS, "A woman in a red coat waits for the bus.", 1, "Hardly anything has changed."),
    ),
    FAITHFUL_SUMMARY: (
        Worked(STORM, "The city closed the road at a damaged bridge.", 3, "Much is left out, nothing is wrong."),
        Worked(STORM, "The city closed a damaged bridge until summer.", 2, "One detail is wrong: until spring."),
        Worked(STORM, "The city is building a new bridge.", 1, "The source says nothing of the kind."),
    ),
    QUESTIONS["conciseness"]: (
        Worked(STORM, "The city closed a storm-damaged bridge until spring.", 3, "Short, and the point is in it."),
        Worked(
            STORM,
            "After a storm tore down a part of the bridge, the city closed the road and asked drivers to use a ferry.",
            2,
            "The point is there, with details that could go.",
        ),
        Worked(STORM, STORM, 1, "Nothing was left out."),
    ),
}


def guidelines(questions: Sequence[str]) -> str:
    """The page's HTML: rules, then each question with its scale and rated sentences."""
    rules = "".join(f"<li>{escaped(rule)}</li>" for rule in RULES)
    parts = "".join(map(_question, asked(questions)))
    return f'<div class="rating-guide"><p>{escaped(INTRODUCTION)}</p><ul>{rules}</ul>{parts}</div>'


def _question(question: Question) -> str:
    levels = "".join(
        f"<li><b>{value}</b> {escaped(words)}</li>" for value, words in zip(SCALE, question.levels, strict=True)
    )
    rows = [[one.source, one.output, str(one.value), one.why] for one in WORKED[question]]
    examples = table(["source", "output", "answer", "why"], rows, f"{question.title}: sentences rated for you", 4)
    return (
        f"<h2>{escaped(question.title)}: {escaped(question.asks)}</h2>"
        f'<ul class="kit-chips" aria-label="Answers">{levels}</ul>{examples}'
    )
