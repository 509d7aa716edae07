"""Pointwise mutual information of a text and its summary, after InfoSumm (Jung et al., arXiv 2403.13780).

InfoSumm asks that a summary y carry much information about its document x in few words, PMI(x; y) under a bound on
length, and judges saliency, faithfulness and brevity by critics made from it. Both ratios below are PMI(x; y); under a
model they are two estimates of it, one for each of the first two critics:

    saliency      log p(x | y) - log p(x)    the summary lets one guess the document
    faithfulness  log p(y | x) - log p(y)    the document lets one guess the summary

Brevity is `length_ratio`. Ours: a causal LM gives the probabilities (the paper: a masked one, T5-large); one space
stands between the two texts; thresholds and ``per``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import Answer, Critic, dial
from idist.critics.sentence import is_near

if TYPE_CHECKING:
    from idist.critics.groups import Group
    from idist.critics.likelihood import CausalLikelihood
    from idist.critics.loading import Models


@dataclass
class PMI(Critic):
    """Pointwise mutual information of x and y in nats, at least ``min`` and at most ``max``.

    ``per: token`` divides by the number of tokens of the text that is guessed (x for saliency, y for faithfulness), so
    that one threshold serves long and short texts. Not symmetric: pairs are judged in order. A text that is longer
    than the model reads has no score; where only the two together are, the one that is given loses its beginning.
    """

    aspect: str = dial("saliency", choices=("saliency", "faithfulness"))
    min: float | None = dial(0.0)  # ours: above 0 the one makes the other likelier
    max: float | None = dial(None)
    floor: float | None = dial(None)  # of min
    ceiling: float | None = dial(None)  # of max
    per: str = dial("pair", choices=("pair", "token"))
    model: str = dial("gpt2-xl")  # the paper's teacher for general text

    cost = 30.0  # a pass through a large model for every pair
    symmetric = False

    def model_names(self) -> dict[str, str]:
        return {"model": self.model}

    def load(self, models: Models) -> None:
        self._model = models.likelihood(self.model)

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        if not batch:
            return []
        sides = [1, 0] if self.aspect == "saliency" else [0, 1]  # the given, the guessed
        index = _Index(self._model)
        asked = [index.rows(group, pairs[:, sides]) for group, pairs in batch]
        wanted = np.unique(np.concatenate(asked), axis=0)
        wanted = wanted[~index.failed(wanted)]
        scores = self._scores(index, wanted, alone=False)
        near = np.flatnonzero(is_near(scores, self.bounds()))
        if len(near):
            scores[near] = self._scores(index, wanted[near], alone=True)
        known = {(int(given), int(guessed)): score for (given, guessed), score in zip(wanted, scores, strict=True)}
        answers = []
        for (group, pairs), rows in zip(batch, asked, strict=True):
            values = np.array([known.get((given, guessed), np.nan) for given, guessed in rows.tolist()])
            answers.append(Answer(values[:, None], index.failures(group, np.unique(pairs))))
        return answers

    def _scores(self, index: _Index, wanted: np.ndarray, alone: bool) -> np.ndarray:
        """(W,) for (W, 2) text numbers, given and guessed."""
        guessed, row = np.unique(wanted[:, 1], return_inverse=True)
        prior = self._model.log_p([([], index.guessed[n]) for n in guessed], alone)
        posterior = self._model.log_p([(index.given[a], index.guessed[b]) for a, b in wanted], alone)
        gained = posterior - prior[row]
        if self.per == "token":
            gained /= np.array([len(index.guessed[b]) for b in wanted[:, 1]])
        return gained


class _Index:
    """Tokens of the distinct sentences of a batch of groups, alone and after a space."""

    def __init__(self, model: CausalLikelihood) -> None:
        self._model = model
        self._numbers: dict[str, int] = {}
        self.given: list[list[int]] = []
        self.guessed: list[list[int]] = []
        self._reasons: dict[int, str] = {}

    def rows(self, group: Group, pairs: np.ndarray) -> np.ndarray:
        """(P, 2) numbers of the texts of a group's pairs."""
        used = np.unique(pairs)
        new = [s for s in dict.fromkeys(group.sentences[n] for n in used) if s not in self._numbers]
        start = len(self._numbers)
        self._numbers.update({text: start + n for n, text in enumerate(new)})
        # A space before the guessed text, whether something is given or not: what is compared are the same tokens.
        for texts, tokens in ((new, self.given), ([f" {text}" for text in new], self.guessed)):
            ids, reasons = self._model.tokens(texts)
            tokens += ids
            self._reasons |= {start + n: reason for n, reason in reasons.items()}
        numbers = np.zeros(len(group.sentences), np.int64)
        numbers[used] = [self._numbers[group.sentences[n]] for n in used]
        return numbers[pairs]

    def failed(self, rows: np.ndarray) -> np.ndarray:
        """(R,) bool: one of the two texts has no tokens, or too many."""
        return np.asarray(np.isin(rows, list(self._reasons)).any(axis=1))

    def failures(self, group: Group, used: np.ndarray) -> dict[int, str]:
        """Sentence -> reason, of a group's sentences that were asked about."""
        numbers = {int(n): self._numbers[group.sentences[n]] for n in used}
        return {n: self._reasons[number] for n, number in numbers.items() if number in self._reasons}
