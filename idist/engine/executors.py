"""Setting -> datatrove executor. A name here is a choice of `EngineConfig.executor`.

Every executor runs the same step for ranks 0..n-1 and keeps its own logs and markers; receipts (`idist.engine.shards`)
decide what is finished, markers only tell the executor. So a run may go on with another executor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import EngineConfig

if TYPE_CHECKING:
    from datatrove.executor.base import PipelineExecutor

# A matrix product divided among another number of threads may differ in its last bits, and with it a score or, once in
# a while, a sampled token. MKL's strict mode does not (measured: no slower); it is read at MKL's first call, and worker
# processes inherit it. A person's own setting stands.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

# oneDNN keeps the last 1,024 kernels that it compiled, one for every shape of tensor, and sentences come in thousands
# of shapes. Small and long-lived, they lie between the large tensors in the heap, whose gaps then cannot be used again:
# memory grew from shard to shard. Eight are as many as a layer of a transformer asks for again and again (measured:
# no slower); read at oneDNN's first kernel.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

LOCAL = "local"
QUEUED = "queued.json"  # beside an executor's logs: the Slurm job that was left at work
DRIVER = Path("/proc/driver/nvidia/gpus")  # a folder for each GPU, on Linux


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """GPUs that this process may use, in the words of CUDA_VISIBLE_DEVICES; torch is asked only if it is there already,
    because importing it takes longer than some jobs."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        words = [word.strip() for word in named.split(",")]
        return words[: next((n for n, word in enumerate(words) if word in ("", "-1")), len(words))]
    if sys.modules.get("torch") is not None:
        return [str(number) for number in range(sys.modules["torch"].cuda.device_count())]
    return [str(number) for number in range(len(list(DRIVER.glob("*"))))]


def local_workers(settings: EngineConfig, missing: int) -> int:
    """Processes on this machine for so many shards."""
    return min(missing, settings.workers or max(1, len(gpus())))


def check_idle(folder: Path) -> None:
    """Before what is in a stage's folder is deleted: an array that still works there would put it back.

    Raises:
        UserError: there is one.
    """
    for queued in folder.glob(f"_engine/*/datatrove/{QUEUED}"):
        from idist.engine.slurm import await_earlier

        await_earlier(queued.parent, LOCAL)


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
