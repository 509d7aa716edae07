"""Diversity: of pairs that say the same, one is kept (paper section 3.2 and Algorithm 1).

Two pairs (x1, y1) and (x2, y2) of one context are joined if x1 => x2 or y1 => y2, in either order, above ``min``; of
each connected component the pair with the largest p(x => y) + p(y => x) is kept, the first of equal ones.

*Pairs judged once.* In a paraphrase composition all other critics are symmetric, so with a candidate (a, b) its mirror
image (b, a) is there too. Algorithm 1 joins the two if a => b or b => a above ``min``, which holds wherever ``min`` is
below the entailment threshold. Then (a, b) and (c, d), or one of them and the other's mirror image, are in one
component exactly if the unordered pairs {a, b} and {c, d} are connected through steps in which any sentence of one
entails any sentence of the other, because such a step is an edge of Algorithm 1 between one order of each. The
components of unordered pairs are therefore those of ordered pairs with mirror images identified, (a, b) and (b, a)
have the same sum, and which order is kept is a coin toss. If ``min`` is above the entailment threshold a pair may fail
to be joined with its own mirror image, and Algorithm 1, taken literally, keeps it in both orders; here it is kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from idist.critics.base import Answer, Bound, Critic, dial
from idist.critics.components import best_of_each, components
from idist.critics.entailment import DEFAULT_MODEL, Entailment
from idist.critics.nli import MARGIN, P

if TYPE_CHECKING:
    from idist.critics.groups import Group, Judged
    from idist.critics.loading import Models

TIE = 2e-6  # twice what two batches make of one probability


@dataclass
class Diversity(Critic):
    """Algorithm 1. Scoring removes nothing; it finds out which sentences of the remaining pairs entail which.

    Variants of the authors' code: ``edges: argmax`` (entailment is the likeliest label, whatever its probability),
    ``sides: x_then_y`` (components by x alone, then, of what is left, by y alone) and ``keep: least_entailed`` (the
    lowest p(y => x)). The last two depend on the order within a pair: pairs are then judged in order.

    ``model`` is that of the composition's entailment critic unless given.
    """

    min: float = dial(0.75, low=0.0, high=1.0)  # tau_entail; the paper gives tau_semantic, 0.75, alone
    floor: float | None = dial(None, low=0.0, high=1.0)
    edges: str = dial("probability", choices=("probability", "argmax"))
    sides: str = dial("any", choices=("any", "x_then_y"))
    keep: str = dial("most_entailed", choices=("most_entailed", "least_entailed"))
    model: str | None = dial(None)

    cost = 20.0
    whole_groups = True
    select_settings: ClassVar[tuple[str, ...]] = ("min", "sides", "keep")

    def __post_init__(self) -> None:
        self.symmetric = self.sides == "any" and self.keep == "most_entailed"
        self._judged_once = self.symmetric

    @property
    def columns(self) -> tuple[str, ...]:
        """p(x => y) and p(y => x) of every pair within the floors of the others, whatever those others are."""
        return (f"{self.name}_xy", f"{self.name}_yx")

    def bounds(self) -> list[Bound]:
        """One bound, on edges; no column of pairs is compared with it."""
        if self.edges == "argmax":
            return []
        floor = self.min if self.floor is None else self.floor
        return [Bound("min", self.min, "floor", floor, (), strict=True)]

    def configure(self, composition: Sequence[Critic], judged_once: bool) -> None:
        self._judged_once = judged_once
        if self.model is None:
            models = [critic.model for critic in composition if isinstance(critic, Entailment)]
            self.model = models[0] if models else DEFAULT_MODEL

    def model_names(self) -> dict[str, str]:
        return {"model": self.model or DEFAULT_MODEL}

    def load(self, models: Models) -> None:
        self._model = models.entailment(self.model or DEFAULT_MODEL)
        self._model.decide_at(limit for bound in self.bounds() for limit in (bound.threshold, bound.floor))

    def score_groups(self, batch: Sequence[tuple[Group, np.ndarray]]) -> list[Answer]:
        relations = [self._relations(group, pairs) for group, pairs in batch]
        both_ways = [(group, np.concatenate([pairs, pairs[:, ::-1]])) for group, pairs in batch]
        # One call, so that the groups' requests of both kinds share batches.
        self._model.ask(both_ways + [(group, cells) for (group, _), cells in zip(batch, relations, strict=True)])
        self._settle_ties(both_ways)
        own = self._model.ask(both_ways)
        found = self._model.ask([(group, cells) for (group, _), cells in zip(batch, relations, strict=True)])
        answers = []
        for (group, pairs), p, cells, scores in zip(batch, own, relations, found, strict=True):
            failures = self._model.failures(group, np.unique(pairs))
            values = np.stack([p[: len(pairs), P], p[len(pairs) :, P]], axis=1)
            answers.append(Answer(values, failures, self._edges(cells, scores)))
        return answers

    def select(self, judged: Judged, alive: np.ndarray) -> np.ndarray:
        """(A,) bool: one pair of each component, at the threshold ``min``; one without scores is not kept."""
        forward, backward = (judged.scores[column][alive].astype(np.float64) for column in self.columns)
        rank = -backward if self.keep == "least_entailed" else forward + backward
        kept = np.flatnonzero(~np.isnan(rank))
        ends = judged.pairs[alive]
        links = self._links(judged)
        if self.sides == "x_then_y":
            for side in (0, 1):
                kept = kept[best_of_each(components(ends[kept, side : side + 1], links), rank[kept])]
        elif judged.oriented:
            size = len(judged.sentences)  # the y side has numbers of its own
            labels = components(ends[kept] + np.array([0, size]), np.concatenate([links, links + size]))
            kept = kept[best_of_each(labels, rank[kept])]
        else:
            kept = kept[best_of_each(components(ends[kept], links), rank[kept])]
        mask = np.zeros(len(alive), bool)
        mask[kept] = True
        return mask

    def _relations(self, group: Group, pairs: np.ndarray) -> np.ndarray:
        """(R, 2) sentence pairs whose entailment may join two of the pairs, whatever the thresholds will be."""
        oriented = group.pairs is not None or not self._judged_once
        sides = [pairs[:, 0], pairs[:, 1]] if oriented else [pairs.ravel()]
        cells = []
        for side in sides:
            used, counts = np.unique(side, return_counts=True)
            a, b = np.meshgrid(used, used, indexing="ij")
            # A sentence of one pair alone joins nothing with itself. One of several does if it entails itself.
            asked = (a != b) | (counts[:, None] > 1)
            cells.append(np.stack([a[asked], b[asked]], axis=1))
        return np.unique(np.concatenate(cells), axis=0)

    def _edges(self, cells: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is above the floor, as rows, columns, scores."""
        values = scores[:, MARGIN if self.edges == "argmax" else P]
        above = values > 0
        for bound in self.bounds():
            above &= bound.within(values, bound.floor)
        return cells[above, 0].astype(np.int32), cells[above, 1].astype(np.int32), values[above]

    def _links(self, judged: Judged) -> np.ndarray:
        """(E, 2) sentences of which one entails the other."""
        rows, columns, scores = judged.edges
        above = np.ones(len(rows), bool)
        for bound in self.bounds():
            above &= bound.within(scores, bound.threshold)
        return np.stack([rows[above], columns[above]], axis=1).astype(np.int64)

    def _settle_ties(self, both_ways: list[tuple[Group, np.ndarray]]) -> None:
        """Where the last digit of a batch could decide which pair is kept, ask about both pairs alone."""
        near = []
        for (group, pairs), p in zip(both_ways, self._model.ask(both_ways), strict=True):
            half = len(pairs) // 2
            rank = p[half:, P] if self.keep == "least_entailed" else p[:half, P].astype(np.float64) + p[half:, P]
            order = np.argsort(rank, kind="stable")
            close = np.flatnonzero(np.diff(rank[order]) <= TIE)
            tied = np.unique(np.concatenate([order[close], order[close + 1]]))
            near.append((group, np.concatenate([pairs[tied], pairs[tied + half]])))
        self._model.ask_alone(near)
