"""What tells the language of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class LanguageIdentifier(Protocol):
    """What a language identifier offers; `idist.critics.text_classifier.TextClassifier` does, too."""

    labels: list[str]

    def scores(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        """(N, labels) probabilities; index -> reason for texts without."""


class PackageIdentifier:
    """py3langid: 139 languages by their ISO 639 codes."""

    def __init__(self) -> None:
        from idist.models import load_language_identifier

        self._identifier = load_language_identifier()
        self.labels = list(self._identifier.labels)

    def scores(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        """(N, labels) float32; every text has a score, one without letters nearly the same for all languages."""
        column = {label: number for number, label in enumerate(self.labels)}
        scores = np.zeros((len(texts), len(self.labels)), np.float32)
        for row, text in enumerate(texts):
            for label, probability in self._identifier.rank(text):
                scores[row, column[label]] = probability
        return scores, {}
