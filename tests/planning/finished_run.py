"""The folder of a finished run, made by hand, so that every share that is learned from it is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from idist.config import RunConfig, build_config, dump_yaml

CRITICS = [{"rouge_l": {"max": 0.75}}, {"entailment": {"min": 0.75, "model": "embedded:entailment"}}]
NAN = float("nan")


def config(changes: dict[str, Any] | None = None) -> RunConfig:
    """Ten contexts of four samples, twenty sources of five candidates."""
    tree: dict[str, Any] = {
        "name": "small",
        "contexts": {"model": "embedded:teacher", "count": 10, "max_sentences": 1, "max_new_tokens": 16},
        "pairs": {"model": "embedded:teacher", "k": 4, "max_new_tokens": 16, "critics": CRITICS},
        "train": {"model": "embedded:student", "batch_size": 2, "epochs": 10, "held_out": 0.2, "evaluations": 5},
        "self_distil": {"model": "embedded:teacher", "count": 20, "candidates": 5, "max_new_tokens": 16},
        "engine": {"workers": 2, "shard_size": 3},
    }
    for section, settings in (changes or {}).items():
        tree[section] = {**tree.get(section, {}), **settings} if isinstance(settings, dict) else settings
    return build_config(tree)


def make(folder: Path) -> Path:
    """Leave it in ``folder``: 3 of 4 samples are different; of 30 candidates 20 are within ROUGE-L's floor, 5 of them
    asked about both ways, 4 kept."""
    own = config()
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_yaml(own))
    _json(folder / "contexts", {"counts": {"contexts": 10, "samples": 15}, "rows": {"contexts": 10}, "seconds": 36.0})
    scores = {"critics": {"rouge_l": {}, "entailment": {}}}
    steps = [{"name": "rouge_l", "seen": 30, "removed": 12}, {"name": "entailment", "seen": 18, "removed": 14}]
    _json(
        folder / "pairs",
        {
            "counts": {"contexts": 10, "sentences": 40, "distinct": 30},
            "rows": {"candidates": 30},
            "funnel": {"steps": steps},
            "config": {"pairs": {"k": 4}, "scores": scores},
            "seconds": 72.0,
        },
    )
    keep = [*steps, {"name": "keep_lowest_rouge_l", "seen": 4, "removed": 1}]
    _json(
        folder / "self_distil",
        {
            "counts": {"drawn": 30, "sources": 20, "candidates": 100, "distinct": 30},
            "rows": {"candidates": 30},
            "funnel": {"steps": keep},
            "config": {"scores": scores},
            "seconds": 7.2,
        },
    )
    for stage in ("pairs", "self_distil"):
        forward = [0.5] * 15 + [NAN] * 15
        backward = [NAN] * 10 + [0.9] * 10 + [NAN] * 10
        table = {"rouge_l": pa.array([0.1] * 30, pa.float32())}
        table |= {"entailment_xy": pa.array(forward, pa.float32()), "entailment_yx": pa.array(backward, pa.float32())}
        _table(folder / stage / "candidates", table)
        _table(folder / stage / "sentences", {"sentences": pa.array([["Two words.", "Now four words here."]])})
    for stage in ("train", "train_final"):
        done = {"steps": 30, "planned_steps": 60, "config": {"epochs": 10.0, "batch_size": 2}, "seconds": 3.6}
        (folder / stage).mkdir()
        (folder / stage / "training.json").write_text(json.dumps(done))
    return folder


def _json(folder: Path, manifest: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _table(folder: Path, columns: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "00000.parquet")
