"""Critics that look at one sentence at a time: each distinct sentence is scored once, however many pairs it is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from idist.critics.base import Answer, Bound, Critic, dial

if TYPE_CHECKING:
    from idist.critics.groups import Group

TOLERANCE = 1e-5  # of a score, relative above 1: ten times what a batch makes of its last digits
Rate = Callable[[Sequence[str], bool], tuple[np.ndarray, dict[int, str]]]
SIDES = {"x": [0], "y": [1], "both": [0, 1]}


@dataclass
class SentenceCritic(Critic):
    """Base: thresholds on the score of y, of x, or of both sentences of a pair.

    A subclass declares the thresholds ``min`` and ``max`` with ``floor`` and ``ceiling``, and gives `rate`.

    With ``side: both`` a pair is within ``min`` if the lower of its two scores is, and within ``max`` if the higher
    one is; the critic is then symmetric, otherwise pairs are judged in order.
    """

    side: str = dial("y", choices=tuple(SIDES))

    def __post_init__(self) -> None:
        self.symmetric = self.side == "both"

    @property
    def columns(self) -> tuple[str, ...]:
        """The score; with ``side: both`` the lower and the higher of the two, ``*_low`` and ``*_high``."""
        return (f"{self.name}_low", f"{self.name}_high") if self.symmetric else (self.name,)

    def bounds(self) -> list[Bound]:
        own = {"min": self.columns[:1], "max": self.columns[-1:]}
        return [dataclasses.replace(bound, columns=own[bound.setting]) for bound in super().bounds()]

    def rate(self, texts: Sequence[str], alone: bool = False) -> tuple[np.ndarray, dict[int, str]]:
        """Score distinct sentences.

        Args:
            texts: N sentences.
            alone: one at a time, as a reference.

        Returns:
            (N,) float, NaN where there is none; and index -> reason for those.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rate")

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        sides = SIDES[self.side]

        def rate(texts: Sequence[str], alone: bool) -> tuple[np.ndarray, dict[int, str]]:
            values, reasons = self.rate(texts, alone)
            return values[:, None], reasons

        answers = []
        for (_, pairs), (values, failures) in zip(
            batch, rate_sentences(batch, sides, rate, self.bounds()), strict=True
        ):
            scores = values[pairs[:, sides], 0]  # (P, 1 or 2)
            if self.symmetric:
                scores = np.stack([scores.min(axis=1), scores.max(axis=1)], axis=1)
            answers.append(Answer(scores, failures))
        return answers


def rate_sentences(
    batch: Sequence[tuple[Group, np.ndarray]],
    sides: Sequence[int],
    rate: Rate,
    bounds: Iterable[Bound],
) -> list[tuple[np.ndarray, dict[int, str]]]:
    """Score the sentences of many groups together, each distinct one once.

    A score close to a threshold or a floor is computed again with the sentence alone: what is decided is then what the
    model says of that sentence, whatever it shared a batch with.

    Args:
        batch: groups and (P, 2) sentence indices.
        sides: 0 for x, 1 for y: whose sentences are needed.
        rate: distinct sentences, and whether to take them one at a time -> (N, C) scores, index -> reason.
        bounds: of the critic.

    Returns:
        For each group (sentences, C) float64, NaN where not asked or not scored; and sentence -> reason.
    """
    used = [np.unique(pairs[:, list(sides)]).tolist() for _, pairs in batch]
    position: dict[str, int] = {}
    for (group, _), indices in zip(batch, used, strict=True):
        for index in indices:
            position.setdefault(group.sentences[index], len(position))
    texts = list(position)
    values, reasons = rate(texts, False)
    values = np.array(values, np.float64)
    near = np.flatnonzero(is_near(values, bounds).any(axis=1))
    if len(near):
        values[near] = rate([texts[n] for n in near], True)[0]
    rated = []
    for (group, _), indices in zip(batch, used, strict=True):
        rows = [position[group.sentences[index]] for index in indices]
        own = np.full((len(group.sentences), values.shape[1]), np.nan)
        own[indices] = values[rows]
        rated.append((own, {index: reasons[row] for index, row in zip(indices, rows, strict=True) if row in reasons}))
    return rated


def is_near(values: np.ndarray, bounds: Iterable[Bound]) -> np.ndarray:
    """Bool in the shape of ``values``: too close to a threshold or floor for the last digits not to matter."""
    near = np.zeros(values.shape, bool)
    for limit in {limit for bound in bounds for limit in (bound.threshold, bound.floor)}:
        near |= np.abs(values - limit) <= TOLERANCE * max(1.0, abs(limit))
    return near
