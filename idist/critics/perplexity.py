"""Perplexity under a causal LM: text that a language model finds unlikely is seldom fluent. Not in the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import dial
from idist.critics.sentence import SentenceCritic

if TYPE_CHECKING:
    from idist.critics.loading import Models


@dataclass
class Perplexity(SentenceCritic):
    """exp of the mean negative log-probability of a sentence's tokens, at most ``max`` and at least ``min``.

    Perplexities of models with different vocabularies are not comparable: there is no threshold by default, the
    perplexity is then only recorded. ``min`` removes text that the model knows by heart, or that repeats itself.
    """

    min: float | None = dial(None, low=1.0)
    max: float | None = dial(None, low=1.0)
    floor: float | None = dial(None, low=1.0)  # of min
    ceiling: float | None = dial(None, low=1.0)  # of max
    model: str = dial("gpt2-xl")  # the paper's teacher for general text

    cost = 0.4  # a large model, but once a sentence

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def load(self, models: Models) -> None:
        self._model = models.likelihood(self.model)

    def rate(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        tokens, reasons = self._model.tokens(texts)
        asked = [n for n in range(len(texts)) if n not in reasons]
        values = np.full(len(texts), np.nan)
        sums = self._model.log_p([([], tokens[n]) for n in asked], alone)
        with np.errstate(over="ignore"):
            values[asked] = np.exp(-sums / np.array([len(tokens[n]) for n in asked]))
        return values, reasons
