"""This machine: what its libraries must be told before they are first used, its cores and its GPUs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# A matrix product divided among another number of threads may differ in its last bits, and with it a score or, once in
# a while, a sampled token. MKL's strict mode does not (measured: no slower); it is read at MKL's first call, and worker
# processes inherit it. A person's own setting stands.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

# oneDNN keeps the last 1,024 kernels that it compiled, one for every shape of tensor, and sentences come in thousands
# of shapes. Small and long-lived, they lie between the large tensors in the heap, whose gaps then cannot be used again:
# memory grew from shard to shard. Eight are as many as a layer of a transformer asks for again and again (measured:
# no slower); read at oneDNN's first kernel.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

DRIVER = Path("/proc/driver/nvidia/gpus")  # a folder for each GPU, on Linux


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_threads(workers: int) -> int | None:
    """Torch's threads in each of so many workers of this machine, which divide its cores; a smaller OMP_NUM_THREADS of
    the person's own stands. None: torch's own choice (one worker has the machine)."""
    if workers == 1:
        return None
    own, share = os.environ.get("OMP_NUM_THREADS", ""), max(1, cores() // workers)
    return min(share, int(own)) if own.isdigit() and int(own) > 0 else share


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
