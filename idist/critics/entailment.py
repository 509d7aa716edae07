"""Entailment: y must follow from x, and for a paraphrase x from y (paper section 3.2; one way in section 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import Answer, Bound, Critic, dial
from idist.critics.nli import MARGIN, P

if TYPE_CHECKING:
    from idist.critics.groups import Group
    from idist.critics.loading import Models

DEFAULT_MODEL = "alisawuffles/roberta-large-wanli"  # paper, A.2


@dataclass
class Entailment(Critic):
    """p(x => y) at least ``min`` and, with ``directions: both``, p(y => x) too.

    Of the two directions, the one from the sentence with fewer tokens is asked first: a short sentence seldom entails
    a longer one. The other is asked only about pairs that passed.

    ``decide: argmax`` (the authors' code) keeps a pair if entailment is the likeliest label, whatever its probability;
    ``min`` and ``floor`` are then not used.
    """

    min: float = dial(0.75, low=0.0, high=1.0)  # paper, A.2
    floor: float | None = dial(None, low=0.0, high=1.0)
    directions: str = dial("both", choices=("both", "forward"))
    decide: str = dial("probability", choices=("probability", "argmax"))
    model: str = dial(DEFAULT_MODEL)

    cost = 10.0

    def __post_init__(self) -> None:
        self.symmetric = self.directions == "both"

    @property
    def columns(self) -> tuple[str, ...]:
        """``entailment_xy``, ``entailment_yx``: probabilities; with ``argmax`` also the lead over other labels."""
        return self.probabilities + (self._margins if self.decide == "argmax" else ())

    @property
    def probabilities(self) -> tuple[str, ...]:
        """Columns of p(x => y) and, with ``directions: both``, p(y => x)."""
        return self._sides(self.name)

    @property
    def _margins(self) -> tuple[str, ...]:
        return self._sides(f"{self.name}_margin")

    def _sides(self, score: str) -> tuple[str, ...]:
        return tuple(f"{score}_{side}" for side in (("xy", "yx") if self.symmetric else ("xy",)))

    def bounds(self) -> list[Bound]:
        if self.decide == "argmax":
            return [Bound("min", 0.0, "decide", 0.0, self._margins, strict=True)]
        return super().bounds()

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def load(self, models: Models) -> None:
        self._model = models.entailment(self.model)
        self._model.decide_at(limit for bound in self.bounds() for limit in (bound.threshold, bound.floor))

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        if not self.symmetric:
            forward = self._model.ask(batch)
            return [self._answer(group, pairs, [p]) for (group, pairs), p in zip(batch, forward, strict=True)]
        backward_first = []
        for group, pairs in batch:
            tokens = self._model.lengths(group)
            backward_first.append(tokens[pairs[:, 1]] < tokens[pairs[:, 0]])
        turned = [
            (group, np.where(turn[:, None], pairs[:, ::-1], pairs))
            for (group, pairs), turn in zip(batch, backward_first, strict=True)
        ]
        first = self._model.ask(turned)
        passed = [self._passes(answer) for answer in first]
        rest = [(group, pairs[ok, ::-1]) for (group, pairs), ok in zip(turned, passed, strict=True)]
        answers = []
        for index, answer in enumerate(self._model.ask(rest)):
            second = np.full_like(first[index], np.nan)
            second[passed[index]] = answer
            turn = backward_first[index][:, None]
            sides = [np.where(turn, second, first[index]), np.where(turn, first[index], second)]
            answers.append(self._answer(*batch[index], sides))
        return answers

    def _passes(self, answer: np.ndarray) -> np.ndarray:
        """(P,) bool, whether one direction is within the floor."""
        [bound] = self.bounds()
        return bound.within(answer[:, MARGIN if self.decide == "argmax" else P], bound.floor)

    def _answer(self, group: Group, pairs: np.ndarray, sides: list[np.ndarray]) -> Answer:
        kinds = [P, MARGIN] if self.decide == "argmax" else [P]
        scores = np.stack([side[:, kind] for kind in kinds for side in sides], axis=1)
        return Answer(scores, self._model.failures(group, np.unique(pairs)))
