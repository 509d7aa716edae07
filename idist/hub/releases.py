"""A release: a folder with a card, data or weights, and ``lineage.json``, which lists every other file of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from idist.errors import UserError

LINEAGE = "lineage.json"
SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One file: its size in bytes and the SHA-256 of its content, in hexadecimal digits."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Release:
    """A checked release folder; ``files`` holds ``lineage.json`` too."""

    folder: Path
    files: Mapping[str, Entry]
    lineage: Mapping[str, Any]


def hash_file(path: Path) -> Entry:
    """Read a file once, in pieces."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256") if hasattr(hashlib, "file_digest") else _digest(stream)
        return Entry(digest.hexdigest(), stream.tell())


def hash_bytes(content: bytes) -> Entry:
    """The same for content in memory."""
    return Entry(hashlib.sha256(content).hexdigest(), len(content))


def _digest(stream: Any) -> Any:
    """``hashlib.file_digest`` for Python 3.10."""
    digest = hashlib.sha256()
    while piece := stream.read(1 << 20):
        digest.update(piece)
    return digest


def list_files(folder: Path) -> list[str]:
    """Paths of all files below ``folder``, with ``/`` and sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def seal(folder: Path, lineage: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``lineage.json``: what is given, and under ``files`` the size and hash of every other file of the folder.

    The last step of building a release; the same content gives the same bytes. Gives what was written.
    """
    files = {path: hash_file(folder / path) for path in list_files(folder) if path != LINEAGE}
    listing = {path: {"sha256": entry.sha256, "bytes": entry.bytes} for path, entry in files.items()}
    whole = {"schema": SCHEMA, **lineage, "files": listing}
    temporary = folder / f".{LINEAGE}.tmp"
    temporary.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / LINEAGE)
    return whole


def parse_lineage(text: str | bytes, where: str) -> dict[str, Any]:
    """The content of a ``lineage.json``.

    Raises:
        UserError: not JSON, not such an object, or of a later schema than this version reads.
    """
    try:
        lineage = json.loads(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{where} is not valid JSON ({error}): it was not written by idist.") from error
    if not isinstance(lineage, dict) or not isinstance(lineage.get("schema"), int):
        raise UserError(f"{where} has no number 'schema': it was not written by idist.")
    if lineage["schema"] > SCHEMA:
        raise UserError(
            f"{where} has schema {lineage['schema']}, this version reads up to {SCHEMA}: install a newer one."
        )
    parse_listing(lineage, where)
    return lineage


def parse_listing(lineage: Mapping[str, Any], where: str) -> dict[str, Entry]:
    """What ``lineage`` lists under ``files``.

    Raises:
        UserError: no such listing, or a path that leads out of the folder.
    """
    listing = lineage.get("files")
    if not isinstance(listing, dict):
        raise UserError(f"{where} has no listing 'files': it was not written by idist.")
    entries = {}
    for path, entry in listing.items():
        parts = PurePosixPath(path).parts
        if not parts or PurePosixPath(path).is_absolute() or ".." in parts or ".git" in parts or path == LINEAGE:
            raise UserError(f"{where} lists {path!r} under 'files', expected a path inside the repository.")
        try:
            entries[path] = Entry(str(entry["sha256"]), int(entry["bytes"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{where} lists {path} without 'sha256' and 'bytes'.") from error
    return entries


def read_release(folder: Path) -> Release:
    """Read a release folder and compare every file with its listing.

    Raises:
        UserError: no folder, no ``README.md`` or ``lineage.json``, a file that is missing, unlisted or changed since.
    """
    path = folder / LINEAGE
    if not path.is_file():
        raise UserError(f"{folder} holds no {LINEAGE}: expected a release folder.")
    content = path.read_bytes()
    lineage = parse_lineage(content, str(path))
    listing = parse_listing(lineage, str(path))
    if "README.md" not in listing:
        raise UserError(f"{path} lists no README.md: a release has a card.")
    found = set(list_files(folder)) - {LINEAGE}
    for name in sorted(found ^ listing.keys()):
        problem = "is not listed in" if name in found else "is missing, but listed in"
        raise UserError(f"{folder / name} {problem} {LINEAGE}: build the release again.")
    for name, entry in listing.items():
        if (folder / name).stat().st_size != entry.bytes or hash_file(folder / name) != entry:
            raise UserError(
                f"{folder / name} is not what {LINEAGE} lists, it was changed since: build the release again."
            )
    return Release(folder, {**listing, LINEAGE: hash_bytes(content)}, lineage)
