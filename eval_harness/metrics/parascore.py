"""ParaScore (Shen et al., 2022): similarity to the nearer of source and reference, and some pay for rewording.

Per example max(Sim(X, C), Sim(R, C)) + omega * DS(X, C): X source, C prediction, R reference; Sim is BERTScore F1; DS
rises with the normalized edit distance d of X and C (characters, by the longer text) in a straight line from -1 at
d = 0 to gamma at d = gamma, and stays there: rewording everything is worth no more than rewording enough. The authors'
constants are omega = 0.05 and gamma = 0.35. Without references Sim(X, C) alone remains (their reference-free form).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.backbone import DEFAULT_BACKBONE, backbone
from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.metrics.bertscore import best_f1
from idist.critics import dial
from idist.errors import UserError


@dataclass
class ParaScore(Metric):
    """ParaScore, similarity and some pay for rewording, in -100 omega .. 100 (1 + omega gamma); 0 if empty.

    ``against``: ``both``, the source and all references that an example has, or ``sources``, the reference-free form.
    ``model`` and ``num_layers`` are as in `BertScore`. A copy scores 100 (1 - omega).
    """

    model: str = dial(DEFAULT_BACKBONE)
    num_layers: int | None = dial(None, low=1)
    against: str = dial("both", choices=("both", "sources"))
    omega: float = dial(0.05, low=0.0)
    gamma: float = dial(0.35, low=0.0, high=1.0)
    device: str = dial("auto")

    name = "parascore"
    title = "ParaScore"

    def __post_init__(self) -> None:
        """Raises UserError for settings out of range."""
        super().__post_init__()
        if self.gamma == 0.0:
            raise UserError("ParaScore: gamma is 0, expected a number above 0.")

    def signature(self) -> str:
        """Both constants, what is compared with, the backbone."""
        against = "source-and-references" if self.against == "both" else "source"
        encoder = backbone(self.model, self.num_layers, self.device).signature()
        return f"omega:{self.omega:g}|gamma:{self.gamma:g}|against:{against}|{encoder}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): ParaScore times 100 of each example."""
        references = examples.references if self.against == "both" else [[] for _ in examples.sources]
        targets = [[source, *more] for source, more in zip(examples.sources, references, strict=True)]
        similarity = best_f1(backbone(self.model, self.num_layers, self.device), examples.predictions, targets)
        scores = similarity + self.omega * divergence(examples.predictions, examples.sources, self.gamma)
        empty = np.array([not prediction.strip() for prediction in examples.predictions])
        return 100.0 * np.where(empty, 0.0, scores)[:, None]


def divergence(predictions: list[str], sources: list[str], gamma: float) -> Floats:
    """(n,) DS in -1..gamma: (d (1 + gamma) / gamma) - 1 up to d = gamma, gamma beyond."""
    from rapidfuzz.distance import Levenshtein

    rows = zip(predictions, sources, strict=True)
    distance = np.array([Levenshtein.normalized_distance(p.strip(), s.strip()) for p, s in rows])
    return np.where(distance < gamma, distance * (1.0 + gamma) / gamma - 1.0, gamma)
