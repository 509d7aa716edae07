"""A folder of results, read: the good ones, and for the others one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval_harness import results
from eval_harness.results import Result
from idist._schema import nearest
from idist.errors import UserError


@dataclass(frozen=True)
class Collection:
    """Results that can be used, and why each other file cannot."""

    results: list[Result]
    damaged: list[str]


def collect(folder: Path, tasks: Sequence[str] = ()) -> Collection:
    """Read the results below a folder, of all tasks or of those named.

    Both files of a result are read whole, so that one with a damaged parquet file is left out, too. A file that
    cannot be read has no task: it is reported whatever the tasks.

    Raises:
        UserError: no such folder, no result in it, none that can be used, or none of a task that was named.
    """
    good: list[Result] = []
    damaged: list[str] = []
    for path in results.find(folder):
        try:
            result = results.read(path)
            _ = Result(path, result.meta).rows  # of another object: the rows are forgotten at once
        except UserError as error:
            damaged.append(str(error))
        else:
            good.append(result)
    if not good:
        raise UserError(f"No result below {folder} can be used ({len(damaged)} damaged); the first: {damaged[0]}")
    known = sorted({result.task for result in good})
    for task in tasks:
        if task not in known:
            raise UserError(f"There are no results of the task {task!r} below {folder}; {nearest(task, known)}")
    return Collection([result for result in good if not tasks or result.task in tasks], damaged)
