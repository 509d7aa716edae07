"""What a critic is: a dataclass whose fields are its settings, which scores candidate pairs and keeps some of them.

A critic of another package needs this much::

    @dataclass
    class SharedWords(Critic):
        \"\"\"Number of words that x and y share.\"\"\"

        min: int = dial(1, low=0)
        floor: int | None = dial(None, low=0)

        def score(self, sentences, pairs):
            words = [set(sentence.split()) for sentence in sentences]
            return np.array([len(words[i] & words[j]) for i, j in pairs])

and, in its ``pyproject.toml``::

    [project.entry-points."idist.critics"]
    shared_words = "package:SharedWords"
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from idist.critics.groups import Group, Judged
    from idist.critics.loading import Models

_ROUNDING = 1e-6  # relative; scores are kept as float32, which is ten times finer


def dial(default: Any, low: float = -math.inf, high: float = math.inf, choices: tuple[str, ...] = ()) -> Any:
    """A critic's setting: its default, and the closed range or the words that are valid."""
    return field(default=default, metadata={"low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Bound:
    """One threshold of a critic and its floor: the looser value up to which scores of later critics are computed.

    Attributes:
        setting: ``min`` or ``max``: which side is kept.
        threshold: a pair within it is kept (inclusive unless ``strict``).
        floor_setting: name of the setting that gives the floor.
        floor: equal to the threshold unless set.
        columns: the score columns that must all be within.
        strict: a score equal to the threshold is not within.
    """

    setting: str
    threshold: float
    floor_setting: str
    floor: float
    columns: tuple[str, ...]
    strict: bool = False

    def within(self, scores: np.ndarray, limit: float) -> np.ndarray:
        """(P,) bool; NaN is never within. Scores and limit are compared in the scores' own precision."""
        limit = scores.dtype.type(limit)
        with np.errstate(invalid="ignore"):
            if self.setting == "min":
                return scores > limit if self.strict else scores >= limit
            return scores < limit if self.strict else scores <= limit

    def looser(self, other: float) -> bool:
        """Whether ``other`` is beyond this bound's floor: it would keep pairs that the floor removed."""
        return other < self.floor if self.setting == "min" else other > self.floor


@dataclass
class Answer:
    """One group's scores by one critic.

    Attributes:
        scores: (P, C) float, a column for each of the critic's `columns`; NaN where there is none.
        failures: sentence index -> why it could not be scored; its pairs have NaN in all columns.
        edges: rows, columns and scores of sentence pairs (diversity alone gives them).
    """

    scores: np.ndarray
    failures: dict[int, str]
    edges: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


@dataclass
class Critic:
    """Base of all critics. Subclasses are dataclasses; their fields, made by `dial`, are the complete list of settings.

    Thresholds are fields named ``min`` and ``max``; ``floor`` loosens the one that there is (``min`` if there are
    both, and then ``ceiling`` loosens ``max``). A threshold of None is no threshold.

    Attributes:
        name: the name that the composition gives it; also its score column unless `columns` says otherwise.
        cost: rough milliseconds a pair on one core; the cascade goes from cheap to dear.
        symmetric: the answer for (x, y) is that for (y, x).
        text_only: scores come from the two sentences alone, cheaply: ones that float32 cannot tell from a threshold
            are computed again in full precision.
        strict: those of ``min`` and ``max`` that a kept pair's score may not equal.
        whole_groups: it chooses among the pairs that the others left, instead of judging each by itself.
        select_settings: fields that may change without scoring again.
    """

    name = ""
    cost = 1.0
    symmetric = True
    text_only = False
    strict: ClassVar[tuple[str, ...]] = ()
    whole_groups = False
    select_settings: ClassVar[tuple[str, ...]] = ("min", "max")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the score columns. ``*_xy`` and ``*_yx`` are the two directions of one score."""
        return (self.name,)

    def bounds(self) -> list[Bound]:
        """Thresholds that are set, with their floors."""
        found = []
        floors = {"min": "floor", "max": "ceiling" if hasattr(self, "ceiling") else "floor"}
        for setting, floor_setting in floors.items():
            threshold = getattr(self, setting, None)
            if threshold is not None:
                floor = getattr(self, floor_setting, None)
                floor = threshold if floor is None else floor
                found.append(Bound(setting, threshold, floor_setting, floor, self.columns, setting in self.strict))
        return found

    def model_names(self) -> dict[str, str]:
        """Setting -> name of the model that it loads (``stanza:LANGUAGE`` for a parser)."""
        return {}

    def configure(self, composition: Sequence[Critic], judged_once: bool) -> None:
        """Called once, before anything is loaded, for settings that follow from the other critics.

        Args:
            composition: all critics, this one among them.
            judged_once: all pairs of a group are meant, and (x, y) stands for (y, x) too.
        """

    def load(self, models: Models) -> None:
        """Called once, before the first score: get models from ``models`` and keep them."""

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """Score pairs of one group.

        Args:
            sentences: the group's sentences.
            pairs: (P, 2) int, indices of x and y.

        Returns:
            (P,) float, or (P, C) for C columns; NaN for what cannot be scored (such a pair is removed, and counted).
        """
        raise NotImplementedError(f"{type(self).__name__} has neither score nor score_groups")

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        """Score pairs of many groups; overridden by critics that gain from batches. Default: `score` group by group."""
        return [Answer(self._score_once(group.sentences, pairs), {}) for group, pairs in batch]

    def within(self, sentences: Sequence[str], pairs: np.ndarray, scores: dict[str, np.ndarray], at: str) -> np.ndarray:
        """Which pairs are within this critic's bounds.

        Args:
            sentences: the group's sentences.
            pairs: (P, 2) int.
            scores: column -> (P,) float32.
            at: ``floor`` or ``threshold``.

        Returns:
            (P,) bool.
        """
        inside = np.ones(len(pairs), bool)
        for bound in self.bounds():
            limit = getattr(bound, at)
            for column in bound.columns:
                passed = bound.within(scores[column], limit)
                near = np.abs(scores[column].astype(np.float64) - limit) <= _ROUNDING * max(1.0, abs(limit))
                if self.text_only and near.any():
                    exact = self._score_once(sentences, pairs[near])
                    passed[near] = bound.within(exact[:, self.columns.index(column)], limit)
                inside &= passed
        return inside

    def select(self, judged: Judged, alive: np.ndarray) -> np.ndarray:
        """Which of a group's pairs this critic keeps at its thresholds, of the (A,) indices ``alive``: (A,) bool."""
        scores = {column: judged.scores[column][alive] for column in self.columns}
        return self.within(judged.sentences, judged.pairs[alive], scores, "threshold")

    def _score_once(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P, C) float64. A symmetric critic is asked once about (x, y) and (y, x)."""
        asked, back = _unordered(pairs) if self.symmetric and len(pairs) else (pairs, None)
        scores = np.asarray(self.score(sentences, asked), dtype=np.float64)
        if scores.shape not in ((len(asked),), (len(asked), len(self.columns))):
            raise ValueError(
                f"critic {self.name!r} gave scores of shape {scores.shape}, "
                f"expected ({len(asked)},) or ({len(asked)}, {len(self.columns)})"
            )
        scores = scores.reshape(len(asked), len(self.columns))
        return scores if back is None else scores[back]


def _unordered(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Different pairs, each with its smaller index first, and for each of ``pairs`` its place among them; None where
    the pairs are these already, as they are when a whole group is judged once."""
    low, high = np.minimum(pairs[:, 0], pairs[:, 1]), np.maximum(pairs[:, 0], pairs[:, 1])
    size = int(high.max()) + 1
    keys = low.astype(np.int64) * size + high
    if (keys[1:] > keys[:-1]).all():
        return pairs if (pairs[:, 0] == low).all() else np.stack([low, high], axis=1), None
    found, back = np.unique(keys, return_inverse=True)
    return np.stack(np.divmod(found, size), axis=1), back.reshape(-1)
