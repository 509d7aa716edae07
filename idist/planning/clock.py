"""Time that is taken by work, as little disturbed by other programs as can be."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from idist.config import EngineConfig


@dataclass
class Clock:
    """Seconds of work on one device.

    A worker with one thread on a CPU is timed in processor time: what a free core would take, whatever else runs. With
    several threads, or on a GPU, only the time on the wall says how long work takes.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        wall, processor: seconds measured so far in one thread on the CPU; their ratio tells how busy the machine is.
    """

    device: str
    wall: float = 0.0
    processor: float = 0.0

    def seconds(self, work: Callable[[], Any]) -> float:
        """Of one call."""
        import torch

        alone = self.device == "cpu" and torch.get_num_threads() == 1
        self._wait()
        start, started = time.perf_counter(), time.process_time()
        work()
        self._wait()
        wall, processor = time.perf_counter() - start, time.process_time() - started
        if not alone:
            return wall
        self.wall += wall
        self.processor += processor
        return processor

    def least(self, work: Callable[[], Any], budget: float) -> float:
        """Of the quickest of as many calls as ``budget`` seconds allow: one that took them all, else two or more."""
        end = time.perf_counter() + budget
        best = self.seconds(work)
        while time.perf_counter() + best < end:
            best = min(best, self.seconds(work))
        return best

    @property
    def slowdown(self) -> float | None:
        """Wall seconds for each second of processor time; 1: the machine is free; None: not measured."""
        return max(1.0, self.wall / self.processor) if self.processor > 0.1 else None

    def _wait(self) -> None:
        """GPUs work on after a call has come back."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Torch on so many threads; None leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def worker_count(engine: EngineConfig) -> int:
    """Workers side by side: as many as `engine.workers` says, else those that this machine would start."""
    from idist.engine.executors import local_workers

    return local_workers(engine, sys.maxsize)
