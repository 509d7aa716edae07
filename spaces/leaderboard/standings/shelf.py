"""The results that the page shows now, and what takes a while of them: tests against the best, and pictures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from eval_harness import reported
from eval_harness.exported import has_examples
from eval_harness.registry import Registry, discover
from eval_harness.report import plots
from eval_harness.report.board import Board, boards
from eval_harness.report.canvas import Picture
from eval_harness.report.published import Published, published
from eval_harness.report.text import counted, plain
from eval_harness.report.ties import mark_ties
from eval_harness.results import Result
from idist._schema import nearest
from idist.errors import UserError
from standings.settings import Places
from standings.sources import Source, Stamp

NOTHING = (
    "There are no measured results, so this page shows only what papers report. The tab Submit says how results are "
    "made; they are here after Reload."
)


@dataclass
class Shelf:
    """Everything that is shown, read anew when files have changed; one for all visitors.

    Args:
        places: gives the names of folders and datasets.
    """

    places: Places
    registry: Registry = field(default_factory=discover)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: dict[str, Source] = {}
        self._stamp: list[Stamp | str] | None = None
        self._worker = ThreadPoolExecutor(1, "standings")
        self._now: Standings | None = None

    def last(self) -> Standings:
        """What was there when somebody last looked: what a page in use is about."""
        return self._now or self.current()

    def current(self) -> Standings:
        """What there is now. Who comes while others are reading gets what was there before."""
        if not self._lock.acquire(blocking=self._now is None):
            assert self._now is not None
            return self._now
        try:
            names = self.places()
            self._sources = {name: self._sources.get(name) or Source(name) for name in names}
            sources = list(self._sources.values())
            stamp = [_stamp(source) for source in sources]
            if self._now is None or stamp != self._stamp:
                self._now, self._stamp = _read(sources, self.registry, self._worker), stamp
            return self._now
        finally:
            self._lock.release()


class Standings:
    """One reading.

    Args:
        found: of all sources, each result with its source.
        left_out: a sentence for each file or source that cannot be used.
        registry: knows tasks and metrics.
        worker: has one thread, in which tests and pictures are made.
    """

    def __init__(
        self,
        found: Sequence[tuple[Result, Source]],
        left_out: Sequence[str],
        registry: Registry,
        worker: ThreadPoolExecutor,
    ) -> None:
        self.results = [result for result, _ in found]
        self.left_out = [plain(sentence) for sentence in left_out]
        self.registry = registry
        self.boards: dict[str, Board] = {}
        for board in boards(self.results, registry):
            _name_by_source(board, {id(result): source for result, source in found})
            self.boards[board.name] = board
        self.tasks = _tasks(self.results)
        self._places = list({id(source): source for _, source in found}.values())
        self._worker = worker
        self._lock = threading.Lock()
        self._done: dict[str, Future[list[Picture]]] = {}

    def of_task(self, task: str) -> list[Board]:
        """Its boards.

        Raises:
            UserError: nothing measured or reported of a task of that name.
        """
        if task not in self.tasks:
            raise UserError(f"There is nothing of the task {task[:80]!r} here; {nearest(task[:80], self.tasks)}")
        return [board for board in self.boards.values() if board.task == task]

    def board(self, task: str, name: str | None) -> Board | None:
        """The task's board of that name, its first if no name is given; None: nothing was measured.

        Raises:
            UserError: no such task, no such board.
        """
        own = {board.name: board for board in self.of_task(task)}
        if name and name not in own:
            raise UserError(f"The task {task!r} has no results {name[:80]!r} (any more): press Reload.")
        return own[name] if name else next(iter(own.values()), None)

    def measured(self, task: str, name: str | None) -> Board:
        """The same where there must be one; UserError otherwise."""
        board = self.board(task, name)
        if board is None:
            raise UserError(f"Of {task} there are reported figures only: nothing was measured here.")
        return board

    def published(self, task: str) -> Published | None:
        """What papers report of a task."""
        return published(task, self.results, self.registry)

    def description(self, task: str) -> str:
        """The task's own line; nothing for a task that is not registered here."""
        try:
            return plain(self.registry.task(task).description)
        except UserError:
            return ""

    def finished(self, board: Board) -> Future[list[Picture]]:
        """Its pictures, after which its ties are marked, too: made once, whoever asks first."""
        with self._lock:
            if board.name not in self._done:
                self._done[board.name] = self._worker.submit(self._finish, board)
            return self._done[board.name]

    def said(self, error: UserError) -> str:
        """Its sentence without folders of this machine."""
        sentence = str(error)
        for source in self._places:
            sentence = source.said(sentence)
        return plain(sentence)

    def _finish(self, board: Board) -> list[Picture]:
        without = sum(not has_examples(row.result) for row in board.rows)
        if without:
            board.untested.append(
                f"Not tested for significance: {counted(without, 'system')} of {len(board.rows)} "
                "came without examples, as scores alone."
            )
        else:
            mark_ties(board, self.registry)
            board.untested = [self.said(UserError(sentence)) for sentence in board.untested]
        return plots.pictures(board)


def _stamp(source: Source) -> Stamp | str:
    try:
        return source.stamp()
    except UserError as error:
        return str(error)


def _read(sources: Sequence[Source], registry: Registry, worker: ThreadPoolExecutor) -> Standings:
    found: list[tuple[Result, Source]] = []
    left_out: list[str] = []
    for source in sources:
        try:
            collection = source.read()
        except UserError as error:
            left_out.append(source.said(str(error)))
        else:
            found += [(result, source) for result in collection.results]
            left_out += [source.said(sentence) for sentence in collection.damaged]
    return Standings(_once(found), left_out, registry, worker)


def _tasks(found: Sequence[Result]) -> list[str]:
    """Those with results first, then those that only papers have figures of."""
    names = sorted({result.task for result in found})
    return list(dict.fromkeys([*names, *(row.task for row in reported.rows())]))


def _name_by_source(board: Board, sources: dict[int, Source]) -> None:
    """Systems that were run twice are told apart by the name of the place, never by a folder of this machine."""
    for row in board.rows:
        own = sources[id(row.result)]
        twins = [sources[id(other.result)] for other in board.rows if other.result.system == row.result.system]
        if len({id(twin) for twin in twins}) == len(twins) > 1:
            row.label = plain(f"{row.result.system} ({own.title})")
        else:
            row.label = own.said(row.label)


def _once(found: Sequence[tuple[Result, Source]]) -> list[tuple[Result, Source]]:
    """The same system with the same scores (copying, in the evaluation of every run) is shown once."""
    kept: dict[str, tuple[Result, Source]] = {}
    for result, source in found:
        meta = result.meta
        scores = {name: (score["signature"], score["value"]) for name, score in meta["scores"].items()}
        system = meta["system"]["fingerprint"], meta["system"]["reported"]
        whole = (result.task, meta["protocol"], meta["task"]["fingerprint"], result.system, system, scores)
        kept.setdefault(repr(whole), (result, source))
    return list(kept.values())
