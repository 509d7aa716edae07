"""The beginning of the source: the oldest baseline of summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from eval_harness.systems.base import System
from eval_harness.tasks.base import Example
from idist.errors import UserError


@dataclass
class Lead(System):
    """The first words or characters of the source, by default 75 characters.

    Gigaword's published leads are these: its 1,951 test sentences, cut after 75 characters even within a word, give
    ROUGE-1/2/L F1 of 23.69/7.94/21.52 with stemming (published as Lead-75C: 23.69/7.93/21.5), and ``words=8`` gives
    21.30/7.35/19.95 (Lead-8: 21.30/7.34/19.94; Zhou and Rush 2019, table of Gigaword results).

    Attributes:
        words: so many, separated by single spaces.
        characters: so many; either words or characters.
    """

    words: int | None = None
    characters: int | None = None

    keeps_cache: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.words is not None and self.characters is not None:
            raise UserError(f"lead has words={self.words} and characters={self.characters}, expected one of them.")
        if self.words is None and self.characters is None:
            self.characters = 75
        for name in ("words", "characters"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"lead: {name} is {value}, expected 1 or more.")

    def settings(self) -> dict[str, Any]:
        """The one that is set."""
        return {name: value for name, value in super().settings().items() if value is not None}

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Beginnings; a source that is shorter comes back whole."""
        if self.words is not None:
            return [" ".join(example.source.split()[: self.words]) for example in examples]
        return [example.source[: self.characters].strip() for example in examples]
