"""A task, a metric and a system of another package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.systems.base import System
from eval_harness.tasks.base import Example
from idist.critics import dial

PROVERBS = Path(__file__).parent / "proverbs.yaml"


@dataclass
class WordOverlap(Metric):
    """Words that prediction and source share, of all words in either, in 0..100."""

    shortest: int = dial(1, low=1)  # letters of a word that counts

    name = "word_overlap"
    title = "word overlap"

    def signature(self) -> str:
        """The one setting."""
        return f"shortest:{self.shortest}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 2): shared words, all words."""
        rows = []
        for prediction, source in zip(examples.predictions, examples.sources, strict=True):
            first, second = self._words(prediction), self._words(source)
            rows.append((len(first & second), len(first | second)))
        return np.array(rows, np.float64)

    def from_sums(self, sums: Floats, n: int) -> Floats:
        """(..., 2) -> (...): one share of all examples together."""
        return 100.0 * sums[..., 0] / np.maximum(sums[..., 1], 1.0)

    def _words(self, text: str) -> set[str]:
        return {word for word in text.lower().split() if len(word) >= self.shortest}


@dataclass
class Shout(System):
    """The source in capitals."""

    mark: str = "!"

    def predict(self, examples: Sequence[Example]) -> list[str]:
        """Capitals, and the mark."""
        return [example.source.upper() + self.mark for example in examples]
