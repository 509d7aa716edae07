"""What publishing a release would change in a repository: the comparison that decides, whatever holds the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from idist.hub.releases import LINEAGE, Entry, Release

Action = Literal["add", "replace", "delete", "same"]


@dataclass(frozen=True)
class Change:
    """One file: its path in the repository and its size in bytes, the new one unless it is deleted."""

    path: str
    bytes: int
    action: Action


@dataclass(frozen=True)
class Plan:
    """What publishing would do."""

    repository: str
    kind: str
    tag: str
    changes: list[Change]
    creates: bool  # the repository does not exist yet
    done: bool  # this very release is there under this tag
    replaces: str | None  # a sentence on what only --overwrite may replace

    @property
    def upload_bytes(self) -> int:
        """Size of what is added or replaced."""
        return sum(change.bytes for change in self.changes if change.action in ("add", "replace"))


@dataclass(frozen=True)
class Published:
    """What publishing did; sizes in bytes, the rest in files."""

    repository: str
    kind: str
    where: str  # address or folder
    commit: str | None  # None: a folder has no commits
    tag: str
    uploaded: int
    bytes: int
    same: int
    deleted: int
    made: bool  # False: all was there


class Held(Protocol):
    """The files that one revision of a repository holds."""

    commit: str
    files: Mapping[str, int]  # path -> bytes
    listing: Mapping[str, Entry] | None  # what its own lineage.json lists; None: it holds no release
    untouched: bool  # only what the Hub itself put into a new repository

    def holds(self, path: str, entry: Entry, release: Release | None) -> bool:
        """Whether the file's content is ``entry``'s; ``release`` has it on this disk, which saves a download."""

    def text(self, path: str) -> str | None:
        """A small file's content; None: there is no such file."""


@dataclass(frozen=True)
class Difference:
    """From what is held to a release."""

    changes: list[Change] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)  # what others would lose, as parts of a sentence

    @property
    def empty(self) -> bool:
        """Whether the release is held as it is."""
        return all(change.action == "same" for change in self.changes)

    def of(self, *actions: Action) -> list[Change]:
        """Changes of these kinds."""
        return [change for change in self.changes if change.action in actions]


def compare(release: Release, held: Held | None) -> Difference:
    """What has to change so that the release is held.

    Files of an earlier release, by its own listing, are replaced or deleted; all others stay. A file that was put or
    edited there by someone else is a dispute where it would be replaced or deleted.
    """
    if held is None:
        return Difference([Change(path, entry.bytes, "add") for path, entry in sorted(release.files.items())])
    listing = held.listing or {}
    difference = Difference()
    for path in sorted(release.files.keys() | (listing.keys() & held.files.keys())):
        action = _action(path, release, held)
        size = release.files[path].bytes if path in release.files else held.files[path]
        difference.changes.append(Change(path, size, action))
        if action in ("replace", "delete") and not held.untouched and (problem := _dispute(path, listing, held)):
            difference.disputes.append(problem)
    return difference


def _action(path: str, release: Release, held: Held) -> Action:
    if path not in release.files:
        return "delete"
    if path not in held.files:
        return "add"
    return "same" if held.holds(path, release.files[path], release) else "replace"


def _dispute(path: str, listing: Mapping[str, Entry], held: Held) -> str | None:
    """Why a file may not be replaced or deleted just so."""
    if path == LINEAGE:
        return None if held.listing is not None else f"{LINEAGE} is there and was not written by idist"
    if path not in listing:
        return f"{path} is there and was not published by idist"
    if not held.holds(path, listing[path], None):
        return f"{path} was edited there since it was published"
    return None
