"""How well people agree: Krippendorff's alpha for ordinal answers, and item by item."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval_harness.human.store import Rating

Unit = tuple[str, str, str]  # (item, system, question)


@dataclass(frozen=True)
class ItemAgreement:
    """How well people agree on one item.

    Attributes:
        item: its id.
        annotators: how many people rated it.
        equal: share of the pairs of people that gave the same answer, over all outputs and questions, in 0..1; None:
            one person alone.
        distance: mean difference of two people's answers, in 0..2; None likewise.
    """

    item: str
    annotators: int
    equal: float | None
    distance: float | None


def alpha(ratings: Sequence[Rating]) -> float | None:
    """Krippendorff's alpha with his ordinal difference (Krippendorff, 2007), by NLTK; 1: no disagreement, 0: chance.

    What is rated is an output under a question; not everybody needs to have rated everything. An output that one
    person rated says nothing of agreement and is left out.

    Returns:
        At most 1; None where it is not defined: no output with two answers, or all answers the same.
    """
    values: defaultdict[Unit, list[int]] = defaultdict(list)
    for rating in ratings:
        values[(rating.item, rating.system, rating.question)].append(rating.value)
    counts = Counter(value for found in values.values() if len(found) > 1 for value in found)
    if len(counts) < 2:
        return None
    from nltk.metrics.agreement import AnnotationTask

    rows = [(rating.annotator, (rating.item, rating.system, rating.question), rating.value) for rating in ratings]
    return float(AnnotationTask(rows, distance=_ordinal(counts)).alpha())


def by_item(ratings: Sequence[Rating]) -> list[ItemAgreement]:
    """Every item's agreement, those on which people agree least first."""
    people: defaultdict[str, set[str]] = defaultdict(set)
    units: defaultdict[str, defaultdict[Unit, list[int]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        people[rating.item].add(rating.annotator)
        units[rating.item][(rating.item, rating.system, rating.question)].append(rating.value)
    found = []
    for item, values in units.items():
        gaps = [abs(a - b) for answers in values.values() for a, b in itertools.combinations(answers, 2)]
        equal, distance = (sum(gap == 0 for gap in gaps) / len(gaps), sum(gaps) / len(gaps)) if gaps else (None, None)
        found.append(ItemAgreement(item, len(people[item]), equal, distance))
    return sorted(found, key=lambda one: (one.equal is None, one.equal or 0.0, one.item))


def _ordinal(counts: Counter[int]) -> Callable[[int, int], float]:
    """The squared difference of two ranks: how many answers lie between them, half of their own counted."""

    def distance(one: int, other: int) -> float:
        low, high = sorted((one, other))
        between = sum(counts[value] for value in range(low, high + 1))
        return float((between - (counts[low] + counts[high]) / 2) ** 2)

    return distance
