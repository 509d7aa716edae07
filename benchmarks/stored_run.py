"""Sentences and candidate pairs of a finished run's stage `pairs`, for benchmarks that judge them again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from idist.config import load_config
from idist.critics import Group


@dataclass
class StoredRun:
    """Some of a run's contexts.

    Attributes:
        name: of the run.
        critics: its composition, as in its config.
        groups: their distinct sentences.
        columns: of the candidates of all of them, in order: ``context_id``, ``i``, ``j`` and the scores.
    """

    name: str
    critics: list[dict[str, dict[str, Any]]]
    groups: list[Group]
    columns: dict[str, np.ndarray]

    def pairs_where(self, wanted: np.ndarray) -> list[tuple[Group, np.ndarray]]:
        """For each group with any, the (P, 2) pairs among the candidates that are ``wanted``, (candidates,) bool."""
        found = []
        for group in self.groups:
            here = wanted & (self.columns["context_id"] == group.id)
            if here.any():
                found.append((group, np.stack([self.columns["i"][here], self.columns["j"][here]], axis=1)))
        return found


def stored_run(folder: Path, contexts: int) -> StoredRun:
    """``contexts`` of a run, spread evenly over it. Ends the program if the folder holds no scored pairs."""
    import pyarrow.parquet as parquet

    files = {table: sorted((folder / "pairs" / table).glob("*.parquet")) for table in ("sentences", "candidates")}
    if not all(files.values()):
        sys.exit(f"{folder} has no scored pairs; make them with recipes/distill.py.")
    tables = {table: [parquet.read_table(file).to_pydict() for file in own] for table, own in files.items()}
    rows = [
        (name, sentences)
        for table in tables["sentences"]
        for name, sentences in zip(table["context_id"], table["sentences"], strict=True)
    ]
    chosen = [rows[n] for n in np.unique(np.linspace(0, len(rows) - 1, min(contexts, len(rows))).astype(int))]
    names = [name for name, _ in chosen]
    joined = {
        column: np.concatenate([np.asarray(table[column]) for table in tables["candidates"]])
        for column in tables["candidates"][0]
        if column != "removed_by"
    }
    here = np.isin(joined["context_id"], names)
    config = load_config(folder / "config.yaml")
    return StoredRun(
        config.name,
        [dict(critic) for critic in config.pairs.critics],
        [Group(name, sentences) for name, sentences in chosen],
        {column: values[here] for column, values in joined.items()},
    )
