"""Shards made by processes that cannot raise their errors here: they leave them in a file beside the receipts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from idist.engine.job import Job
from idist.engine.local import ShardStep, make_shard
from idist.engine.shards import read_json, receipt_path, state_folder, write_json
from idist.errors import UserError


class NotingStep(ShardStep):
    """`ShardStep` that notes why a shard could not be made."""

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Make shard ``rank``; an error is noted and raised."""
        try:
            make_shard(self.job, rank, self.threads)
        except Exception as error:
            said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            write_json(failures(self.job) / f"{rank:05d}.json", {"user": isinstance(error, UserError), "said": said})
            raise


def failures(job: Job) -> Path:
    """Folder of the notes."""
    return state_folder(job.folder, job.name) / "failures"


def forget_failures(job: Job) -> None:
    """Before shards are tried again."""
    shutil.rmtree(failures(job), ignore_errors=True)


def unmade(job: Job, ranks: Iterable[int]) -> list[int]:
    """Those of the ranks that have no receipt; the folder is listed anew, which a network disk does not always do for a
    file that was not there before."""
    there = {path.name for path in receipt_path(job.folder, job.name, 0).parent.glob("*.json")}
    return [rank for rank in ranks if f"{rank:05d}.json" not in there]


def raise_failure(job: Job, missing: list[int], who: str, log: str) -> None:
    """Say why shards are missing after all has ended.

    Args:
        job: whose shards.
        missing: ranks, at least one.
        who: what has ended, as a person knows it.
        log: where the processes wrote.

    Raises:
        UserError: always: the first note, or that there is none.
    """
    notes = {rank: failures(job) / f"{rank:05d}.json" for rank in missing}
    for rank, path in notes.items():
        if path.is_file():
            note = read_json(path)
            raise UserError(
                note["said"] if note["user"] else f"Shard {rank} of {who} failed, {note['said']}; see {log}."
            )
    raise UserError(
        f"{who} has ended without {len(missing)} of {len(job.items)} shards of {job.label} (first {missing[0]:05d}); "
        f"see {log}, and run the same command again for the rest."
    )
