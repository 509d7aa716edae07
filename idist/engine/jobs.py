"""Run the unfinished shards of a job through an executor, with a progress bar, and report what is there afterwards."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from idist.config import EngineConfig
from idist.engine.executors import LOCAL, local_workers, make_executor
from idist.engine.job import Job, JobReport
from idist.engine.machine import worker_threads
from idist.engine.progress import Watch, bar
from idist.engine.queue import QUEUED, await_earlier
from idist.engine.shards import (
    Shard,
    disk_errors,
    finished,
    read_json,
    state_folder,
    sum_counts,
    sum_rows,
    write_json,
    write_shard,
)
from idist.errors import UserError


def run_job(job: Job, settings: EngineConfig, progress: bool = True) -> JobReport:
    """Make the shards that are missing; a finished shard is never made again, unless it has more items now.

    Raises:
        UserError: from the work itself, from a worker that was killed, from a full disk, from a damaged or vanished
            shard.
    """
    _await_earlier(job, settings, progress)
    done = _done(job)
    missing = [rank for rank in range(len(job.items)) if rank not in done]
    if missing:
        _run_missing(job, settings, done, len(missing), progress)
        done = _done(job)
        _check_whole(job, done)
    return _report(done, len(missing))


def _await_earlier(job: Job, settings: EngineConfig, progress: bool) -> None:
    """Shards that an earlier call left at work in Slurm's queue: what they have half-written is not swept away, and
    they are not made twice."""
    logs = state_folder(job.folder, job.name) / "datatrove"
    if (logs / QUEUED).is_file():
        with Watch(job, finished(job.folder, job.name), progress, False):
            await_earlier(logs, settings.executor)


def _done(job: Job) -> dict[int, dict[str, Any]]:
    """Receipts of the job's finished shards, what is half-written swept away. A job may have been begun with more
    shards than it is asked for now, or with fewer items in the last one (`claim`, ``grows``)."""
    items = dict(enumerate(job.items))
    whole = {
        rank: receipt
        for rank, receipt in finished(job.folder, job.name).items()
        if rank not in items or receipt.get("items", items[rank]) == items[rank]
    }
    _sweep(job, whole)
    return {rank: receipt for rank, receipt in whole.items() if rank < len(job.items)}


def _check_whole(job: Job, done: Mapping[int, Any]) -> None:
    """A manifest must not be written over fewer shards than the job has."""
    gone = [rank for rank in range(len(job.items)) if rank not in done]
    if gone:
        raise UserError(
            f"{job.folder}: {len(gone)} of {len(job.items)} shards of {job.name!r} (first {gone[0]:05d}) are not there "
            "after the run, something else removed them; run the same command again."
        )


def _run_missing(job: Job, settings: EngineConfig, done: Mapping[int, Any], missing: int, progress: bool) -> None:
    from idist.engine.local import ShardStep, close_work

    logs = state_folder(job.folder, job.name) / "datatrove"
    workers = local_workers(settings, missing) if settings.executor == LOCAL else 1
    step = ShardStep(job, worker_threads(workers))
    with disk_errors(job.folder), _quiet(), Watch(job, done, progress, workers > 1) as watch:
        try:
            _mark(logs, done, len(job.items))
            make_executor(settings, step, len(job.items), missing, logs).run()
        except KeyboardInterrupt:
            if watch.dead is None:
                raise
            raise UserError(
                f"{job.folder}: the worker process of shard {watch.dead} was killed, most often for want of "
                "memory; run the same command again, with fewer engine.workers if it happens again."
            ) from None
        finally:
            close_work(job)


def run_stream(job: Job, shards: Iterator[Shard], progress: bool = True) -> JobReport:
    """A job whose shards come one after the other out of a cheap stream, in this process.

    A killed stream, or one of which more is wanted now, is read again from its start, but finished shards are not
    written again unless they have changed. ``job.items`` has one number, the items expected in all; ``job.work`` is
    not used.

    Raises:
        UserError: from the stream itself, from a full disk, from a damaged shard.
    """
    ended = state_folder(job.folder, job.name) / "ended.json"
    done = finished(job.folder, job.name)
    _sweep(job, done)
    made = 0
    if not ended.is_file() or len(done) < read_json(ended)["shards"]:
        rank = -1
        with bar(job.label, sum(job.items), 0, job.unit, progress) as shown:
            for rank, shard in enumerate(shards):
                if rank not in done or _differs(done[rank], shard):
                    write_shard(job.folder, job.name, rank, shard, 0.0)
                    made += 1
                shown.update(max(table.num_rows for table in shard.tables.values()))
        write_json(ended, {"shards": rank + 1})
        done = finished(job.folder, job.name)
    return _report(done, made)


def _differs(receipt: Mapping[str, Any], shard: Shard) -> bool:
    """The last shard of a stream of which less was wanted: it has fewer rows, or it counted what the stream ended
    with."""
    before = {table: entry["rows"] for table, entry in receipt["files"].items()}
    rows = {name: table.num_rows for name, table in shard.tables.items()}
    return before != rows or receipt["counts"] != dict(shard.counts)


def _report(done: Mapping[int, Mapping[str, Any]], made: int) -> JobReport:
    receipts = [done[rank] for rank in sorted(done)]
    return JobReport(
        shards=len(receipts),
        made=made,
        rows=sum_rows(done),
        counts=sum_counts(done),
        notes=[receipt["notes"] for receipt in receipts],
        seconds=round(sum(receipt["seconds"] for receipt in receipts), 3),
    )


def _sweep(job: Job, done: Mapping[int, Any]) -> None:
    """Remove what a killed run left half-written, and receipts whose files are gone."""
    state = state_folder(job.folder, job.name)
    for receipt in (state / "receipts").glob("*.json"):
        if int(receipt.stem) not in done:
            receipt.unlink()
    shutil.rmtree(state / "progress", ignore_errors=True)
    for beside in [*job.folder.glob("*.tmp"), *job.folder.glob("*/*.tmp"), *state.rglob("*.tmp")]:
        beside.unlink(missing_ok=True)


def _mark(markers: Path, done: Mapping[int, Any], shards: int) -> None:
    """Make the executor's markers say what the receipts say."""
    completions = markers / "completions"
    completions.mkdir(parents=True, exist_ok=True)
    for rank in range(shards):
        marker = completions / f"{rank:05d}"
        if rank in done:
            marker.touch()
        else:
            marker.unlink(missing_ok=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """datatrove logs every step of every rank to stderr; an error still comes as an exception with its traceback."""
    from loguru import logger

    logger.disable("datatrove")
    try:
        yield
    finally:
        logger.enable("datatrove")
