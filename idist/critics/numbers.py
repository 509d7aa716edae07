"""Numbers agree: every number in y must occur in x (the authors' code; the paper does not mention it)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idist.critics.base import Critic, dial


@dataclass
class Numbers(Critic):
    """Different numbers of y that x does not have: at most ``max``. Not symmetric: pairs are judged in order."""

    max: int = dial(0, low=0)
    floor: int | None = dial(None, low=0)

    cost = 0.002
    symmetric = False
    text_only = True

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) whole numbers, 0 or more."""
        from idist.text import numbers_in

        found = [set(numbers_in(sentence)) for sentence in sentences]
        return np.array([len(found[y] - found[x]) for x, y in pairs], np.float64)
