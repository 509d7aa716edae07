"""Releases whose cards are rendered from facts, and a process of its own that runs a card's snippets."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from idist.hub import seal
from idist.hub.cards import dataset_card, model_card, results_card
from idist.hub.facts import DatasetFacts, ModelFacts, ResultsFacts
from idist.models import EMBEDDED

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "model_cards"

# Runs pieces of Python as if each was pasted into a new interpreter, and tells what they printed and the first row of
# what they loaded.
PROGRAM = """
import contextlib, io, json, sys

told = []
for piece in json.loads(sys.argv[1]):
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(piece, "snippet", "exec"), names)
    rows = names.get("rows") or names.get("results")
    if hasattr(rows, "keys"):
        rows = rows["train"]
    told.append({"printed": printed.getvalue(), "first": rows[0] if rows else None})
print(json.dumps(told))
"""


def snippets(folder: Path) -> list[str]:
    """The Python blocks of a release's card, in order."""
    text = (folder / "README.md").read_text().split("\n---\n", 1)[1]
    return [token.content for token in MarkdownIt().parse(text) if token.type == "fence" and token.info == "python"]


def run_snippets(pieces: list[str], place: Path, settings: Mapping[str, str]) -> list[dict[str, Any]]:
    """What each piece printed (``printed``) and the first row that it loaded (``first``), called in folder ``place``.

    ``settings``: environment variables of the clients, which they read when they are imported.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(pieces)],
        cwd=place,
        env={
            **os.environ,
            "HF_HOME": str(place / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "PYTHONPATH": str(ROOT),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write_dataset(folder: Path, facts: DatasetFacts | ResultsFacts, word: str, template: str = "dimple") -> Path:
    """Parquet files as the facts have them, texts beginning with ``word``, the configs' digest; card and lineage."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = dataclasses.replace(facts, configs=[dataclasses.replace(config, digest=word) for config in facts.configs])
    for config in facts.configs:
        for split in config.splits:
            path = folder / split.files.replace("*", "00000-of-00001")
            path.parent.mkdir(parents=True, exist_ok=True)
            kinds = {feature.name: feature.type for feature in config.features}
            columns = {
                name: pa.array([f"{word} {config.name}" if kind == "string" else 0.5] * split.rows, kind)
                for name, kind in kinds.items()
            }
            pq.write_table(pa.table(columns), path)
    if isinstance(facts, ResultsFacts):
        card = results_card(facts, TEMPLATES)
    else:
        card = dataset_card(facts, TEMPLATES, template)
    return _finish(folder, card, "dataset", facts.name)


def write_model(folder: Path, facts: ModelFacts, weights: Path | str, template: str = "impossible-t5") -> Path:
    """A model with the card of the facts; ``weights``: its folder, or the name of one that ships."""
    shutil.copytree(EMBEDDED / weights, folder)
    return _finish(folder, model_card(facts, TEMPLATES, template), "model", facts.name)


def _finish(folder: Path, card: str, kind: str, name: str) -> Path:
    (folder / "README.md").write_text(card)
    seal(folder, {"kind": kind, "name": name})
    return folder
