"""Two results of one task side by side: differences, intervals, p-values, the examples where they differ most.

Everything comes from the statistics on disk; no model is run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eval_harness.metrics.base import Floats, Metric
from eval_harness.results import COLUMNS, Result
from eval_harness.statistics import Paired, holm, paired_test
from eval_harness.statistics.paired import TRIALS
from idist._schema import nearest
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry

LEVEL = 0.05  # of the corrected p-values, below which a difference is called one


@dataclass(frozen=True)
class Line:
    """One metric: the comparison, and its p-value corrected for the number of metrics (Holm)."""

    metric: str
    title: str
    higher_is_better: bool | None  # None: neither side is better
    signature: str
    paired: Paired
    p_corrected: float

    @property
    def better(self) -> str | None:
        """``A`` or ``B``, whichever is shown to be better; None if neither is or can be."""
        if self.higher_is_better is None or self.p_corrected >= LEVEL or self.paired.difference == 0.0:
            return None
        return "A" if (self.paired.difference > 0.0) == self.higher_is_better else "B"


@dataclass(frozen=True)
class Contrast:
    """One example with what both systems made of it, and the scores of either."""

    id: str
    source: str
    references: list[str]
    exemplar: str | None
    a: str
    b: str
    score_a: float
    score_b: float


@dataclass(frozen=True)
class Comparison:
    """System A against system B; ``left_out`` says, metric by metric, what could not be compared and why."""

    a: Result
    b: Result
    test: str
    resamples: int
    seed: int
    confidence: float
    lines: list[Line]
    contrasts: list[Contrast]  # largest difference in the first metric first
    left_out: list[str]


def compare(
    a: Result,
    b: Result,
    registry: Registry,
    metrics: Sequence[str] = (),
    test: str = "bootstrap",
    resamples: int | None = None,
    seed: int = 0,
    examples: int = 5,
) -> Comparison:
    """Compare two results.

    Args:
        registry: makes the metrics again from their specs.
        metrics: names; empty: all that both have with one signature.
        test, resamples, seed: as in `paired_test`.
        examples: how many of those that differ to give, most different first, by the first metric.

    Raises:
        UserError: results that cannot be compared (reported figures, other examples, another protocol), a metric that
            one of them lacks or computed otherwise, statistics that do not give the score stated, numbers out of range.
    """
    if examples < 0 or seed < 0:
        name, value = ("examples", examples) if examples < 0 else ("seed", seed)
        raise UserError(f"{name} is {value}, expected 0 or more.")
    _check_alike(a, b)
    chosen, left_out = _metrics(a, b, metrics)
    confidence = float(a.meta["confidence"])
    found: dict[str, Paired] = {}
    for name in chosen:
        try:
            metric = registry.metric(_score(a, name)["spec"], {"protocol": a.meta["protocol"]})
        except UserError as error:  # of a plug-in that was not named
            if name in metrics:
                raise
            left_out.append(f"{name}: {error}")
            continue
        first, second = _statistics(a, name, metric), _statistics(b, name, metric)
        found[name] = paired_test(metric, first, second, test, resamples, seed, confidence)
    if not found:
        raise UserError(f"No metric of {a.path} can be compared. {' '.join(left_out)}")
    corrected = holm(np.array([paired.p_value for paired in found.values()]))
    lines = [
        Line(name, _score(a, name)["title"], _score(a, name)["higher_is_better"], _score(a, name)["signature"], pair, p)
        for (name, pair), p in zip(found.items(), corrected.tolist(), strict=True)
    ]
    trials = TRIALS[test] if resamples is None else resamples
    return Comparison(
        a, b, test, trials, seed, confidence, lines, _contrasts(a, b, lines[0].metric, examples), left_out
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The same, as plain values for ``json.dumps``."""
    a, b = comparison.a, comparison.b
    return {
        "task": a.meta["task"],
        "protocol": a.meta["protocol"],
        "a": {"file": str(a.path), "system": a.meta["system"]},
        "b": {"file": str(b.path), "system": b.meta["system"]},
        "test": comparison.test,
        "resamples": comparison.resamples,
        "seed": comparison.seed,
        "confidence": comparison.confidence,
        "correction": "holm",
        "metrics": {
            line.metric: {
                "title": line.title,
                "higher_is_better": line.higher_is_better,
                "signature": line.signature,
                **vars(line.paired),
                "p_corrected": line.p_corrected,
                "better": line.better,
            }
            for line in comparison.lines
        },
        "left_out": comparison.left_out,
        "examples": [vars(contrast) for contrast in comparison.contrasts],
    }


def _check_alike(a: Result, b: Result) -> None:
    """Raises UserError where the scores of the two are not scores of the same examples in the same way."""
    for result in (a, b):
        if result.meta["system"]["reported"]:
            raise UserError(f"{result.path} holds figures reported in a paper, without examples: nothing to compare.")
    if a.task != b.task:
        raise UserError(f"{a.path} is of the task {a.task!r}, {b.path} of {b.task!r}; expected the same.")
    if a.meta["protocol"] != b.meta["protocol"]:
        protocols = f"{a.path} is by the protocol {a.meta['protocol']!r}, {b.path} by {b.meta['protocol']!r}"
        raise UserError(f"{protocols}; expected the same.")
    sizes = [result.meta["task"]["examples"] for result in (a, b)]
    if sizes[0] != sizes[1]:
        raise UserError(f"{a.path} has {sizes[0]} examples, {b.path} has {sizes[1]}; expected the same examples.")
    if a.meta["task"]["fingerprint"] != b.meta["task"]["fingerprint"] or a.rows["id"] != b.rows["id"]:
        raise UserError(f"{a.path} and {b.path} are of different data of the task {a.task!r}; run one of them again.")


def _metrics(a: Result, b: Result, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the metrics to compare, in A's order or as asked; and sentences on those that cannot be."""
    problems = {name: problem for name in dict.fromkeys([*asked, *a.metrics]) if (problem := _problem(a, b, name))}
    for name in asked:
        if name in problems:
            raise UserError(problems[name])
    chosen = list(dict.fromkeys(asked)) or [name for name in a.metrics if name not in problems]
    if not chosen:
        raise UserError(f"{a.path} and {b.path} have no metric in common. " + " ".join(problems.values()))
    return chosen, [] if asked else list(problems.values())


def _problem(a: Result, b: Result, name: str) -> str | None:
    """Why a metric cannot be compared, or None."""
    for result in (a, b):
        if name not in result.meta["scores"]:
            return f"{result.path} has no metric {name!r}; {nearest(name, result.metrics)}"
    signatures = [_score(result, name)["signature"] for result in (a, b)]
    if signatures[0] != signatures[1]:
        return f"{name} was computed in two ways, {signatures[0]!r} and {signatures[1]!r}; expected one signature."
    return None


def _statistics(result: Result, name: str, metric: Metric) -> Floats:
    """(n, s); UserError where they do not give the score that the result states."""
    statistics = result.statistics(name)
    stated, again = _score(result, name)["value"], metric.score(statistics)
    if not math.isclose(stated, again, rel_tol=1e-6, abs_tol=1e-6):
        raise UserError(
            f"{result.path}: the statistics of {name} give {again:.4f}, its JSON says {stated:.4f}; run it again."
        )
    return statistics


def _contrasts(a: Result, b: Result, metric: str, count: int) -> list[Contrast]:
    """The examples whose scores differ most, at most ``count``; none without a difference."""
    scores_a, scores_b = a.per_example(metric), b.per_example(metric)
    distance = np.abs(scores_a - scores_b)
    order = np.argsort(-distance, kind="stable")[:count]
    order = order[distance[order] > 0.0]
    rows_a, rows_b = (result.rows.select(COLUMNS).take(order).to_pylist() for result in (a, b))
    return [
        Contrast(
            id=one["id"],
            source=one["source"],
            references=one["references"],
            exemplar=one["exemplar"],
            a=one["prediction"],
            b=other["prediction"],
            score_a=float(scores_a[i]),
            score_b=float(scores_b[i]),
        )
        for i, one, other in zip(order, rows_a, rows_b, strict=True)
    ]


def _score(result: Result, name: str) -> dict[str, Any]:
    score: dict[str, Any] = result.meta["scores"][name]
    return score
