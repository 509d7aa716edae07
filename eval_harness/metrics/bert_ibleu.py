"""BERT-iBLEU (Niu et al., 2021): close in meaning to the source, far from it in words. Needs no reference.

Per sentence ((beta / B + 1 / (1 - b)) / (beta + 1))^-1, with B the BERTScore F1 and b the sentence BLEU of the
prediction, both against the *source*; then the mean. Copying gives b = 1 and so 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.backbone import DEFAULT_BACKBONE
from eval_harness.metrics.base import PROTOCOLS, Examples, Floats, Metric
from eval_harness.metrics.bertscore import BertScore
from eval_harness.metrics.bleu import SelfBleu
from idist.critics import dial
from idist.errors import UserError


@dataclass
class BertIBleu(Metric):
    """BERT-iBLEU in 0..100: like the source in meaning, unlike it in words; 0 for a copy.

    ``protocol`` names the sentence BLEU inside it; ``model`` and ``num_layers`` are as in `BertScore`; ``beta`` is
    the weight of BERTScore, above 0.
    """

    protocol: str = dial("paper", choices=PROTOCOLS)
    model: str = dial(DEFAULT_BACKBONE)
    num_layers: int | None = dial(None, low=1)
    beta: float = dial(4.0, low=0.0)
    device: str = dial("auto")

    name = "bert_ibleu"
    title = "BERT-iBLEU"

    def __post_init__(self) -> None:
        """Raises UserError for another protocol, or beta not above 0."""
        super().__post_init__()
        if self.beta == 0.0:
            raise UserError("BERT-iBLEU: beta is 0, expected a number above 0.")
        self._self_bleu = SelfBleu(self.protocol)
        self._bertscore = BertScore(self.model, self.num_layers, "sources", self.device)

    def signature(self) -> str:
        """beta, the backbone, the sentence BLEU."""
        return f"beta:{self.beta:g}|{self._bertscore.signature()}|self-bleu:{self._self_bleu.sentence_signature()}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): BERT-iBLEU in 0..100 of each example."""
        self_bleu = self._self_bleu.sentence_scores(self._self_bleu.counts(examples))
        similarity = self._bertscore.statistics(examples)[:, 0]
        return 100.0 * harmonic(similarity / 100.0, self_bleu / 100.0, self.beta)[:, None]


def harmonic(similarity: Floats, self_bleu: Floats, beta: float) -> Floats:
    """Weighted harmonic mean of B (weight beta) and 1 - b (weight 1), all (n,) in 0..1; 0 where either is 0."""
    difference = 1.0 - self_bleu
    defined = (similarity > 0.0) & (difference > 0.0)
    inverse = beta / np.where(defined, similarity, 1.0) + 1.0 / np.where(defined, difference, 1.0)
    return np.where(defined, (beta + 1.0) / inverse, 0.0)
