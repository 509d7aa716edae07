"""Cosine similarity of sentence embeddings: ours, not the paper's; used only where a composition names it.

As a floor it spares the entailment model the pairs that are plainly about different things. That is an approximation:
it may remove pairs that entail each other. `benchmarks/similarity_floor.py` measures how many of a run's, for how many
calls saved; docs/critics.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import Answer, Critic, dial

if TYPE_CHECKING:
    from idist.critics.groups import Group
    from idist.critics.loading import Models

TOLERANCE = 1e-5


@dataclass
class Similarity(Critic):
    """Cosine of the mean token vectors of an encoder, at least ``min`` and at most ``max``."""

    min: float | None = dial(0.5, low=-1.0, high=1.0)
    max: float | None = dial(None, low=-1.0, high=1.0)
    floor: float | None = dial(None, low=-1.0, high=1.0)  # of min
    ceiling: float | None = dial(None, low=-1.0, high=1.0)  # of max
    model: str = dial("sentence-transformers/all-MiniLM-L6-v2")

    cost = 0.1  # an embedding is shared by a sentence's pairs

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def load(self, models: Models) -> None:
        self._encoder = models.encoder(self.model)

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        used = [np.unique(pairs) for _, pairs in batch]
        texts = [group.sentences[n] for (group, _), indices in zip(batch, used, strict=True) for n in indices]
        vectors, reasons = self._encoder.embed(texts)
        answers = []
        start = 0
        for (group, pairs), indices in zip(batch, used, strict=True):
            here = slice(start, start + len(indices))
            rows = np.searchsorted(indices, pairs)  # (P, 2) rows of `vectors[here]`
            cosines = _cosines(vectors[here], rows)
            self._settle(group, pairs, cosines)
            failures = {int(indices[row - start]): reasons[row] for row in reasons if here.start <= row < here.stop}
            answers.append(Answer(cosines[:, None], failures))
            start = here.stop
        return answers

    def _settle(self, group: Group, pairs: np.ndarray, cosines: np.ndarray) -> None:
        """Embed sentences one at a time where the last digits of a batch could turn a decision."""
        limits = {limit for bound in self.bounds() for limit in (bound.threshold, bound.floor)}
        near = np.zeros(len(pairs), bool)
        for limit in limits:
            near |= np.abs(cosines - limit) <= TOLERANCE
        if near.any():
            indices = np.unique(pairs[near])
            vectors, _ = self._encoder.embed([group.sentences[n] for n in indices], alone=True)
            cosines[near] = _cosines(vectors, np.searchsorted(indices, pairs[near]))


def _cosines(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(P,) products of unit vectors, summed in the same way however many pairs there are."""
    return (vectors[rows[:, 0]].astype(np.float64) * vectors[rows[:, 1]]).sum(axis=1)
