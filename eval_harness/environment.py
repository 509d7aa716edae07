"""Where a result was made: library versions, hardware, the source's commit, peak memory."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

from idist import provenance
from idist.errors import UserError
from idist.provenance import commit, hardware

__all__ = ["PeakMemory", "check_device", "commit", "hardware", "versions"]

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

    found = provenance.versions(LIBRARIES)
    return {"python": found.pop("python"), "idist": idist.__version__, **found}


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


def _cuda() -> bool:
    """Whether torch is loaded (a run that needs no model does not load it for this) and sees a GPU."""
    return "torch" in sys.modules and bool(sys.modules["torch"].cuda.is_available())
