"""A whole run in seconds: settings, and a program that runs stages in a process of its own and may kill it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from idist.config import RunConfig, build_config

ROOT = Path(__file__).parents[2]
CRITICS: list[dict[str, Any]] = [
    {"rouge_l": {"max": 0.8, "floor": 0.9}},
    {"entailment": {"min": 0.4, "floor": 0.2, "model": "embedded:entailment"}},
    {"diversity": {"min": 0.4, "floor": 0.2}},
]
SETTINGS: dict[str, Any] = {
    "seed": 3,
    "contexts": {"model": "embedded:teacher", "count": 7, "max_new_tokens": 32, "max_sentences": 2},
    "pairs": {
        "model": "embedded:teacher",
        "k": 16,
        "max_new_tokens": 24,
        "no_repeat_ngram_size": 0,
        "critics": CRITICS,
    },
    # The shipped student has not been trained to paraphrase: hot sampling and loose thresholds keep some of its pairs.
    "self_distil": {
        "model": "embedded:teacher",
        "count": 24,
        "candidates": 6,
        "temperature": 1.2,
        "top_p": 1.0,
        "max_new_tokens": 24,
        "critics": [
            {"rouge_l": {"max": 0.95}},
            {"entailment": {"min": 0.1, "floor": 0.05, "model": "embedded:entailment"}},
        ],
    },
    "engine": {"shard_size": 2},
}

# Runs stages; kills itself, as a power cut would, when a file whose name ends in KILL_AT is about to be renamed into
# its place. Without torch where WITHOUT_MODELS is set.
PROGRAM = """
import importlib, json, os, pathlib, signal, sys

tree, folder, stages, kill_at, without_models = json.loads(sys.argv[1])
if __name__ == "__main__":
    if without_models:
        sys.modules["torch"] = sys.modules["stanza"] = None
    rename = pathlib.Path.replace

    def replace(self, target):
        if kill_at and str(target).endswith(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    pathlib.Path.replace = replace
    from idist.config import build_config
    from idist.errors import UserError

    try:
        for stage in stages:
            module = importlib.import_module("idist.stages." + stage)
            module.run(build_config(tree), pathlib.Path(folder), progress=False)
    except UserError as error:
        print(error)
        sys.exit(2)
"""


def settings(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """`SETTINGS` with dotted keys changed; a critic's setting by its name: ``pairs.critics.rouge_l.max``."""
    tree = copy.deepcopy(SETTINGS)
    for key, value in (changes or {}).items():
        here: Any = tree
        *parents, last = key.split(".")
        for part in parents:
            if isinstance(here, list):
                here = next(critic[part] for critic in here if part in critic)
            else:
                here = here.setdefault(part, {})
        here[last] = value
    return tree


def config(changes: dict[str, Any] | None = None) -> RunConfig:
    """`settings` as a checked config."""
    return build_config(settings(changes))


def run_program(
    folder: Path, stages: list[str], changes: dict[str, Any] | None = None, kill_at: str = "", models: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run stages in a process of their own."""
    script = folder.parent / "program.py"
    script.write_text(PROGRAM)
    arguments = json.dumps([settings(changes), str(folder), stages, kill_at, not models])
    return subprocess.run(
        [sys.executable, str(script), arguments],
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=300,
    )


def contents(folder: Path, *tables: str, stage: str = "*") -> dict[str, bytes]:
    """Bytes of all shards under a run's folder, by stage/table/file; of some tables or one stage only."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob(f"{stage}/*/*.parquet"))}
    assert found, f"nothing in {folder}"
    return {name: data for name, data in found.items() if not tables or name.split("/")[1] in tables}


def rows(folder: Path, stage: str, table: str) -> list[dict[str, Any]]:
    """All rows of a table, in order."""
    return [
        row for path in sorted((folder / stage / table).glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
