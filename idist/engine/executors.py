"""Setting -> datatrove executor. The one place where a cluster would be added: a name here, a choice in `EngineConfig`.

Every executor runs the same step for ranks 0..n-1 and keeps its own logs and markers; receipts (`idist.engine.shards`)
decide what is finished, markers only tell the executor.
"""

from __future__ import annotations

import os
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


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_executor(settings: EngineConfig, step: Any, ranks: int, workers: int, logs: Path) -> PipelineExecutor:
    """Executor that runs ``step`` for every rank not yet marked as complete under ``logs``."""
    return {"local": _local}[settings.executor](step, ranks, workers, logs)


def _local(step: Any, ranks: int, workers: int, logs: Path) -> PipelineExecutor:
    from idist.engine.local import LocalExecutor

    return LocalExecutor([step], tasks=ranks, workers=workers, logging_dir=str(logs))
