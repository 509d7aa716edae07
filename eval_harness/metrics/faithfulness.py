"""Faithfulness: does the prediction follow from its source? Entailment, as the critics of the pipeline judge it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from eval_harness.metrics.base import Examples, Floats, Metric
from eval_harness.metrics.models import describe, entailment_model
from idist.critics import dial


@dataclass
class Faithfulness(Metric):
    """Mean probability that the source entails the prediction times 100 (with ``threshold``: share at or above it).

    0 for a prediction without any letter or digit, which says nothing; 100 for a copy, entailed by definition.
    ``model``: a sequence-pair classifier with an entailment label; the paper's critic is
    ``alisawuffles/roberta-large-wanli``, its threshold 0.75.
    """

    model: str = dial("embedded:entailment")
    threshold: float | None = dial(None, low=0.0, high=1.0)
    device: str = dial("auto")

    name = "faithfulness"
    title = "Faithfulness"

    def signature(self) -> str:
        """Which score, model, library."""
        score = "mean-probability" if self.threshold is None else f"share-at-least-{self.threshold:g}"
        library = f"transformers:{version('transformers')}"
        return f"score:{score}|source-entails-prediction|model:{describe(self.model)}|{library}"

    def statistics(self, examples: Examples) -> Floats:
        """(n, 1): 100 * probability of each example, or 100 and 0 by the threshold."""
        rows = [(s.strip(), p.strip()) for s, p in zip(examples.sources, examples.predictions, strict=True)]
        asked = [(source, said) for source, said in dict.fromkeys(rows) if source != said and _says_something(said)]
        probabilities = dict(zip(asked, self._ask(asked), strict=True))
        copies = {row: 1.0 for row in rows if row[0] == row[1] and _says_something(row[1])}
        known = probabilities | copies
        values = np.array([known.get(row, 0.0) for row in rows])
        return 100.0 * (values if self.threshold is None else values >= self.threshold).astype(np.float64)[:, None]

    def _ask(self, rows: list[tuple[str, str]]) -> list[float]:
        """Probability of each (premise, hypothesis); 0 where one of them cannot be tokenized."""
        from idist.critics import Group
        from idist.critics.nli import P

        if not rows:
            return []
        model = entailment_model(self.model, self.device)
        if self.threshold is not None:
            model.decide_at([self.threshold])
        forward = np.array([[0, 1]])
        batch = [(Group(f"{number}", list(row)), forward) for number, row in enumerate(rows)]
        return np.nan_to_num([answer[0, P] for answer in model.ask(batch)]).tolist()


def _says_something(text: str) -> bool:
    """Whether there is a letter or digit of any script: without a token, an entailment model finds all entailed."""
    return any(character.isalnum() for character in text)
