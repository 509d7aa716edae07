"""Language identification: x in one language and y in another, for translation (the paper's last section).

By default the package py3langid tells the language, a small model of character n-grams that needs no network. A
sentence of two or three words says little about its language, and falls short of the default ``min``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist._schema import nearest
from idist.critics.base import Answer, Critic, dial
from idist.critics.sentence import rate_sentences
from idist.errors import UserError
from idist.models import PACKAGES

if TYPE_CHECKING:
    from idist.critics.groups import Group
    from idist.critics.loading import Models


@dataclass
class Language(Critic):
    """Probability that x is in the language ``x`` and y in the language ``y``, each at least ``min``.

    Languages are named as the model names them (py3langid: ISO 639 codes, ``en``, ``fr``); one of the two may be left
    out. ``model`` may also be a classifier of the Hub whose labels are languages.

    With the same language for both sides the critic is symmetric; otherwise pairs are judged in order.
    """

    x: str | None = dial(None)
    y: str | None = dial(None)
    min: float = dial(0.5, low=0.0, high=1.0)  # ours: likelier than all other languages together
    floor: float | None = dial(None, low=0.0, high=1.0)
    model: str = dial("py3langid")

    cost = 0.01  # once a sentence, by table look-ups

    def __post_init__(self) -> None:
        self.symmetric = self.x == self.y
        if self.model not in PACKAGES:
            self.cost = 0.2  # of a classifier

    @property
    def columns(self) -> tuple[str, ...]:
        """``language_x`` and ``language_y``, as far as they are asked for; if symmetric the lower of the two alone."""
        if self.symmetric:
            return (self.name,)
        sides = {"x": self.x, "y": self.y}
        return tuple(f"{self.name}_{side}" for side, language in sides.items() if language is not None)

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def configure(self, composition: Sequence[Critic], judged_once: bool) -> None:
        """Raises UserError: no language to look for."""
        if self.x is None and self.y is None:
            raise UserError(f"{self.name} has neither x nor y, expected a language for at least one of them.")

    def load(self, models: Models) -> None:
        """Raises UserError: a language that the model does not know."""
        self._identifier = models.identifier(self.model)
        wanted = [(side, language) for side, language in enumerate((self.x, self.y)) if language is not None]
        self._sides = [side for side, _ in wanted]
        self._wanted = [self._label(language) for _, language in wanted]

    def _label(self, language: str) -> int:
        labels = self._identifier.labels
        found = [index for index, label in enumerate(labels) if label.lower() == language.lower()]
        if not found:
            raise UserError(f"{self.name}: {self.model} knows no language {language!r}; {nearest(language, labels)}")
        return found[0]

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        answers = []
        rated = rate_sentences(batch, self._sides, self._rate, self.bounds())
        for (_, pairs), (values, failures) in zip(batch, rated, strict=True):
            scores = np.stack([values[pairs[:, side], n] for n, side in enumerate(self._sides)], axis=1)
            answers.append(Answer(scores.min(axis=1, keepdims=True) if self.symmetric else scores, failures))
        return answers

    def _rate(self, texts: Sequence[str], alone: bool) -> tuple[np.ndarray, dict[int, str]]:
        """(N, sides) probabilities of the language that each side should have."""
        scores, reasons = self._identifier.scores(texts, alone)
        return scores[:, self._wanted], reasons
