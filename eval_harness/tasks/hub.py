"""Datasets on the Hugging Face Hub as files of one commit.

A snapshot of the commit is taken first and read from disk then: with a revision that is not in the cache,
``load_dataset`` alone would quietly give other rows when the Hub cannot be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval_harness.tasks import files
from idist.errors import UserError

COMMIT = re.compile(r"[0-9a-f]{40}")


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


def download(dataset: str, revision: str | None, patterns: Sequence[str]) -> tuple[list[Path], str]:
    """The files of a dataset that match, from the cache where they are in it, and the commit they belong to.

    Raises:
        UserError: no such dataset, revision or file; no access; the Hub cannot be reached, or must not be
            (``HF_HUB_OFFLINE``), and the files are not in the cache.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    # among its bases is the error that the client's HTTP library raises when a connection breaks
    failures: Any = (OSError, ValueError, *HfHubHTTPError.__bases__)
    try:
        folder = Path(snapshot_download(dataset, repo_type="dataset", revision=revision, allow_patterns=list(patterns)))
    except failures as error:
        raise UserError(_explained(dataset, revision, error)) from None
    found = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    if not found:
        raise UserError(_no_files(dataset, folder.name, patterns))
    return found, folder.name


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
        raise UserError(f"{paths[0]} cannot be read as {kind}: {_first_line(error)}") from None
    yield from rows


def _explained(dataset: str, revision: str | None, error: Exception) -> str:
    from huggingface_hub import is_offline_mode
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    at = f" at revision {revision!r}" if revision else ""
    if isinstance(error, HFValidationError):
        return f"{dataset!r} is no name of a dataset on the Hub, expected OWNER/NAME."
    if isinstance(error, GatedRepoError):
        return f"Dataset {dataset!r} is gated: accept its terms on the Hub and set HF_TOKEN."
    if isinstance(error, RepositoryNotFoundError):
        return f"Dataset {dataset!r} was not found on the Hub, or is private and HF_TOKEN gives no access to it."
    if isinstance(error, RevisionNotFoundError):
        return f"Dataset {dataset!r} has no revision {revision!r} on the Hub."
    if isinstance(error, HfHubHTTPError):
        return f"Dataset {dataset!r}: the Hub refused to give it: {_first_line(error)}"
    if is_offline_mode():
        return f"Dataset {dataset!r}{at} is not in the local cache and HF_HUB_OFFLINE forbids downloading it."
    return f"Dataset {dataset!r}{at} is not in the local cache and the Hub cannot be reached; go online once."


def _no_files(dataset: str, commit: str, patterns: Sequence[str]) -> str:
    from huggingface_hub import is_offline_mode

    wanted = f"{' or '.join(patterns)} of dataset {dataset!r} at commit {commit}"
    if is_offline_mode():
        return f"{wanted} is not in the local cache and HF_HUB_OFFLINE forbids downloading it."
    return f"{wanted} does not exist on the Hub, expected the pattern to match a file."


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
