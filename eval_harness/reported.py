"""The paper's own figures (tables 2, 4, 5 and 8), to stand beside measured ones.

They were made by other hands on metrics whose settings are only partly known, so they carry no interval and no
signature, and nothing here lets them be ranked: a `Reported` says ``reported`` of itself, and a report shows it apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from idist.config import read_yaml

SOURCE = Path(__file__).parent / "data" / "reported.yaml"
HUMAN = "human_"  # put before the name of a rating, so that `human_faithful` is not taken for a metric


@dataclass(frozen=True)
class Figure:
    """One printed number.

    Attributes:
        table: of the paper.
        system: the paper's name of it.
        task: our name.
        metric: our name, or ``human_`` and what people rated.
        value: in the paper's units, which are ours (0..100 for scores, edits for TED); ratings are 1..3, 3 the best.
        human: a mean of ratings, not a metric.
    """

    table: int
    system: str
    task: str
    metric: str
    value: float
    human: bool


@dataclass(frozen=True)
class Reported:
    """One printed row: a system on a task."""

    paper: str
    table: int
    system: str
    task: str
    scores: dict[str, float]  # metric -> value
    ratings: dict[str, float]  # human_* -> mean rating
    reported: ClassVar[bool] = True


def figures(task: str | None = None) -> list[Figure]:
    """Every figure in the paper's order, or those of a task (none for a task that the paper does not have)."""
    found = []
    for row in rows(task):
        for human, values in ((False, row.scores), (True, row.ratings)):
            found += [Figure(row.table, row.system, row.task, name, value, human) for name, value in values.items()]
    return found


def rows(task: str | None = None) -> list[Reported]:
    """The same by rows: one a system and task."""
    return [row for row in _rows() if task in (None, row.task)]


@cache
def _rows() -> tuple[Reported, ...]:
    tree = read_yaml(SOURCE)
    return tuple(_row(tree["paper"], block, system) for block in tree["blocks"] for system in block["rows"])


def _row(paper: str, block: dict[str, Any], system: str) -> Reported:
    metrics, ratings = block["metrics"], [HUMAN + name for name in block.get("human", [])]
    values = dict(zip([*metrics, *ratings], block["rows"][system], strict=True))
    return Reported(
        paper=paper,
        table=block["table"],
        system=system,
        task=block["task"],
        scores={name: values[name] for name in metrics},
        ratings={name: values[name] for name in ratings},
    )
