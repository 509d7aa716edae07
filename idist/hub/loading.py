"""Reading what was published: files of one revision, and the lineage of a release by its name or folder.

A revision is resolved to its commit first, so that a tag never silently gives the newest files, with the Hub in reach
or without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from idist.errors import UserError
from idist.hub.names import check_kind, check_name
from idist.hub.releases import LINEAGE, parse_lineage
from idist.hub.retries import TOKEN_ADVICE, Retries


def download(
    kind: str,
    repository: str,
    revision: str | None = None,
    files: Sequence[str] | None = None,
    endpoint: str | None = None,
    token: str | None = None,
) -> Path:
    """Files of one revision of a repository, from the Hub or, without a connection, from the cache.

    ``load_dataset(str(path))`` and ``from_pretrained(str(path))`` read the folder; its name is the commit.

    Args:
        kind: ``dataset``, ``model`` or ``space``.
        repository: ``owner/name``.
        revision: tag, branch or commit; None: main.
        files: paths or patterns such as ``data/*``; None: all.
        endpoint: address of the Hub; None: ``HF_ENDPOINT``, else huggingface.co.
        token: None: from the ordinary places.

    Raises:
        UserError: no such repository, revision or file, no access, or the Hub is out of reach and the revision was
            never downloaded.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import LocalEntryNotFoundError

    check_kind(kind)
    check_name(repository, with_owner=False)
    api = HfApi(endpoint=endpoint, token=token)
    where = f"{kind} {repository}" + (f" at {revision}" if revision else "") + f" on {api.endpoint}"

    def fetch() -> str:
        try:
            return api.snapshot_download(repository, repo_type=kind, revision=revision, allow_patterns=_list(files))
        except LocalEntryNotFoundError:
            raise UserError(
                f"{where}: the Hub is out of reach, or HF_HUB_OFFLINE is set, and this revision was not downloaded "
                "before."
            ) from None

    folder = Path(Retries(where, token or get_token(), (1.0, 4.0)).call(fetch))
    for name in files or ():
        if next(folder.glob(name), None) is None:
            raise UserError(f"{where} holds no {name}.")
    return folder


def _list(files: Sequence[str] | None) -> list[str] | None:
    return list(files) if files is not None else None


def read_lineage(
    source: str | Path, kind: str | None = None, endpoint: str | None = None, token: str | None = None
) -> dict[str, Any]:
    """The ``lineage.json`` of a release.

    Args:
        source: a release's folder, or ``owner/name``, with a revision as ``owner/name@v1.0.0``.
        kind: of the repository; None: a dataset, else a model, else a space of that name.
        endpoint: as for `download`.
        token: as for `download`.

    Raises:
        UserError: nothing found there, or it was not published by idist.
    """
    folder = Path(source)
    if folder.is_dir():
        if not (folder / LINEAGE).is_file():
            raise UserError(f"{folder} holds no {LINEAGE}: it was not published by idist.")
        return parse_lineage((folder / LINEAGE).read_bytes(), str(folder / LINEAGE))
    name, _, revision = str(source).partition("@")
    check_name(name, with_owner=False)
    kind = check_kind(kind) if kind is not None else _find_kind(name, endpoint, token)
    path = download(kind, name, revision or None, [LINEAGE], endpoint, token) / LINEAGE
    return parse_lineage(path.read_bytes(), f"{LINEAGE} of {kind} {source}")


def _find_kind(name: str, endpoint: str | None, token: str | None) -> str:
    """The kind of the repository of that name; without a connection, that of the cached one."""
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.file_download import repo_folder_name

    api = HfApi(endpoint=endpoint, token=token)
    kinds = ("dataset", "model", "space")
    retries = Retries(f"{name} on {api.endpoint}", token or get_token(), (1.0, 4.0))
    try:
        for kind in kinds:
            if retries.call(lambda kind=kind: api.repo_exists(name, repo_type=kind)):  # type: ignore[misc]
                return kind
    except UserError:
        cache = Path(constants.HF_HUB_CACHE)
        cached = [kind for kind in kinds if (cache / repo_folder_name(repo_id=name, repo_type=kind)).is_dir()]
        if not cached:
            raise
        return cached[0]
    raise UserError(
        f"{name} is neither a folder here nor a repository on {api.endpoint}, or it is private: "
        f"to see your own, {TOKEN_ADVICE}."
    )
