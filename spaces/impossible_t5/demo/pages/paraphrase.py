"""The first page: a sentence, said otherwise."""

from __future__ import annotations

from demo.pages.results import dials, results, sentence_box
from demo.studio import Studio

EXAMPLES = [
    "A man is playing the guitar on a street corner.",
    "Two dogs are running through the snow.",
    "A woman in a red coat is waiting for the bus.",
    "Several people are standing in front of a large building.",
]


def add(studio: Studio) -> None:
    """Into the open tab."""
    box = sentence_box("paraphrase", EXAMPLES)
    results(studio, "paraphrase", box, dials("paraphrase"), "Paraphrase")
