"""Sentence summaries."""

from __future__ import annotations

from demo.pages.results import dials, results, sentence_box
from demo.studio import Studio

EXAMPLES = [
    "A man in a blue shirt and a straw hat is playing the guitar on a street corner near a small shop.",
    "Two brown dogs with red collars are running through the deep snow behind an old wooden house.",
]


def add(studio: Studio) -> None:
    """Into the open tab."""
    box = sentence_box("summary", EXAMPLES)
    results(studio, "summary", box, dials("summary"), "Summarize")
