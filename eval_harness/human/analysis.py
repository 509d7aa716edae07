"""What people found: a mean with its interval for each system and question, tests between systems, agreement."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval_harness.human.agreement import ItemAgreement, alpha, by_item
from eval_harness.human.store import Rating
from eval_harness.human.study import Study
from eval_harness.metrics.base import Floats
from eval_harness.metrics.human import BY_QUESTION, Human
from eval_harness.statistics import Paired, bootstrap, holm, paired_test
from eval_harness.statistics.resampling import RESAMPLES
from idist.errors import UserError

LEVEL = 0.05  # of corrected p-values, as in eval_harness.comparison
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """Of one system under one question: mean over items of each item's mean over people, in 1..3."""

    value: float
    low: float
    high: float
    answers: int


@dataclass(frozen=True)
class Pair:
    """Two systems under one question. ``better``: the name of the one that is shown to be better, or None."""

    question: str
    a: str
    b: str
    paired: Paired
    p_corrected: float

    @property
    def better(self) -> str | None:
        """By the corrected p-value."""
        if self.p_corrected >= LEVEL or self.paired.difference == 0.0:
            return None
        return self.a if self.paired.difference > 0.0 else self.b


@dataclass(frozen=True)
class Report:
    """All that is said of a study.

    Attributes:
        study: what was rated.
        items: ids that at least one person finished, in the study's order.
        annotators: how many people.
        means: system -> question -> mean.
        pairs: every two systems under every question, p-values corrected over all of them (Holm).
        alphas: question -> Krippendorff's alpha; ``all``: of all questions together, as the paper reports it.
        agreement: item by item, the least first.
    """

    study: Study
    items: list[str]
    annotators: int
    means: dict[str, dict[str, Mean]]
    pairs: list[Pair]
    alphas: dict[str, float | None]
    agreement: list[ItemAgreement]
    test: str
    resamples: int
    seed: int

    @property
    def complete(self) -> bool:
        """Whether every item has as many people as were wanted."""
        enough = [one for one in self.agreement if one.annotators >= self.study.annotators]
        return len(enough) == len(self.study.items)


def analyse(
    study: Study, ratings: Sequence[Rating], test: str = "randomization", resamples: int = RESAMPLES, seed: int = 0
) -> Report:
    """Count it all.

    Args:
        study: what was rated.
        ratings: of finished items.
        test: ``bootstrap`` or ``randomization``, paired over items; see `paired_test`. The default is the one that is
            right for few items, too: sacreBLEU's p of the bootstrap gets too small there.
        resamples: of the intervals; trials of the test.
        seed: of the resamples, which are the same for all systems and questions.

    Raises:
        UserError: no answers, answers that are not to this study, another test.
    """
    tables = matrices(study, ratings)
    rated = [item.id for item in study.items if item.id in {rating.item for rating in ratings}]
    counts: defaultdict[tuple[str, str], int] = defaultdict(int)
    for rating in ratings:
        counts[rating.system, rating.question] += 1
    means: dict[str, dict[str, Mean]] = {system: {} for system in study.systems}
    found: list[tuple[str, str, str, Paired]] = []
    for question in study.questions:
        metric = metric_of(study, question)
        for system in study.systems:
            table = tables[system, question]
            low, high = bootstrap(metric, table, resamples, seed, CONFIDENCE)
            means[system][question] = Mean(metric.score(table), low, high, counts[system, question])
        for a, b in itertools.combinations(study.systems, 2):
            paired = paired_test(metric, tables[a, question], tables[b, question], test, resamples, seed, CONFIDENCE)
            found.append((question, a, b, paired))
    corrected = holm(np.array([paired.p_value for *_, paired in found])).tolist()
    pairs = [Pair(*one, p) for one, p in zip(found, corrected, strict=True)]
    alphas = {name: alpha([one for one in ratings if one.question == name]) for name in study.questions}
    people = len({rating.annotator for rating in ratings})
    agreement = by_item(ratings)
    return Report(
        study, rated, people, means, pairs, alphas | {"all": alpha(ratings)}, agreement, test, resamples, seed
    )


def matrices(study: Study, ratings: Sequence[Rating]) -> dict[tuple[str, str], Floats]:
    """(system, question) -> (n, 1): each rated item's mean over people, items in the study's order.

    Raises:
        UserError: no answers, or answers that are not to this study.
    """
    if not ratings:
        raise UserError("Nobody has finished an item yet, expected at least one answer to every output of one.")
    values: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for rating in ratings:
        values[rating.item, rating.system, rating.question].append(rating.value)
    rated = {item for item, _, _ in values}
    order = [item.id for item in study.items if item.id in rated]
    known = {(item, *unit) for item in order for unit in study.units}
    if known != values.keys():
        item, system, question = min(known ^ values.keys())
        raise UserError(f"The answers are not to this study: {question} of {system!r} at {item!r} does not fit.")
    return {
        (system, question): np.array([[np.mean(values[item, system, question])] for item in order], np.float64)
        for system, question in study.units
    }


def metric_of(study: Study, question: str) -> Human:
    """The harness' metric for a question of a study."""
    return BY_QUESTION[question](study=study.fingerprint)


def as_json(report: Report) -> dict[str, Any]:
    """The same as plain values; nobody's name is in it."""
    study = report.study
    return {
        "study": {
            "name": study.name,
            "practice": study.practice,
            "fingerprint": study.fingerprint,
            "task": study.task,
            "items": len(study.items),
            "annotators_wanted": study.annotators,
        },
        "items": len(report.items),
        "annotators": report.annotators,
        "complete": report.complete,
        "scale": [1, 3],
        "confidence": CONFIDENCE,
        "test": report.test,
        "resamples": report.resamples,
        "seed": report.seed,
        "correction": "holm",
        "means": {
            system: {question: vars(mean) for question, mean in row.items()} for system, row in report.means.items()
        },
        "pairs": [
            {
                "question": pair.question,
                "a": pair.a,
                "b": pair.b,
                **vars(pair.paired),
                "p_corrected": pair.p_corrected,
                "better": pair.better,
            }
            for pair in report.pairs
        ],
        "krippendorff_alpha": report.alphas,
        "agreement": [dataclasses.asdict(one) for one in report.agreement],
    }
