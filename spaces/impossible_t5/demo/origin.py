"""Where a student comes from: its folder, and the critics of the run that made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from idist.config import load_config
from idist.errors import UserError
from idist.hub import download, read_lineage
from idist.hub.releases import LINEAGE
from idist.models import resolve
from idist.release.portable import rebuild_config

Composition = list[dict[str, dict[str, Any]]]

# Of a student that says nothing of its critics: those of the shipped run `mini`.
EMBEDDED: Composition = [
    {"rouge_l": {"max": 0.75}},
    {"tree_edit_distance": {"min": 5, "parser": "embedded:parser"}},
    {"similarity": {"min": 0.6, "model": "embedded:encoder"}},
    {"entailment": {"min": 0.75, "directions": "both", "model": "embedded:entailment"}},
]


def fetch(name: str) -> str:
    """The folder of a student that this toolkit published, with all that lies beside its weights; any other name as it
    is."""
    path, revision = resolve(name)
    if Path(path).is_dir():
        return path
    try:
        download("model", path, revision, [LINEAGE])
    except UserError:
        return name  # somebody else's model, or out of reach: loading it says which
    return str(download("model", path, revision))


def critics_of(folder: str) -> Composition:
    """The critics that judged the student's own pairs in its run; `EMBEDDED` where that is not known.

    Args:
        folder: from `fetch`; in a run, or a release with its ``lineage.json``.

    Raises:
        UserError: the run's config or the lineage is damaged, or names a model that was never published.
    """
    path = Path(folder).resolve()
    if (path / LINEAGE).is_file():
        return rebuild_config(read_lineage(path)).self_distil_critics() or EMBEDDED
    if len(path.parents) > 1 and (path.parents[1] / "config.yaml").is_file():
        return load_config(path.parents[1] / "config.yaml").self_distil_critics() or EMBEDDED
    return EMBEDDED
