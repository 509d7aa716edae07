"""Figures that others reported of a task, and results marked so: shown apart, without rank, interval or mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval_harness import reported
from eval_harness.report.text import number, plain
from eval_harness.results import Result
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry


@dataclass(frozen=True)
class Published:
    """A table of text: ``rows`` have one cell a title, the first the system's name; ``sources`` where they are from.

    ``metrics`` are the names behind the titles, from the second title on.
    """

    titles: list[str]
    rows: list[list[str]]
    sources: list[str]
    metrics: list[str]


def published(task: str, found: Sequence[Result], registry: Registry) -> Published | None:
    """Everything reported of a task; None where there is nothing.

    Args:
        found: results of any task; those of this task that are marked as reported come after the paper's rows.
    """
    printed = reported.rows(task)
    values = [(plain(row.system), {**row.scores, **row.ratings}) for row in printed]
    sources = dict.fromkeys(f"{plain(row.paper)}, table {row.table}" for row in printed)
    places = {metric: _printed([scores[metric] for _, scores in values if metric in scores]) for metric in _all(values)}
    for result in found:
        if result.task == task and result.meta["system"]["reported"]:
            scores = {metric: float(score["value"]) for metric, score in result.meta["scores"].items()}
            values.append((plain(result.system), scores))
            sources[plain(result.path.name)] = None
    if not values:
        return None
    metrics = _all(values)
    rows = [
        [name, *(number(scores[metric], places.get(metric, 1)) if metric in scores else "–" for metric in metrics)]
        for name, scores in values
    ]
    return Published(["System", *(_title(metric, registry) for metric in metrics)], rows, list(sources), metrics)


def _all(values: Sequence[tuple[str, dict[str, float]]]) -> list[str]:
    """Metrics in the order in which they come up."""
    return list(dict.fromkeys(metric for _, scores in values for metric in scores))


def _printed(values: list[float]) -> int:
    """Decimals that the figures of a column were given with, two at the most."""
    return min(2, max(len(repr(value).partition(".")[2]) for value in values))


def _title(metric: str, registry: Registry) -> str:
    """The metric's title with its arrow; ``Fluent (human, 1 to 3)`` for what people rated."""
    if metric.startswith(reported.HUMAN):
        return f"{metric.removeprefix(reported.HUMAN).capitalize()} (human, 1 to 3)"
    try:
        kind = registry.load("metric", metric)
    except UserError:
        return plain(metric)
    return kind.title + {True: " ↑", False: " ↓", None: ""}[kind.higher_is_better]
