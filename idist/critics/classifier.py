"""Any sequence classifier of the Hub: toxicity and bias (the paper's last section), formality, fluency.

Several of them in one composition get names of their own: ``- toxicity: {kind: classifier, model: ...}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import dial
from idist.critics.sentence import SentenceCritic
from idist.errors import UserError

if TYPE_CHECKING:
    from idist.critics.loading import Models


@dataclass
class Classifier(SentenceCritic):
    """Probability of ``label`` at least ``min`` and at most ``max``; without either, it is only recorded.

    ``label`` may be left out where the model has one label only. A regression has no probability: its output is
    compared as it is.
    """

    model: str = field(kw_only=True)
    label: str | None = dial(None)
    min: float | None = dial(None)
    max: float | None = dial(None)
    floor: float | None = dial(None)  # of min
    ceiling: float | None = dial(None)  # of max

    cost = 0.2  # a score is shared by a sentence's pairs

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def load(self, models: Models) -> None:
        """Raises UserError: model or label not found, or a threshold that no probability has."""
        self._classifier = models.classifier(self.model)
        try:
            self._label = self._classifier.label(self.label)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from None
        for bound in self.bounds():
            for setting, limit in ((bound.setting, bound.threshold), (bound.floor_setting, bound.floor)):
                if self._classifier.is_probability and not 0 <= limit <= 1:
                    raise UserError(f"{self.name}.{setting} is {limit:g}, expected a probability from 0 to 1.")

    def rate(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        scores, reasons = self._classifier.scores(texts, alone)
        return scores[:, self._label], reasons
