"""The folder of a run: its stages in order, their manifests, what they hand back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idist.config import RunConfig
from idist.engine import JobReport, check_idle, compare, digest, finished, has_results, peek, write_json
from idist.engine.shards import read_json
from idist.errors import UserError
from idist.provenance import hub_commits, made_here, versions

STAGES = ("contexts", "pairs", "train", "self_distil", "train_final", "control", "train_control")


@dataclass
class StageResult:
    """What a finished stage holds, for whoever prints it."""

    stage: str
    folder: Path
    made: int  # shards made by this call; 0: everything was there already
    rows: dict[str, int]  # of each table
    counts: dict[str, float] = field(default_factory=dict)
    funnel: dict[str, Any] = field(default_factory=dict)  # `idist.critics.Funnel.to_dict`; empty: no critics
    seconds: float = 0.0  # work in all shards, in all runs


@dataclass
class StagePlan:
    """What a stage would do, without loading a model."""

    stage: str
    folder: Path
    models: list[str]
    items: int  # contexts or sources asked for
    unit: str
    shards: int  # in the stage's longest job; 0: not known before the stage runs
    done: int  # of them
    state: str  # "to do", "begun", "finished" or "of another config"


def stage_folder(run: Path, stage: str) -> Path:
    """``runs/NAME/STAGE``."""
    return run / stage


def read_manifest(run: Path, stage: str) -> dict[str, Any] | None:
    """The manifest of a stage, or None if the stage has not finished."""
    path = stage_folder(run, stage) / "manifest.json"
    return read_json(path) if path.is_file() else None


def require_stage(run: Path, stage: str) -> dict[str, Any]:
    """`read_manifest` of a stage that this one reads.

    Raises:
        UserError: it has not finished.
    """
    manifest = read_manifest(run, stage)
    if manifest is None:
        raise UserError(f"{stage_folder(run, stage)} has no manifest.json: run the stage {stage!r} first.")
    return manifest


def write_manifest(
    result: StageResult, config: Mapping[str, Any], jobs: Mapping[str, tuple[Mapping[str, Any], JobReport]]
) -> None:
    """Say what the stage's folder holds and how it was made; unchanged if nothing was made.

    The manifest's ``fingerprint`` (16 digits over all jobs' fingerprints) is what later stages remember as their
    input.
    """
    path = result.folder / "manifest.json"
    mark = digest({name: fingerprint for name, (fingerprint, _) in jobs.items()})
    if not result.made and path.is_file() and read_json(path)["fingerprint"] == mark:
        return
    write_json(
        path,
        {
            "stage": result.stage,
            "fingerprint": mark,
            "rows": result.rows,
            "counts": result.counts,
            "funnel": result.funnel,
            "seconds": result.seconds,
            "config": config,
            "jobs": {
                name: {"fingerprint": fingerprint, "shards": report.shards, "rows": report.rows}
                for name, (fingerprint, report) in jobs.items()
            },
            "libraries": library_versions(),
            **_made_on(path),
            "commits": hub_commits(config.get("scores"), {name: mark for name, (mark, _) in jobs.items()}),
        },
    )


def _made_on(manifest: Path) -> dict[str, Any]:
    """Toolkit commit, and every machine that the stage was made on: cutting again on another one changes little."""
    here = made_here()
    before = read_json(manifest).get("hardware", []) if manifest.is_file() else []
    here["hardware"] = before + [machine for machine in here["hardware"] if machine not in before]
    return here


def library_versions() -> dict[str, str]:
    """Versions of what makes the rows, without importing any of it."""
    return versions(
        ("idist", "torch", "transformers", "trl", "tokenizers", "datasets", "pyarrow", "stanza", "datatrove")
    )


def shard_sizes(count: int, size: int) -> list[int]:
    """``count`` items cut into shards of ``size``, the last one maybe shorter."""
    return [min(size, count - start) for start in range(0, count, size)]


def number_type(config: RunConfig) -> str:
    """The number type that a run computes in here."""
    return resolved_type(config.device, config.dtype)


def resolved_type(device: str, dtype: str) -> str:
    """A number type, or what ``auto`` stands for on this machine. A name is not looked up, so that torch is imported
    for ``auto`` only."""
    if dtype != "auto":
        return dtype
    from idist.models import pick_device, pick_dtype

    return str(pick_dtype(dtype, pick_device(device))).removeprefix("torch.")


def plan_job(
    run: Path,
    stage: str,
    job: str,
    models: list[str],
    items: int,
    unit: str,
    shard_size: int,
    mark: Callable[[], Mapping[str, Any]],
    grows: str,
) -> StagePlan:
    """The plan of a stage by its dearest job; a job that was begun keeps the shard size it was begun with.

    ``mark`` and ``grows``: see `job_state`.
    """
    folder = stage_folder(run, stage)
    begun = peek(folder, job)
    if begun is not None:
        shard_size = begun["layout"].get("shard_size", shard_size)
    sizes = shard_sizes(items, shard_size)
    state = job_state(folder, job, "manifest.json", mark, grows)
    receipts = finished(folder, job) if begun else {}
    done, last = len(receipts), max(receipts, default=0)
    if state == "begun" and done and last < len(sizes) and receipts[last].get("items", sizes[last]) < sizes[last]:
        done -= 1  # of a job that goes on: its short last shard is made again
    shards = done if state == "finished" else len(sizes)  # it may have been cut otherwise
    return StagePlan(stage, folder, models, items, unit, shards, done, state)


def job_state(folder: Path, job: str, last: str, mark: Callable[[], Mapping[str, Any]], grows: str = "") -> str:
    """``to do``, ``begun``, ``finished`` or ``of another config``.

    Args:
        folder: of the stage.
        job: its dearest one.
        last: file that the stage writes when all is done.
        mark: gives the job's fingerprint, or raises a `UserError` where what it depends on is not there yet.
        grows: see `idist.engine.claim`.
    """
    begun = peek(folder, job)
    if begun is None:
        return "to do"
    try:
        how = compare(begun, mark(), grows)
    except UserError:  # an earlier stage is missing: nothing to compare with
        how = "same"
    if how != "same" and not has_results(folder, job):
        return "to do"
    if how == "other":
        return "of another config"
    return "finished" if how == "same" and (folder / last).is_file() else "begun"


def remake(run: Path, stage: str) -> list[str]:
    """Delete a stage and all that follow it, so that they are made again; gives the names of those deleted.

    The last stage goes first: killed half-way, what is left is still a whole chain.

    Raises:
        UserError: no stage of that name, or one that a Slurm job still works on.
    """
    from idist._schema import nearest
    from idist.stages.rounds import in_order, known_rounds

    stages = in_order(STAGES, known_rounds(run, stage))
    if stage not in stages:
        raise UserError(f"No stage is called {stage!r}; {nearest(stage, stages)}")
    deleted = []
    for name in stages[stages.index(stage) :]:
        check_idle(stage_folder(run, name))
    for name in reversed(stages[stages.index(stage) :]):
        folder = stage_folder(run, name)
        if folder.is_dir():
            shutil.rmtree(folder)
            deleted.append(name)
    return deleted[::-1]
