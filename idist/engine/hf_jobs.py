"""Shards as Hugging Face Jobs. The recipe stays here and waits; a bucket carries files between here and the Jobs.

For each job of a stage there is a folder of its own in the bucket, named by what the job is made with (`claim`): a Job
of an earlier call can never put its rows among those of another config. What the Jobs need of the run goes up first,
each finished shard comes back, its receipt last. The token travels as a secret of the Job; no file has it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datatrove.executor.jobs import ARRAY_INDEX_ENV_VAR, JobsPipelineExecutor
from datatrove.io import DataFolder, get_datafolder

from idist.config import EngineConfig
from idist.engine.claims import digest, peek
from idist.engine.elsewhere import NotingStep, failures, forget_failures, raise_failure, unmade
from idist.engine.job import Job
from idist.engine.local import ShardStep
from idist.engine.shards import read_json, receipt_path, table_path, write_bytes
from idist.errors import UserError

NOT_SENT = ("datatrove", "progress", "failures", "checkpoints", "hub")  # folders of a run that no shard reads
SMALL = 1 << 20  # bytes; larger files that are there with the same size are not sent again


class CarryingStep(NotingStep):
    """In a Job: bring the run here, make a shard, send it back."""

    def __init__(self, job: Job, remote: str) -> None:
        super().__init__(job)
        self.remote = remote

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Make shard ``rank``."""
        carrier = Carrier(self.job, self.remote)
        carrier.fetch_run()
        try:
            super().run(data, rank, world_size)
        finally:
            carrier.send_shard(rank)


class HfJobsExecutor(JobsPipelineExecutor):
    """datatrove's executor, one Job for each rank that is not marked as complete, with the run's files carried."""

    def __init__(self, settings: EngineConfig, step: ShardStep, ranks: int, logs: Path) -> None:
        _check_settings(settings)
        mark = digest((peek(step.job.folder, step.job.name) or {}).get("fingerprint", {}))
        remote = f"{str(settings.hf_folder).rstrip('/')}/{_name(step.job)}-{mark}"
        super().__init__(
            [CarryingStep(step.job, remote)],
            tasks=ranks,
            workers=settings.workers or -1,
            logging_dir=f"{remote}/datatrove",
            flavor=settings.hf_flavor,
            dependencies=[*settings.hf_dependencies, "datatrove[io]"],
            timeout=settings.hf_timeout,
            job_name=_name(step.job),
        )
        self.job, self.remote = step.job, remote

    def run(self) -> None:
        """Here: send, launch, wait and fetch. In a Job: make its shard.

        Raises:
            UserError: no token, or shards that could not be made.
        """
        if ARRAY_INDEX_ENV_VAR in os.environ:
            super().run()
            return
        _check_token()
        self._ensure_logging_dir_repo()  # the bucket, before it is looked into
        forget_failures(self.job)
        ranks = unmade(self.job, range(self.tasks))
        carrier = Carrier(self.job, self.remote)
        carrier.fetch_shards(ranks)  # an earlier call's
        self._mark()
        carrier.forget_failures()
        if missing := unmade(self.job, ranks):
            print(f"HF Jobs: {len(missing)} shards of {self.job.label} in {self.remote}", file=sys.stderr, flush=True)
            carrier.send_run()
            super().run()
            carrier.fetch_shards(missing)
        if missing := unmade(self.job, ranks):
            raise_failure(self.job, missing, f"HF Jobs {self.job_name}", f"{self.remote}/datatrove/logs")

    def _mark(self) -> None:
        """The markers in the bucket say what the receipts here say."""
        missing = set(unmade(self.job, range(self.tasks)))
        for rank in range(self.tasks):
            marker = f"completions/{rank:05d}"
            if rank not in missing:
                self.logging_dir.open(marker, "w").close()
            elif self.logging_dir.isfile(marker):
                self.logging_dir.rm_file(marker)


class Carrier:
    """Files between the run's folder on this machine and two of the bucket, by the same names: ``run`` has what the
    shards read, ``made`` what they are."""

    def __init__(self, job: Job, remote: str) -> None:
        self.job, self.run = job, job.folder.parent
        self.there: DataFolder = get_datafolder(f"{remote}/run")
        self.made: DataFolder = get_datafolder(f"{remote}/made")

    def send_run(self) -> None:
        """All that a shard may read; large files that are there already stay."""
        for path in self._files():
            name, size = self._name(path), path.stat().st_size
            if size < SMALL or not self.there.isfile(name) or self.there.size(name) != size:
                self._send(path, self.there)

    def fetch_run(self) -> None:
        """All that was sent, but what is here."""
        for name in self.there.list_files(""):
            if not (self.run / name).is_file():
                self._fetch(name, self.there)

    def send_shard(self, rank: int) -> None:
        """Its tables, then its receipt; or why there is none."""
        receipt = receipt_path(self.job.folder, self.job.name, rank)
        note = failures(self.job) / f"{rank:05d}.json"
        if receipt.is_file():
            for table in read_json(receipt)["files"]:
                self._send(table_path(self.job.folder, table, rank), self.made)
            self._send(receipt, self.made)
        elif note.is_file():
            self._send(note, self.made)

    def fetch_shards(self, ranks: list[int]) -> None:
        """Those of the ranks that are finished, each receipt after its tables; of the others why not."""
        self.made.fs.invalidate_cache()
        for rank in ranks:
            receipt = receipt_path(self.job.folder, self.job.name, rank)
            note = failures(self.job) / f"{rank:05d}.json"
            if self.made.isfile(self._name(receipt)):
                with self.made.open(self._name(receipt), "rb") as handle:
                    content = handle.read()
                for table in json.loads(content)["files"]:
                    self._fetch(self._name(table_path(self.job.folder, table, rank)), self.made)
                write_bytes(receipt, content)
            elif self.made.isfile(self._name(note)):
                self._fetch(self._name(note), self.made)

    def forget_failures(self) -> None:
        """Of an earlier call."""
        for rank in range(len(self.job.items)):
            name = self._name(failures(self.job) / f"{rank:05d}.json")
            if self.made.isfile(name):
                self.made.rm_file(name)

    def _files(self) -> Iterator[Path]:
        for path in sorted(self.run.rglob("*")):
            parents = set(path.relative_to(self.run).parts[:-1])
            if path.is_file() and not parents.intersection(NOT_SENT) and path.name != ".lock" and path.suffix != ".tmp":
                yield path

    def _name(self, path: Path) -> str:
        return path.relative_to(self.run).as_posix()

    def _send(self, path: Path, folder: DataFolder) -> None:
        with folder.open(self._name(path), "wb") as handle:
            handle.write(path.read_bytes())

    def _fetch(self, name: str, folder: DataFolder) -> None:
        with folder.open(name, "rb") as handle:
            write_bytes(self.run / name, handle.read())


def _name(job: Job) -> str:
    return re.sub(r"[^\w.-]+", "-", f"idist-{job.folder.parent.name}-{job.label}")


def _check_settings(settings: EngineConfig) -> None:
    folder = settings.hf_folder or ""
    if "://" not in folder or folder.startswith(("file:", "local:")):
        raise UserError(
            f"engine.hf_folder is {settings.hf_folder!r}, expected a folder of a bucket that the Jobs and this machine "
            "share, such as hf://buckets/NAME/BUCKET/runs."
        )
    if not settings.hf_dependencies:
        raise UserError(
            "engine.hf_dependencies is empty, expected what a Job installs, such as ['idist @ git+https://...@COMMIT']."
        )


def _check_token() -> None:
    from huggingface_hub import get_token

    if get_token() is None:
        raise UserError("engine.executor is hf_jobs, but there is no token: set HF_TOKEN or run `hf auth login`.")
