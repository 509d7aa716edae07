"""Critics as another package would have them: one that works, one whose model is never there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idist.critics import Critic, dial
from idist.errors import UserError


@dataclass
class Quick(Critic):
    """Number of words of x."""

    min: int = dial(1, low=0)

    cost = 0.01

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) whole numbers."""
        return np.array([len(sentences[i].split()) for i, _ in pairs], np.float64)


@dataclass
class Broken(Critic):
    """Needs what is not here."""

    min: int = dial(1, low=0)

    cost = 250.0

    def load(self, models: object) -> None:
        raise UserError("Its server does not answer.")
