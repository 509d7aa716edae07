"""Setting -> datatrove executor. A name here is a choice of `EngineConfig.executor`.

Every executor runs the same step for ranks 0..n-1 and keeps its own logs and markers; receipts (`idist.engine.shards`)
decide what is finished, markers only tell the executor. So a run may go on with another executor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import EngineConfig
from idist.engine.machine import gpus

if TYPE_CHECKING:
    from datatrove.executor.base import PipelineExecutor

LOCAL = "local"


def local_workers(settings: EngineConfig, missing: int) -> int:
    """Processes on this machine for so many shards."""
    return min(missing, settings.workers or max(1, len(gpus())))


def make_executor(settings: EngineConfig, step: Any, ranks: int, missing: int, logs: Path) -> PipelineExecutor:
    """Executor that runs ``step`` for every rank not yet marked as complete under ``logs``.

    Args:
        settings: the run's; `executor` says which.
        step: a datatrove step.
        ranks: of the job.
        missing: ranks that are not marked.
        logs: folder for the executor's own files.

    Raises:
        UserError: what the executor needs is not there (a package, an address, a command, a setting).
    """
    makers: dict[str, Callable[..., PipelineExecutor]] = {
        LOCAL: _local,
        "ray": _ray,
        "slurm": _slurm,
        "hf_jobs": _hf_jobs,
    }
    return makers[settings.executor](settings, step, ranks, missing, logs)


def _local(settings: EngineConfig, step: Any, ranks: int, missing: int, logs: Path) -> PipelineExecutor:
    from idist.engine.local import LocalExecutor

    workers = local_workers(settings, missing)
    return LocalExecutor([step], tasks=ranks, workers=workers, logging_dir=str(logs))


def _ray(settings: EngineConfig, step: Any, ranks: int, missing: int, logs: Path) -> PipelineExecutor:
    from idist.engine.ray_cluster import RayExecutor

    return RayExecutor(settings, step, ranks, logs)


def _slurm(settings: EngineConfig, step: Any, ranks: int, missing: int, logs: Path) -> PipelineExecutor:
    from idist.engine.slurm import SlurmExecutor

    return SlurmExecutor(settings, step, ranks, logs)


def _hf_jobs(settings: EngineConfig, step: Any, ranks: int, missing: int, logs: Path) -> PipelineExecutor:
    from idist.engine.hf_jobs import HfJobsExecutor

    return HfJobsExecutor(settings, step, ranks, logs)
