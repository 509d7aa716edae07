"""Storage of the small Hub that tests talk to: repositories in a folder, each commit with its whole table of files.

ROOT/{models,datasets,spaces}/NS/NAME/ holds repo.json (visibility, branches, tags), commits/SHA.json, blobs/GIT_SHA1
(regular files) and lfs/SHA256 (large files).
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

LFS_SIZE = 10 * 1024 * 1024  # larger files are LFS whatever .gitattributes says
LFS_TYPES = ("arrow", "bin", "gz", "model", "npy", "npz", "parquet", "safetensors", "tar", "zip", "png")
GITATTRIBUTES = "".join(f"*.{kind} filter=lfs diff=lfs merge=lfs -text\n" for kind in LFS_TYPES).encode()


class HubError(Exception):
    """What is answered instead: status, message, the X-Error-Code header, X-Repo-Commit, a body of its own."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        commit: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.commit = status, message, code, commit
        self.body = body or {"error": message}


def write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def git_sha(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def matches(path: str, pattern: str) -> bool:
    """Whether a .gitattributes or .gitignore pattern applies to a path (the common cases)."""
    target = path if "/" in pattern.rstrip("/") else path.split("/")[-1]
    pattern = pattern.strip("/")
    return fnmatch.fnmatchcase(target, pattern) or path.startswith(pattern + "/")


def front_matter(text: str) -> dict[str, Any] | None:
    """The metadata of a card, None if it has none; ValueError if they are not valid."""
    match = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", text, re.S)
    try:
        data = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError as error:
        raise ValueError(f"YAML Metadata Error: {error}") from error
    if not isinstance(data, dict | None):
        raise ValueError("YAML metadata must be a mapping")
    return data


class Repo:
    """One repository; ``kind`` is the plural that addresses have: models, datasets, spaces."""

    def __init__(self, root: Path, kind: str, owner: str, name: str) -> None:
        self.kind, self.owner, self.id = kind, owner, f"{owner}/{name}"
        self.web = self.id if kind == "models" else f"{kind}/{self.id}"
        self.dir = root / kind / owner / name

    def exists(self) -> bool:
        return (self.dir / "repo.json").is_file()

    def load(self) -> dict[str, Any]:
        return json.loads((self.dir / "repo.json").read_text())

    def save(self, state: dict[str, Any]) -> None:
        write_file(self.dir / "repo.json", json.dumps(state).encode())

    def at(self, sha: str) -> dict[str, Any]:
        return {"id": sha, **json.loads((self.dir / "commits" / f"{sha}.json").read_text())}

    def files(self, sha: str) -> dict[str, Any]:
        """path -> {oid, size[, lfs]}"""
        return self.at(sha)["files"]

    def content(self, file: dict[str, Any]) -> Path:
        return self.dir / "lfs" / file["lfs"]["oid"] if "lfs" in file else self.dir / "blobs" / file["oid"]

    def text(self, sha: str, path: str) -> str:
        """A file's content; empty if there is none."""
        files = self.files(sha)
        return self.content(files[path]).read_text() if path in files else ""

    def resolve(self, revision: str) -> str:
        """The commit of a branch, tag, full reference name, or abbreviated commit."""
        state = self.load()
        refs = {**state["tags"], **state["branches"]}
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        if name in refs:
            return refs[name]
        is_sha = re.fullmatch("[0-9a-f]{5,40}", revision)
        hits = [path.stem for path in (self.dir / "commits").glob(f"{revision}*.json")] if is_sha else []
        if len(hits) != 1:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return hits[0]

    def history(self, sha: str | None) -> Iterator[dict[str, Any]]:
        """Newest first."""
        while sha:
            commit = self.at(sha)
            yield commit
            sha = commit["parent"]

    def add_blob(self, data: bytes) -> dict[str, Any]:
        write_file(self.dir / "blobs" / git_sha(data), data)
        return {"oid": git_sha(data), "size": len(data)}

    def add_lfs(self, oid: str) -> dict[str, Any]:
        """The outer oid is that of the git pointer file, as on the Hub."""
        size = (self.dir / "lfs" / oid).stat().st_size
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()
        return {"oid": git_sha(pointer), "size": size, "lfs": {"oid": oid, "size": size, "pointerSize": len(pointer)}}

    def commit(self, state: dict[str, Any], branch: str, files: dict[str, Any], user: str, title: str) -> str:
        for path in files:
            if any(str(parent) in files for parent in PurePosixPath(path).parents):
                raise HubError(400, f"'{path}' lies below a file")
        commit = {
            "parent": state["branches"].get(branch),
            "user": user,
            "date": now(),
            "title": title,
            "message": "",
            "nonce": uuid.uuid4().hex,
            "files": dict(sorted(files.items())),
        }
        data = json.dumps(commit).encode()
        sha = hashlib.sha1(data).hexdigest()
        write_file(self.dir / "commits" / f"{sha}.json", data)
        state["branches"][branch] = sha
        self.save(state)
        return sha

    def listing(self, sha: str, folder: str = "", recursive: bool = False) -> list[dict[str, Any]] | None:
        """Files and folders below a folder, as the tree endpoint shows them; None if there is no such folder."""
        files, prefix = self.files(sha), folder and folder + "/"
        found: dict[str, dict[str, Any]] = {}
        for path in (path for path in files if path.startswith(prefix)):
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(2, len(parts))):
                inner = prefix + "/".join(parts[:depth])
                oid = hashlib.sha1(inner.encode()).hexdigest()
                found.setdefault(inner, {"type": "directory", "path": inner, "size": 0, "oid": oid})
            if recursive or len(parts) == 1:
                found[path] = {"type": "file", "path": path, **files[path]}
        return [found[path] for path in sorted(found)] if found or not folder else None

    def entry(self, sha: str, path: str) -> dict[str, Any] | None:
        """One file or folder of `listing`."""
        entries = self.listing(sha, path.rpartition("/")[0]) or []
        return next((entry for entry in entries if entry["path"] == path), None)

    def card(self, sha: str) -> dict[str, Any]:
        try:
            return front_matter(self.text(sha, "README.md")) or {}
        except ValueError:
            return {}
