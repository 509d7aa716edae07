"""Length ratio |y| / |x|: a summary is shorter than its source (paper appendix C.1); the authors' code bounds both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from idist.critics.base import Critic, dial


@dataclass
class LengthRatio(Critic):
    """min <= |y| / |x| < max.

    The defaults are the paper's for summaries; its inequality is strict. The authors' code asks paraphrases for 0.8 to
    1.5 in characters: ``{min: 0.8, max: 1.5}``. Tokens are words between white space. Not symmetric: pairs are judged
    in order. A pair whose x is empty has no ratio; it is removed and counted as failed.
    """

    min: float | None = dial(None, low=0.0)
    max: float | None = dial(0.8, low=0.0)
    floor: float | None = dial(None, low=0.0)  # of min
    ceiling: float | None = dial(None, low=0.0)  # of max
    unit: str = dial("characters", choices=("characters", "tokens"))

    cost = 0.001
    symmetric = False
    text_only = True
    strict: ClassVar[tuple[str, ...]] = ("max",)

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) float64, 0 or more; NaN where x is empty."""
        in_tokens = self.unit == "tokens"
        lengths = np.array([len(s.split()) if in_tokens else len(s) for s in sentences], np.float64)
        x, y = lengths[pairs[:, 0]], lengths[pairs[:, 1]]
        return np.divide(y, x, out=np.full(len(pairs), np.nan), where=x > 0)
