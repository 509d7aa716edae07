"""Metrics of a run: chosen and checked before anything is predicted, then statistics, scores and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval_harness import specs
from eval_harness.environment import check_device
from eval_harness.metrics.base import PROTOCOLS, Examples, Floats, Metric, Protocol
from eval_harness.registry import Registry
from eval_harness.tasks.base import Example, Task, TaskData
from idist.errors import UserError


@dataclass(frozen=True)
class Chosen:
    """A metric and the spec that makes it again (a protocol other than the default is spelled out in it)."""

    spec: str
    metric: Metric


def choose(
    task: Task, data: TaskData, asked: Sequence[str], registry: Registry, protocol: Protocol, device: str = "auto"
) -> list[Chosen]:
    """The metrics of a task: those asked for, else the task's own. Loads no model.

    Raises:
        UserError: a spec that is wrong, one that contradicts the run's protocol, two metrics of one name, a metric
            that needs what the task does not have.
    """
    chosen: list[Chosen] = []
    for text in asked or task.default_metrics():
        one = make(specs.parse(text), registry, protocol, device)
        same = next((other for other in chosen if other.metric.name == one.metric.name), None)
        if same is not None:
            raise UserError(
                f"Metrics {same.spec!r} and {one.spec!r} are both called {one.metric.name!r} in the results; "
                "score one of them in another run with another --out."
            )
        if "exemplars" in one.metric.needs and data.examples[0].exemplar is None:
            raise UserError(f"Metric {one.spec!r} needs exemplars, and the task {task.name!r} has none.")
        chosen.append(one)
    return chosen


def make(spec: specs.Spec, registry: Registry, protocol: Protocol, device: str = "auto") -> Chosen:
    """One metric under the run's protocol.

    Raises:
        UserError: a spec that is wrong, or that names another protocol.
    """
    stated = spec.settings.get("protocol")
    if stated in PROTOCOLS and stated != protocol:
        raise UserError(f"Metric {str(spec)!r} contradicts --protocol {protocol}; expected --protocol {stated}.")
    metric = registry.metric(spec, {"protocol": protocol, "device": device})
    if "device" in spec.settings:
        check_device(spec.settings["device"])
    has_protocol = "protocol" in specs.dials(type(metric))
    if has_protocol and stated is None and protocol != PROTOCOLS[0]:
        spec = specs.Spec(spec.name, spec.arg, {**spec.settings, "protocol": protocol})
    return Chosen(str(spec), metric)


def aligned(examples: Sequence[Example], predictions: Sequence[str]) -> Examples:
    """What metrics read."""
    return Examples.of(
        list(predictions),
        [example.source for example in examples],
        [list(example.references) for example in examples],
        [example.exemplar for example in examples],
    )


def statistics(chosen: Chosen, examples: Examples) -> Floats:
    """(n, s), checked.

    Raises:
        UserError: the metric gives another shape, or something that is no finite number.
    """
    matrix = np.asarray(chosen.metric.statistics(examples), dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(examples) or not matrix.shape[1]:
        raise UserError(
            f"Metric {chosen.spec!r} gave statistics of shape {matrix.shape}, expected ({len(examples)}, s): "
            "one row an example."
        )
    wrong = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(wrong):
        raise UserError(
            f"Metric {chosen.spec!r} gave {matrix[wrong[0]].tolist()} for example {wrong[0]} "
            f"(and {len(wrong) - 1} others), expected finite numbers."
        )
    return matrix


def entry(chosen: Chosen, matrix: Floats, resamples: int, seed: int, confidence: float) -> dict[str, Any]:
    """What a result says of one metric: the score, its bootstrap interval, how it was made.

    Raises:
        UserError: the metric gives a score that is no finite number.
    """
    from eval_harness.statistics.resampling import bootstrap

    metric = chosen.metric
    value = float(metric.score(matrix))
    low, high = (float(bound) for bound in bootstrap(metric, matrix, resamples, seed, confidence))
    if not all(map(math.isfinite, (value, low, high))):
        raise UserError(f"Metric {chosen.spec!r} gave the score {value} ({low} to {high}), expected finite numbers.")
    return {
        "title": metric.title or metric.name,
        "value": value,
        "low": low,
        "high": high,
        "n": len(matrix),
        "higher_is_better": metric.higher_is_better,
        "signature": metric.signature(),
        "spec": chosen.spec,
    }
