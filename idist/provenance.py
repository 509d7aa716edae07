"""Where rows, weights and scores were made: library versions, hardware, the toolkit's commit, commits of Hub inputs."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_MIB = 1 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?@\S+")  # what `idist.models.fingerprint` gives for a Hub id
_WEIGHTS = ("weights", "student")  # keys of fingerprints that hold a model's
DATASET = "datasets/"  # before the name of a dataset, as in the Hub's addresses


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """Version of Python and of those libraries that are installed, without importing any of them."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue  # an extra that is not installed, or a checkout without a distribution
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
    """Commit of the checkout that this code runs from, with ``-dirty`` if it was changed; None if installed."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def made_here() -> dict[str, Any]:
    """What a stage notes of where it was made: the toolkit's ``commit`` and the ``hardware``."""
    return {"commit": commit(), "hardware": [hardware()]}


def hub_commits(*fingerprints: Any) -> dict[str, str | None]:
    """The commits that the Hub's models and datasets in fingerprints stood for.

    They are read from the local cache, where whatever loaded them noted them: nothing is asked of the Hub.

    Args:
        fingerprints: nested plain values; under ``weights``, ``student`` and ``models`` are names of models
            (``gpt2-xl@main``; folders and shipped models have ``folder:...`` there), under ``text`` of datasets.

    Returns:
        ``{"gpt2-xl@main": commit, "datasets/org/name@main": commit}``; None where the cache does not say.
    """
    found: dict[str, str | None] = {}
    for value in fingerprints:
        for kind, name in _hub_names(value):
            key = DATASET + name if kind == "dataset" else name
            if key not in found:
                found[key] = _cached_commit(kind, name)
    return found


def _hub_names(value: Any, inside: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _hub_names(inner, "weights" if inside == "models" else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _hub_names(inner, inside)
    elif isinstance(value, str) and _HUB_NAME.fullmatch(value):
        if inside in _WEIGHTS:
            yield "model", value
        elif inside == "text":
            yield "dataset", value


def _cached_commit(kind: str, name: str) -> str | None:
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.file_download import repo_folder_name

    repository, _, revision = name.partition("@")
    if _COMMIT.fullmatch(revision):
        return revision
    note = Path(HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type=kind) / "refs" / revision
    try:
        return note.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _gpu() -> str | None:
    """As torch calls it, if torch is loaded; else as the driver does: a run's own process may leave the models to its
    workers, and must not load torch for this."""
    torch = sys.modules.get("torch")
    if torch is None:
        return _gpu_of_driver()
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "mps" if torch.backends.mps.is_available() else None


def _gpu_of_driver() -> str | None:
    for about in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            lines = about.read_text().splitlines()
        except OSError:
            continue
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
        if named:
            return named[0]
    return None
