"""iBLEU (Sun and Zhou, 2012): alpha * BLEU(y, references) - (1 - alpha) * BLEU(y, x).

alpha = 0.7: the paper does not say, but its copy-input rows admit no other value (0.7 * 44.4 - 0.3 * 100 = 1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.base import PROTOCOLS, Examples, Floats, Metric
from eval_harness.metrics.bleu import Bleu, SelfBleu
from idist.critics import dial


@dataclass
class IBleu(Metric):
    """iBLEU, alpha BLEU - (1 - alpha) self-BLEU, in -100 (1 - alpha) .. 100 alpha; ``protocol`` as in `Bleu`."""

    protocol: str = dial("paper", choices=PROTOCOLS)
    alpha: float = dial(0.7, low=0.0, high=1.0)

    name = "ibleu"
    title = "iBLEU"
    needs = frozenset({"references"})

    def __post_init__(self) -> None:
        """Raises UserError for another protocol, or alpha outside 0..1."""
        super().__post_init__()
        self._bleu, self._self_bleu = Bleu(self.protocol), SelfBleu(self.protocol)

    def signature(self) -> str:
        """alpha and the BLEU below it."""
        return f"alpha:{self.alpha:g}|{self._bleu.signature()}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 2s): BLEU's statistics against the references, then against the source."""
        return np.concatenate([self._bleu.statistics(examples), self._self_bleu.statistics(examples)], axis=1)

    def from_sums(self, sums: Floats, n: int) -> Floats:
        """(..., 2s) -> (...)."""
        reference, source = np.split(sums, 2, axis=-1)
        return self._combine(self._bleu.from_sums(reference, n), self._self_bleu.from_sums(source, n))

    def per_example(self, statistics: Floats) -> Floats:
        """(n, 2s) -> (n,), from sentence BLEU."""
        reference, source = np.split(statistics, 2, axis=-1)
        return self._combine(self._bleu.per_example(reference), self._self_bleu.per_example(source))

    def _combine(self, reference: Floats, source: Floats) -> Floats:
        return self.alpha * reference - (1.0 - self.alpha) * source
