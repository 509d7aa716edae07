"""What all tabs show: one task's results; and what a tab hands over so that it can be filled with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eval_harness.report.board import Board
from eval_harness.report.canvas import Picture
from eval_harness.report.published import Published
from standings.shelf import Standings


@dataclass(frozen=True)
class Chosen:
    """A task, the board of it that is looked at (None: nothing was measured), and what papers report."""

    standings: Standings
    task: str
    board: Board | None
    published: Published | None

    @classmethod
    def of(cls, standings: Standings, task: str | None, name: str | None) -> Chosen:
        """By names, the first where none is given; UserError for one that is not there."""
        task = task or standings.tasks[0]
        return cls(standings, task, standings.board(task, name), standings.published(task))


@dataclass(frozen=True)
class Chooser:
    """A tab.

    Attributes:
        outputs: components that another task changes.
        fill: what to put into them.
        later: inputs, function, outputs of what takes a while after that; None: nothing does.
    """

    outputs: list[Any]
    fill: Callable[[Chosen], list[Any]]
    later: tuple[list[Any], Callable[..., Any], list[Any]] | None = None


async def pictures_of(chosen: Chosen) -> list[Picture]:
    """Of its board, none without one, once they are drawn. Who leaves meanwhile does not stop the work for others."""
    if chosen.board is None:
        return []
    return await asyncio.shield(asyncio.wrap_future(chosen.standings.finished(chosen.board)))
