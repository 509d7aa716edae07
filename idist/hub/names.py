"""Names of repositories and tags, checked before anything is asked or written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from idist.errors import UserError

KINDS = ("dataset", "model", "space")
FIRST_TAG = "v1.0.0"
BRANCHES = ("main", "partial")  # a tag of such a name could not be told from the branch

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


def check_kind(kind: str) -> str:
    """``dataset``, ``model`` or ``space``.

    Raises:
        UserError: anything else.
    """
    if kind not in KINDS:
        raise UserError(f"Kind {kind!r} of a repository is not known, expected one of: {', '.join(KINDS)}.")
    return kind


def check_name(name: str, with_owner: bool) -> str:
    """A repository's name by the Hub's rules.

    Args:
        name: ``dimple`` or ``org/dimple``.
        with_owner: whether the second form is needed.

    Raises:
        UserError: it is not a name, or has no owner although it needs one.
    """
    parts = name.split("/")
    valid = len(parts) <= 2 and all(_PART.fullmatch(part) for part in parts) and len(name) <= 96
    if not valid or "--" in name or ".." in name or name.endswith(".git"):
        raise UserError(
            f"{name!r} is no repository name: expected 'owner/name' of letters, digits, '-', '_' and '.', "
            "at most 96 characters, not beginning or ending with '-' or '.', without '--' and '..'."
        )
    if with_owner and len(parts) == 1:
        raise UserError(f"{name!r} has no owner: expected 'user/{name}' or 'organization/{name}'.")
    return name


def check_tag(tag: str) -> str:
    """A tag that is a git reference, a folder's name, and neither a branch nor a commit.

    Raises:
        UserError: it is not.
    """
    bad_form = not _TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", ".lock"))
    if bad_form or tag in BRANCHES or re.fullmatch("[0-9a-f]{5,40}", tag):
        raise UserError(
            f"Tag {tag!r} is not allowed: expected a name like {FIRST_TAG}, of letters, digits, '-', '_' and '.', "
            f"at most 64 characters, and neither a branch ({', '.join(BRANCHES)}) nor like a commit id."
        )
    return tag


def next_tag(tags: Iterable[str]) -> str:
    """The next minor version after the highest ``vX.Y.Z`` among ``tags``; v1.0.0 if there is none."""
    versions = [tuple(map(int, match.groups())) for tag in tags if (match := _VERSION.fullmatch(tag))]
    if not versions:
        return FIRST_TAG
    major, minor, _ = max(versions)
    return f"v{major}.{minor + 1}.0"
