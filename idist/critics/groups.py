"""What goes into a cascade and what comes out: lists and arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Edges = tuple[np.ndarray, np.ndarray, np.ndarray]


def no_edges() -> Edges:
    return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32)


@dataclass(eq=False)
class Group:
    """Sentences of one context (or a source and its candidates) and the candidate pairs among them.

    Attributes:
        id: decides, with the run's seed, which sentence of a symmetric pair becomes x.
        sentences: distinct ones, normally; equal ones are judged equally.
        pairs: (P, 2) int, indices of x and y, judged in this order; None: all pairs of different indices.
    """

    id: str
    sentences: list[str]
    pairs: np.ndarray | None = None


@dataclass(eq=False)
class Judged:
    """A group with every score that was computed.

    Attributes:
        id, sentences: as in `Group`.
        i, j: (P,) int32 indices of the candidate pairs' sentences. If ``oriented``, x is i and y is j; otherwise
            i < j, and the pair stands for both orders.
        scores: column -> (P,) float32; NaN where a cheaper critic had removed the pair, or the critic failed.
            In ``*_xy``, x is i and y is j.
        removed_by: (P,) object, name of the critic whose floor removed the pair, or None.
        edges: rows, columns, scores of p(row entails column), for the diversity critic; what is absent is below its
            floor.
        failures: sentence index -> ``CRITIC: reason``.
        oriented: see ``i, j``.
        scored: the cascade's `score_config` that the scores were made under.
    """

    id: str
    sentences: list[str]
    i: np.ndarray
    j: np.ndarray
    scores: dict[str, np.ndarray]
    removed_by: np.ndarray
    edges: Edges = field(default_factory=no_edges)
    failures: dict[int, str] = field(default_factory=dict)
    oriented: bool = False
    scored: dict[str, Any] = field(default_factory=dict)

    @property
    def pairs(self) -> np.ndarray:
        """(P, 2) int64 of ``i`` and ``j``."""
        return np.stack([self.i, self.j], axis=1).astype(np.int64)


@dataclass
class Kept:
    """A pair that all critics kept, oriented: x is ``sentences[i]``, y is ``sentences[j]`` of the group.

    ``scores`` has all columns, ``*_xy`` and ``*_yx`` in this orientation; NaN where skipped.
    """

    group_id: str
    i: int
    j: int
    scores: dict[str, float]
