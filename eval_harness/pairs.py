"""Held-out paraphrase pairs from a table with the columns ``source`` and ``target``; the bundled ones by default.

The bundled 220 pairs of everyday scenes (``data/scenes_pairs.tsv``, the task `scenes`) were written for this project;
no model that ships with idist has seen them.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from eval_harness.tasks.layouts import Table
from idist import files
from idist.errors import UserError

BUNDLED = Path(__file__).parent / "data" / "scenes_pairs.tsv"


def read_pairs(path: str | Path | None = None, limit: int | None = None) -> tuple[list[str], list[str]]:
    """Sources and targets of a ``.tsv`` or ``.csv`` file (``.gz`` or not), in the file's order, edges stripped.

    CSV cells may be quoted and hold line breaks; TSV cells are taken as they are. Columns other than ``source`` and
    ``target`` are ignored. Reading stops after ``limit`` pairs.

    Raises:
        UserError: no such file, another suffix, a damaged archive, not UTF-8, a missing column, a row with too few
            or too many cells, an empty source or target, no row at all, or a limit below 1.
    """
    path = BUNDLED if path is None else Path(path)
    if limit is not None and limit < 1:
        raise UserError(f"limit is {limit}, expected at least 1 pair.")
    if files.format_of(path) is None:
        suffix = files.plain_suffix(path) or "nothing"
        raise UserError(f"Pairs file {path} ends in {suffix!r}, expected .tsv, .csv, .tsv.gz or .csv.gz.")
    table = Table(path.name, source="source", references=["target"])
    pairs = [(row.source, row.references[0]) for row in islice(table.rows(path.parent), limit)]
    if not pairs:
        raise UserError(f"{path} has a header and no pairs, expected at least one row.")
    return [source for source, _ in pairs], [target for _, target in pairs]
