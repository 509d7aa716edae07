"""How the dataset was made: what each critic removed, and some of the pairs that are left, with their contexts.

A release of the Hub, a release's folder and a run's folder hold the same in other places.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idist.engine.shards import read_json
from idist.errors import UserError
from idist.hub import download, read_lineage
from idist.hub.releases import LINEAGE

SAMPLE = 400  # pairs of each kind that are kept in memory to be browsed
FILES = 4  # of a large dataset, from which they come
STAGES = {"pairs": "The teacher's pairs", "self_distil": "The student's own pairs"}
COUNTS = {
    "contexts": "contexts",
    "sentences": "next sentences of the teacher",
    "sources": "new sentences of the teacher",
    "candidates": "drawn by the student",
    "distinct": "different ones",
}
RELEASED = {"pairs": "teacher", "self_distil": "data", "contexts": "contexts"}
IN_RUN = {"pairs": "pairs/selected", "self_distil": "self_distil/selected", "contexts": "contexts/contexts"}


@dataclass
class Made:
    """What is told of a dataset.

    Attributes:
        name: as it was asked for.
        stages: stage -> its ``counts`` and ``funnel``, of those in `STAGES` that there are.
        pairs: stage -> pairs (``x``, ``y``, ``context`` or None, ``scores``).
    """

    name: str
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    pairs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def read(name: str) -> Made:
    """Read a dataset's story and a sample of its pairs.

    Args:
        name: Hub id (``you/dimple@v1.0.0``), a release's folder, or a run's.

    Raises:
        UserError: nothing of the kind is there, or it is damaged.
    """
    folder, told, places = _find(name)
    made = Made(name)
    for stage in STAGES:
        files = sorted((folder / places[stage]).glob("*.parquet"))
        if stage in told and files:
            made.stages[stage] = {"counts": told[stage]["counts"], "funnel": told[stage]["funnel"]}
            made.pairs[stage] = _sample(files)
    if not made.stages:
        raise UserError(f"Dataset {name!r} has no pairs, expected a release or a finished run of this toolkit.")
    _add_contexts(made.pairs.get("pairs", []), sorted((folder / places["contexts"]).glob("*.parquet")))
    return made


def left(funnel: dict[str, Any]) -> list[tuple[str, int, int, float]]:
    """(critic, removed, pairs left, their share of all candidates) of each step."""
    steps = funnel["steps"]
    total = steps[0]["seen"] if steps else 0
    rows = []
    for step in steps:
        remaining = step["seen"] - step["removed"]
        rows.append((step["name"], step["removed"], remaining, remaining / total if total else 0.0))
    return rows


def _find(name: str) -> tuple[Path, dict[str, Any], dict[str, str]]:
    """Folder, what each stage says of itself, and where the tables are."""
    folder = Path(name)
    if (folder / "config.yaml").is_file():
        manifests = {stage: folder / stage / "manifest.json" for stage in STAGES}
        return folder, {stage: read_json(path) for stage, path in manifests.items() if path.is_file()}, IN_RUN
    if folder.is_dir():
        return folder, read_lineage(folder).get("stages", {}), RELEASED
    repository, _, revision = name.partition("@")
    told = read_lineage(name, "dataset").get("stages", {})
    wanted = [f"{RELEASED[stage]}/*" for stage in (*STAGES, "contexts") if stage in told]
    return download("dataset", repository, revision or None, [LINEAGE, *wanted]), told, RELEASED


def _sample(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Pairs from some row groups of some files: reading all of a large dataset would take minutes."""
    import pyarrow.parquet as pq

    draw = random.Random(0)
    found: list[dict[str, Any]] = []
    # a run's shards are small, and there are many of them
    for file in draw.sample(list(files), min(len(files), FILES if files[0].stat().st_size > 1 << 20 else SAMPLE)):
        table = pq.ParquetFile(file)
        groups = range(table.num_row_groups)
        for group in draw.sample(groups, min(len(groups), 1)):
            rows = table.read_row_group(group).slice(0, 10 * SAMPLE).to_pylist()
            found += draw.sample(rows, min(len(rows), SAMPLE))
    draw.shuffle(found)
    plain = ("id", "context_id", "x", "y")
    return [
        {
            "context_id": row["context_id"],
            "context": None,
            "x": row["x"],
            "y": row["y"],
            "scores": {key: value for key, value in row.items() if key not in plain and isinstance(value, float)},
        }
        for row in found[:SAMPLE]
    ]


def _add_contexts(pairs: list[dict[str, Any]], files: Sequence[Path]) -> None:
    import pyarrow.parquet as pq

    wanted = {pair["context_id"] for pair in pairs}
    texts: dict[str, str] = {}
    for file in files:
        if wanted - texts.keys():
            rows = pq.read_table(file, columns=["id", "context"], filters=[("id", "in", sorted(wanted))]).to_pylist()
            texts |= {row["id"]: row["context"] for row in rows}
    for pair in pairs:
        pair["context"] = texts.get(pair["context_id"])
