"""Releases to publish: small ones of any content, and a dataset of two configs with two splits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idist.hub import seal

CARD = "---\nlicense: apache-2.0\n---\n# A release\n"
TOKEN = "hf_" + "aliceAlice" * 4  # has the form of a real one
OTHER_TOKEN = "hf_" + "bobBobbobb" * 4
USERS = {TOKEN: ("alice", ["acme"]), OTHER_TOKEN: ("bob", [])}
NAME = "acme/dimple"


def make_release(folder: Path, files: Mapping[str, str | bytes] | None = None, card: str = CARD) -> Path:
    """A release of these files; made anew, as the builders do."""
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        path.rmdir() if path.is_dir() else path.unlink()
    for path, content in {"README.md": card, "data/train.txt": "one\n", **(files or {})}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    seal(folder, {"kind": "dataset", "name": NAME})
    return folder


def make_dataset(folder: Path, word: str, rows: int = 6) -> Path:
    """Configs ``default`` and ``teacher`` with splits ``train`` and ``validation``; texts begin with ``word``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    configs: list[dict[str, Any]] = []
    for config, place in (("default", "data"), ("teacher", "teacher")):
        splits = []
        for split, count in (("train", rows), ("validation", 2)):
            path = folder / place / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            texts = [f"{word} {config} {split} {i}" for i in range(count)]
            pq.write_table(pa.table({"id": list(range(count)), "x": texts}), path)
            splits.append({"split": split, "path": f"{place}/{split}-*.parquet"})
        # The description tells releases apart for `datasets`, which caches a folder by its name and this metadata.
        named = {"config_name": config, "description": word, "data_files": splits}
        configs.append(named | ({"default": True} if config == "default" else {}))
    front = json.dumps({"license": "apache-2.0", "configs": configs})  # JSON is YAML
    (folder / "README.md").write_text(f"---\n{front}\n---\n# {word}\n")
    seal(folder, {"kind": "dataset", "name": NAME})
    return folder
