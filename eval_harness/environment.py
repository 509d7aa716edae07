"""Where a result was made: library versions, hardware, the source's commit, peak memory."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from idist.errors import UserError

LIBRARIES = (
    "torch",
    "transformers",
    "datasets",
    "huggingface_hub",
    "numpy",
    "sacrebleu",
    "rouge-score",
    "bert-score",
    "stanza",
)
_MIB = 1 << 20
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def check_device(device: str) -> None:
    """Raises UserError for what is no device, and for a GPU that is not there (only then torch is imported)."""
    if not _DEVICE.fullmatch(device):
        raise UserError(f"The device is {device!r}, expected auto, cpu, cuda, cuda:N or mps.")
    if device in ("auto", "cpu"):
        return
    import torch

    count = int(torch.backends.mps.is_available()) if device == "mps" else torch.cuda.device_count()
    if int(device.partition(":")[2] or 0) >= count:
        raise UserError(f"The device {device!r} is not there; expected cpu, or auto, which takes what there is.")


def versions() -> dict[str, str]:
    """Version of Python, of idist and of every library that scores or predictions can depend on."""
    import idist

    found = {"python": platform.python_version(), "idist": idist.__version__}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """``cpu`` (its name), ``cores`` that this process may use, ``memory_mib``, ``gpu`` (its name, or None)."""
    import psutil

    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mib": round(psutil.virtual_memory().total / _MIB),
        "gpu": _gpu(),
    }


def commit() -> str | None:
    """Commit of the checkout that the harness runs from, with ``-dirty`` if it was changed; None if installed."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


class PeakMemory:
    """The most memory that this process had since the object was made, where the system can tell (Linux); elsewhere
    since the process began."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # sets the mark of the most memory to what is used now
        if _cuda():
            sys.modules["torch"].cuda.reset_peak_memory_stats()

    def mib(self) -> float:
        """In main memory."""
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
            return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024, 1)
        except (OSError, StopIteration):
            return _peak_of_process()

    def gpu_mib(self) -> float | None:
        """On the GPU, as far as torch took it; None without one."""
        return round(sys.modules["torch"].cuda.max_memory_allocated() / _MIB, 1) if _cuda() else None


def _peak_of_process() -> float:
    """MiB, since the process began."""
    if sys.platform == "win32":
        import psutil

        return round(psutil.Process().memory_info().peak_wset / _MIB, 1)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB, 1)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _gpu() -> str | None:
    if _cuda():
        return str(sys.modules["torch"].cuda.get_device_name())
    return "mps" if "torch" in sys.modules and sys.modules["torch"].backends.mps.is_available() else None


def _cuda() -> bool:
    """Whether torch is loaded (a run that needs no model does not load it for this) and sees a GPU."""
    return "torch" in sys.modules and bool(sys.modules["torch"].cuda.is_available())
