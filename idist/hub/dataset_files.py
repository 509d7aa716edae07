"""Files of a dataset on the Hub, of one commit.

A snapshot of the commit is taken first and read from disk then: with a revision that is not in the cache,
``load_dataset`` alone would quietly give other rows when the Hub cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from idist.errors import UserError


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
        return f"Dataset {dataset!r}: the Hub refused to give it: {first_line(error)}"
    if is_offline_mode():
        return f"Dataset {dataset!r}{at} is not in the local cache and HF_HUB_OFFLINE forbids downloading it."
    return f"Dataset {dataset!r}{at} is not in the local cache and the Hub cannot be reached; go online once."


def _no_files(dataset: str, commit: str, patterns: Sequence[str]) -> str:
    from huggingface_hub import is_offline_mode

    wanted = f"{' or '.join(patterns)} of dataset {dataset!r} at commit {commit}"
    if is_offline_mode():
        return f"{wanted} is not in the local cache and HF_HUB_OFFLINE forbids downloading it."
    return f"{wanted} does not exist on the Hub, expected the pattern to match a file."


def first_line(error: BaseException) -> str:
    """What an error says first; its name where it says nothing."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
