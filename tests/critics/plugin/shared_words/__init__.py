"""A critic of another package: x and y must share words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idist.critics import Critic, dial


@dataclass
class SharedWords(Critic):
    """Number of different words that x and y share."""

    min: int = dial(1, low=0)
    floor: int | None = dial(None, low=0)

    cost = 0.01
    text_only = True

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) whole numbers."""
        words = [set(sentence.lower().split()) for sentence in sentences]
        return np.array([len(words[i] & words[j]) for i, j in pairs], np.float64)
