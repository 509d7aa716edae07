"""A progress bar over all shards that also moves inside them, whichever process they run in.

Each running shard keeps a small file ``_engine/JOB/progress/00003`` with its process id and the items it has finished;
a thread of the parent reads them. The same files tell the parent of a worker that died without a word.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from idist.engine.job import Job
from idist.engine.shards import state_folder

INTERVAL = 0.25  # seconds between two looks, and at least between two writes
CALL = getattr(signal, "SIGUSR1", signal.SIGINT)  # wakes the main thread that waits for a dead worker


@contextlib.contextmanager
def report(folder: Path, job: str, rank: int) -> Iterator[Callable[[float], None]]:
    """The shard's side: a ``tick(items)`` that keeps its file; the file goes when the shard ends, well or not."""
    path = state_folder(folder, job) / "progress" / f"{rank:05d}"
    state = {"items": 0.0, "written": 0.0}

    def write() -> None:
        with contextlib.suppress(OSError):  # a full disk is found by the shard itself
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{os.getpid()} {state['items']}")

    def tick(items: float) -> None:
        state["items"] += items
        if time.monotonic() - state["written"] > INTERVAL:
            state["written"] = time.monotonic()
            write()

    write()
    try:
        yield tick
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def bar(label: str, total: int, initial: int, unit: str, shown: bool) -> Any:
    """A tqdm bar on stderr with rate and time left; in a log file a line every half minute at most."""
    from tqdm import tqdm

    return tqdm(
        desc=label,
        total=total,
        initial=initial,
        unit=f" {unit}",
        mininterval=0.2 if sys.stderr.isatty() else 30.0,
        dynamic_ncols=True,
        disable=not shown,
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class Watch:
    """The parent's side: a tqdm bar on stderr (if wanted) and a look at the workers' health.

    Attributes:
        dead: rank of the shard whose worker process died, else None; the main thread is then interrupted.
    """

    def __init__(self, job: Job, done: Mapping[int, Any], shown: bool, processes: bool) -> None:
        self.job, self.processes = job, processes
        self.finished = set(done)
        self.dead: int | None = None
        self._missed: dict[int, int] = {}
        self._before: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        initial = sum(job.items[rank] for rank in self.finished)
        self._bar = bar(job.label, sum(job.items), initial, job.unit, shown)

    def __enter__(self) -> Watch:
        if self.processes and threading.current_thread() is threading.main_thread():
            # not SIGINT: a program that a script starts in the background has that ignored
            self._before = signal.signal(CALL, _interrupt)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._before is not None:
            signal.signal(CALL, self._before)
        self._show(self._look())
        self._bar.close()

    def _loop(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._show(self._look())
            if self.dead is not None:
                if self._before is not None:
                    signal.pthread_kill(threading.main_thread().ident or 0, CALL)
                return

    def _look(self) -> float:
        """Items finished in running shards; notes the shards that have ended."""
        items = 0.0
        state = state_folder(self.job.folder, self.job.name)
        receipts = {int(path.stem) for path in (state / "receipts").glob("*.json")}
        self.finished.update(receipts.intersection(range(len(self.job.items))))
        for path in (state / "progress").glob("*"):
            rank = int(path.name)
            with contextlib.suppress(OSError, ValueError):  # it may be being written, or gone by now
                pid, done = path.read_text().split()
                if rank not in self.finished:
                    items += min(float(done), self.job.items[rank])
                    self._check_alive(rank, int(pid))
        return items

    def _check_alive(self, rank: int, pid: int) -> None:
        """A file whose process is gone at two looks in a row: killed from outside, or by the system."""
        if not self.processes or os.name != "posix":
            return
        try:
            os.kill(pid, 0)
            self._missed[rank] = 0
        except ProcessLookupError:
            self._missed[rank] = self._missed.get(rank, 0) + 1
            if self._missed[rank] >= 2:
                self.dead = rank

    def _show(self, running: float) -> None:
        self._bar.update(int(sum(self.job.items[rank] for rank in self.finished) + running) - self._bar.n)
