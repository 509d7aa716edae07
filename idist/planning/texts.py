"""Sentences of a wanted length for measuring, where the teacher that would write them is not here."""

from __future__ import annotations

import random

_WHO = ("the mayor", "a young reporter", "the old company", "a group of farmers", "her brother", "the committee")
_DOES = ("opened the new bridge", "sold two houses", "waited for an answer", "lost the case", "paid the workers")
_WHERE = ("in the city", "near the coast", "after the election", "last winter", "without a word", "before the storm")
_JOINS = ("and", "while", "because", "although", "but")


def sentences(count: int, words: float, seed: int = 0) -> list[str]:
    """Different sentences of about ``words`` words."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        written = " ".join(_clause(rng))
        while len(written.split()) < words:
            written += f" {rng.choice(_JOINS)} {' '.join(_clause(rng))}"
        kept = written.split()[: max(4, round(words) + rng.randint(-2, 2))]
        text = " ".join(kept)
        found[f"{text[0].upper()}{text[1:]} {len(found)}."] = None
    return list(found)


def _clause(rng: random.Random) -> list[str]:
    return f"{rng.choice(_WHO)} {rng.choice(_DOES)} {rng.choice(_WHERE)}".split()
