"""BERTScore F1 (Zhang et al., 2020) as bert-score computes it: no idf weights, no baseline rescaling.

The paper names no backbone, so the backbone is a parameter and part of every signature. Offline it is
``embedded:encoder``; ``roberta-large`` is bert-score's default for English, ``microsoft/deberta-large-mnli`` its best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.backbone import DEFAULT_BACKBONE, Backbone, backbone
from eval_harness.metrics.base import Examples, Floats, Metric
from idist.critics import dial


@dataclass
class BertScore(Metric):
    """Mean BERTScore F1 times 100, against the references (the best of them) or against the sources.

    ``model``: Hub id, ``embedded:NAME`` or a local folder; ``num_layers``: which hidden layer to compare, which may be
    left out for the models in bert-score's own table and for ``embedded:encoder``.
    """

    model: str = dial(DEFAULT_BACKBONE)
    num_layers: int | None = dial(None, low=1)
    against: str = dial("references", choices=("references", "sources"))
    device: str = dial("auto")

    name = "bertscore"
    title = "BERTScore"

    def __post_init__(self) -> None:
        """Raises UserError for another ``against``, or a number of layers below 1."""
        super().__post_init__()
        self.needs = frozenset({"references"} if self.against == "references" else ())

    def signature(self) -> str:
        """What is compared with, and the backbone's."""
        return f"against:{self.against}|{backbone(self.model, self.num_layers, self.device).signature()}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): F1 in 0..100 of each example."""
        targets = examples.targets("sources" if self.against == "sources" else "references")
        encoder = backbone(self.model, self.num_layers, self.device)
        return 100.0 * best_f1(encoder, examples.predictions, targets)[:, None]


def best_f1(encoder: Backbone, predictions: list[str], targets: list[list[str]]) -> Floats:
    """(n,) BERTScore F1 in 0..1 of each prediction with the nearest of its targets, of which each has one or more."""
    flat = [(prediction, t) for prediction, ts in zip(predictions, targets, strict=True) for t in ts]
    scores = encoder.f1([p for p, _ in flat], [t for _, t in flat])
    starts = np.cumsum([0] + [len(ts) for ts in targets[:-1]])
    return np.maximum.reduceat(scores, starts)
