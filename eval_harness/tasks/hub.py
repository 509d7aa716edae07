"""Datasets on the Hugging Face Hub as files of one commit.

A snapshot of the commit is taken first and read from disk then: with a revision that is not in the cache,
``load_dataset`` alone would quietly give other rows when the Hub cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idist import files
from idist.errors import UserError
from idist.hub.dataset_files import first_line


@dataclass
class HubSource:
    """A split of a dataset on the Hub.

    Attributes:
        dataset: its id, ``nyu-mll/glue``.
        split: its name.
        config: its configuration, if it has several.
        revision: commit, tag or branch; None: ``main``.
        files: pattern of the files to read; None: where ``push_to_hub`` puts the split.
    """

    dataset: str
    split: str = "test"
    config: str | None = None
    revision: str | None = None
    files: str | None = None

    def pattern(self) -> str:
        """Pattern of the split's files within the repository."""
        return self.files or f"{self.config or 'data'}/{self.split}-*"

    def address(self) -> str:
        """``nyu-mll/glue/mrpc``."""
        return f"{self.dataset}/{self.config}" if self.config else self.dataset


def records(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of parquet or JSON-lines files, read by `datasets`.

    Raises:
        UserError: another kind of file, or one that cannot be read.
    """
    import datasets

    kinds = {".parquet": "parquet", ".json": "json", ".jsonl": "json"}
    kind = kinds.get(files.plain_suffix(paths[0]))
    if kind is None:
        raise UserError(f"{paths[0].name} is of no kind that can be read, expected {', '.join(kinds)}, .csv or .tsv.")
    try:
        rows = datasets.load_dataset(kind, data_files=[str(path) for path in paths], split="train")
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise UserError(f"{paths[0]} cannot be read as {kind}: {first_line(error)}") from None
    yield from rows
