"""Everything that a report says, before it is written as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval_harness.report import plots
from eval_harness.report.board import Board, boards
from eval_harness.report.canvas import Picture
from eval_harness.report.collect import Collection
from eval_harness.report.published import Published, published
from eval_harness.report.samples import Sample, samples
from eval_harness.report.text import counted, listed, plain
from eval_harness.report.ties import mark_ties
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.registry import Registry


@dataclass(frozen=True)
class Section:
    """One task; ``pictures`` and ``samples`` by the name of a board."""

    task: str
    description: str
    boards: list[Board]
    pictures: dict[str, list[Picture]]
    samples: dict[str, list[Sample]]
    published: Published | None


@dataclass(frozen=True)
class Document:
    """``summary`` is a line on what was found, ``damaged`` a sentence for each file that was left out."""

    title: str
    summary: str
    damaged: list[str]
    sections: list[Section]


def compose(
    found: Collection, registry: Registry, with_plots: bool = True, say: Callable[[str], None] = lambda _: None
) -> Document:
    """Boards, tests, pictures, samples and reported rows of all tasks.

    Args:
        say: is told which board is being worked on.
    """
    made = boards(found.results, registry)
    for board in made:
        say(f"{board.name}: {counted(len(board.rows), 'system')}")
        mark_ties(board, registry)
    tasks = sorted({result.task for result in found.results})
    sections = [
        _section(task, [board for board in made if board.task == task], found, registry, with_plots) for task in tasks
    ]
    return Document("Leaderboard", _summary(found), [plain(sentence) for sentence in found.damaged], sections)


def _section(task: str, made: Sequence[Board], found: Collection, registry: Registry, with_plots: bool) -> Section:
    return Section(
        task=plain(task),
        description=_description(task, registry),
        boards=list(made),
        pictures={board.name: plots.pictures(board) if with_plots else [] for board in made},
        samples={board.name: samples(board) for board in made},
        published=published(task, found.results, registry),
    )


def _description(task: str, registry: Registry) -> str:
    """The task's own line; nothing for a task that is not registered here."""
    try:
        return plain(registry.task(task).description)
    except UserError:
        return ""


def _summary(found: Collection) -> str:
    dates = sorted({plain(result.meta["created"])[:10] for result in found.results})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    tasks = sorted({plain(result.task) for result in found.results})
    return f"{counted(len(found.results), 'result')} of {span} on {listed(tasks, 12)}."
