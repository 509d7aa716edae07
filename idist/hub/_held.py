"""The files of one commit on the Hub, compared without downloading them where that can be helped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from idist.errors import UserError
from idist.hub.releases import LINEAGE, Entry, Release, hash_bytes, parse_lineage, parse_listing

TEMPLATE = (".gitattributes", "README.md")  # what the Hub itself may put into a new repository


class Reader(Protocol):
    """The repository that the commit belongs to."""

    where: str

    def read(self, path: str, commit: str) -> bytes:
        """The content of a small file."""

    def is_first(self, commit: str) -> bool:
        """Whether nothing was committed before."""


class HubHeld:
    """The files of one commit; see `idist.hub.changes.Held`."""

    def __init__(self, repository: Reader, commit: str, entries: Mapping[str, Any]) -> None:
        self.commit, self.entries = commit, entries  # entries: path -> huggingface_hub.RepoFile
        self.files: Mapping[str, int] = {path: entry.size for path, entry in entries.items()}
        self._repository = repository
        self._hashes: dict[str, Entry] = {}
        self.listing = self._read_listing() if LINEAGE in entries else None
        self.untouched = set(entries) <= set(TEMPLATE) and repository.is_first(commit)

    def _read_listing(self) -> Mapping[str, Entry] | None:
        where = f"{LINEAGE} of {self._repository.where}"
        try:
            return parse_listing(parse_lineage(self._repository.read(LINEAGE, self.commit), where), where)
        except UserError as error:
            if not str(error).startswith(where):
                raise
            return None  # someone else's file of that name, which `compare` reports

    def holds(self, path: str, entry: Entry, release: Release | None) -> bool:
        """By the SHA-256 of a large file, the git hash of a small one, or its content where we do not have it."""
        remote = self.entries[path]
        if remote.size != entry.bytes:
            return False
        if remote.lfs is not None:
            return bool(remote.lfs.sha256 == entry.sha256)
        if release is not None:
            from huggingface_hub.utils.sha import git_hash

            return bool(remote.blob_id == git_hash((release.folder / path).read_bytes()))
        if path not in self._hashes:
            self._hashes[path] = hash_bytes(self._repository.read(path, self.commit))
        return self._hashes[path] == entry

    def text(self, path: str) -> str | None:
        """See `idist.hub.changes.Held`."""
        return self._repository.read(path, self.commit).decode("utf-8", "replace") if path in self.files else None
