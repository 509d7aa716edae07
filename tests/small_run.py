"""One whole run of `recipes/distill.py`, small and offline, for all tests that need one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "contexts.count": 40,
    "pairs.k": 24,
    "pairs.critics.rouge_l.max": 0.85,
    "pairs.critics.tree_edit_distance.min": 3,
    "pairs.critics.similarity.min": 0.5,
    "pairs.critics.entailment.min": 0.6,
    "pairs.critics.diversity.min": 0.9,
    "train.batch_size": 2,
    "train.epochs": 10,
    "self_distil.count": 240,
    "self_distil.temperature": 1.5,  # a student of a hundred steps mostly copies otherwise
    "evaluation.limit": 12,
    "engine.shard_size": 8,
}


def recipe(name: str, *arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A recipe as a person calls it, in ``folder``."""
    command = [sys.executable, str(ROOT / "recipes" / f"{name}.py"), *arguments]
    known = os.environ | {"HF_HUB_OFFLINE": "1"} | environment
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True)


def distil(runs: Path, *more: str) -> str:
    """Run it (or what is missing of it) and give what it printed."""
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    done = recipe("distill", "--runs", str(runs), *more, *settings, folder=runs)
    assert done.returncode == 0, done.stderr
    return done.stdout
