"""Shards on this machine: the datatrove step around a job's work, and the local executor that runs it.

A module of its own because importing it imports datatrove, and because worker processes find these classes by name.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep

from idist.engine.job import Job
from idist.engine.machine import gpus
from idist.engine.progress import report
from idist.engine.shards import write_shard

_opened: dict[tuple[str, str], Any] = {}  # what works have opened in this process, by (stage folder, job)


class ShardStep(PipelineStep):
    """One rank -> one shard; takes and gives no documents."""

    type = "idist"
    name = "shard"

    def __init__(self, job: Job, threads: int | None = None) -> None:
        super().__init__()
        self.job, self.threads = job, threads

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Make shard ``rank``."""
        make_shard(self.job, rank, self.threads)


class LocalExecutor(LocalPipelineExecutor):
    """datatrove's local executor without its manager process, which outlives a parent that is killed.

    One worker is this process. Several are fresh processes (a fork would copy threads and models), each of which keeps
    its models from shard to shard, sees one of the GPUs and ends with this one.
    """

    def run(self) -> None:
        """Run the ranks that are not marked as complete; the first exception of a rank ends all."""
        ranks = self.get_incomplete_ranks()
        if self.workers == 1:
            for rank in ranks:
                self._run_for_rank(rank)
            return
        context = multiprocessing.get_context("spawn")
        given = (context.Value("i", 0), gpus())
        with context.Pool(self.workers, initializer=start_worker, initargs=given) as pool:
            for _ in pool.imap_unordered(self._run_for_rank, ranks):
                pass
            pool.close()
            pool.join()


def make_shard(job: Job, rank: int, threads: int | None) -> None:
    """What a rank does, in whatever process it runs; ``threads``: torch's, None to leave them as they are."""
    start = time.monotonic()
    with report(job.folder, job.name, rank) as tick:
        key = (str(job.folder), job.name)
        if key not in _opened:
            _opened[key] = job.work.open()
            _limit_threads(threads)
        shard = job.work.shard(_opened[key], rank, tick)
        write_shard(job.folder, job.name, rank, shard, time.monotonic() - start, job.items[rank])


def _limit_threads(threads: int | None) -> None:
    """Of torch, once it is loaded; None leaves them as they are."""
    if threads is None or "torch" not in sys.modules:  # without torch this work needs no model
        return
    import torch

    torch.set_num_threads(threads)


def close_work(job: Job) -> None:
    """Let go of what the job's work opened in this process."""
    _opened.pop((str(job.folder), job.name), None)


def start_worker(started: Any, gpus: list[str]) -> None:
    """In a worker: Ctrl-C is the parent's, datatrove's chatter is nobody's, and the parent's end is its own.

    Args:
        started: a number shared by all workers: how many have come here before.
        gpus: the parent's. Worker n sees the nth alone (of n workers on fewer GPUs, some share one); it must be said
            before torch is imported.
    """
    if gpus:
        with started.get_lock():
            number = started.value
            started.value += 1
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    from loguru import logger
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logger.disable("datatrove")
    tqdm.set_lock(threading.RLock())  # its own default is a semaphore, left over when a pool is ended early
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
