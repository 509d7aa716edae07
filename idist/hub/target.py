"""Publishing a release by rules that hold wherever it goes: nothing twice, nothing of others lost, no tag moved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from idist.errors import UserError
from idist.hub.changes import Difference, Held, Plan, Published, compare
from idist.hub.names import check_kind, check_tag, next_tag
from idist.hub.private import check_private
from idist.hub.releases import Release, read_release
from idist.hub.retries import Conflict, Retries


class Repository(Protocol):
    """One repository on the Hub or in a folder. Its methods may raise `Conflict`: look again, then decide again."""

    where: str  # address or folder
    retries: Retries
    has_commits: bool

    def exists(self) -> bool: ...

    def tags(self) -> Mapping[str, str]:
        """Tag -> commit."""

    def at(self, commit: str | None) -> Held | None:
        """What a commit holds; None: the head of main, and gives None if there is none yet."""

    def describe(self, commit: str) -> str:
        """A commit and its date in words."""

    def mark_of(self, commit: str) -> str | None:
        """What tells releases apart: equal for two commits that hold the same ``lineage.json``; None: none."""

    def create(self, release: Release) -> None: ...

    def put(self, release: Release, difference: Difference, held: Held | None, title: str) -> str:
        """Change main as the difference says, in one step; gives the new commit."""

    def set_tag(self, tag: str, commit: str, replace: bool) -> None: ...

    def branch(self, name: str) -> Held | None:
        """What a branch for partial results holds; None: there is no such branch."""

    def put_parts(self, branch: str, contents: Mapping[str, bytes], title: str) -> None:
        """Add files to a branch in one step; repository and branch are made if need be."""

    def drop_branch(self, branch: str) -> bool:
        """Delete a branch; False: there was none."""


class Target(ABC):
    """Where releases are published."""

    paths: tuple[Path, ...] = ()  # of this machine, looked for by `check_private` besides the usual

    @abstractmethod
    def open(self, kind: str, name: str) -> Repository:
        """A repository by its name, whether it exists or not."""

    @property
    @abstractmethod
    def secret(self) -> str | None:
        """The token in use, to be looked for in what is published."""

    def plan(self, folder: Path, kind: str, name: str, tag: str | None = None, overwrite: bool = False) -> Plan:
        """What `publish` would do with the same arguments. Only reads.

        Raises:
            UserError: as `publish`, but what ``overwrite`` allows is in the plan's ``replaces``.
        """
        release = self._read(folder, kind, tag)
        return _plan(release, self.open(kind, name), kind, name, tag)

    def publish(self, folder: Path, kind: str, name: str, tag: str | None = None, overwrite: bool = False) -> Published:
        """Publish a release folder: one step on main, then its tag. Ended half-way, the same call completes it.

        Args:
            folder: as written by the builders, with ``README.md`` and ``lineage.json``.
            kind: ``dataset``, ``model`` or ``space``.
            name: ``owner/name``; in a folder the owner may be left out.
            tag: of the release; None: the one it has if main holds it, else the next minor version.
            overwrite: replace another release under this tag, a release without a tag, files that were edited there.

        Raises:
            UserError: the folder is no whole release or holds something private, a name or tag is not allowed, what
                ``overwrite`` would be needed for, access refused, or the Hub stayed out of reach.
        """
        release = self._read(folder, kind, tag)
        repository = self.open(kind, name)
        plan = _plan(release, repository, kind, name, tag)
        if plan.replaces and not overwrite:
            raise UserError(_refusal(plan))
        if plan.done:
            commit = repository.tags()[plan.tag]
            return _published(plan, repository, commit, Difference(plan.changes), made=False)
        if plan.creates:
            repository.create(release)
        commit, difference = _put(release, repository, f"Release {plan.tag}", overwrite)
        repository.set_tag(plan.tag, commit, overwrite)
        return _published(plan, repository, commit, difference, made=True)

    def next_tag(self, kind: str, name: str) -> str:
        """The tag that a new release would get."""
        repository = self.open(check_kind(kind), name)
        return next_tag(repository.tags() if repository.exists() else ())

    def current_tag(self, kind: str, name: str) -> str | None:
        """The tag of the release that main holds; None: main holds none, or one without a tag."""
        repository = self.open(check_kind(kind), name)
        held = repository.at(None) if repository.exists() else None
        return _tag_of(held, repository, repository.tags()) if held is not None else None

    def _read(self, folder: Path, kind: str, tag: str | None) -> Release:
        check_kind(kind)
        if tag is not None:
            check_tag(tag)
        release = read_release(folder)
        check_private(folder, self.paths, self.secret)
        return release


def _plan(release: Release, repository: Repository, kind: str, name: str, tag: str | None) -> Plan:
    if not repository.exists():
        return Plan(name, kind, tag or next_tag(()), compare(release, None).changes, True, False, None)
    tags, head = repository.tags(), repository.at(None)
    difference = compare(release, head)
    known = _tag_of(head, repository, tags) if head is not None else None
    if tag is None:
        tag = known if known and difference.empty else next_tag(tags)
    if tag in tags:
        there = compare(release, repository.at(tags[tag]))
        if there.empty:
            return Plan(name, kind, tag, there.changes, False, True, None)
    reasons = []
    if tag in tags:
        reasons.append(f"tag {tag} holds another release ({repository.describe(tags[tag])})")
    if head is not None and head.listing is not None and known is None and not difference.empty:
        reasons.append(f"main holds another release that has no tag yet ({repository.describe(head.commit)})")
    reasons += difference.disputes
    replaces = f"{kind} {name}: {'; '.join(reasons)}." if reasons else None
    return Plan(name, kind, tag, difference.changes, False, False, replaces)


def _refusal(plan: Plan) -> str:
    """The plan's sentence with the ways out."""
    sentence = (plan.replaces or "").removesuffix(".")
    other = "choose another --tag, or " if f"tag {plan.tag} holds" in sentence else ""
    return f"{sentence}: {other}replace it with --overwrite."


def _tag_of(held: Held, repository: Repository, tags: Mapping[str, str]) -> str | None:
    """The tag whose commit holds the same release; files that others changed since do not matter."""
    if held.listing is None:
        return None
    for tag, commit in tags.items():
        if commit == held.commit:
            return tag
    mark = repository.mark_of(held.commit)
    newest_first = reversed(list(tags.items()))
    return next((tag for tag, commit in newest_first if repository.mark_of(commit) == mark), None)


def _put(release: Release, repository: Repository, title: str, overwrite: bool) -> tuple[str, Difference]:
    """Change main until it holds the release; gives the commit that does, and what was changed first.

    What a commit holds is read again before it is believed: an answer may be lost although the commit was made, and
    the Hub leaves out what a ``.gitignore`` there names.
    """
    first, commit, pauses = None, None, repository.retries.pauses()
    while True:
        held = repository.at(commit)
        difference = compare(release, held)
        first = first or difference
        if held is not None and difference.empty:
            return held.commit, first
        if commit is not None:
            missing = ", ".join(change.path for change in difference.of("add", "replace", "delete"))
            raise UserError(f"{repository.where} does not take {missing}: look for them in its .gitignore.")
        if difference.disputes and not overwrite:
            raise UserError(f"{repository.where}: {'; '.join(difference.disputes)}: replace it with --overwrite.")
        try:
            commit = repository.put(release, difference, held, title)
        except Conflict as conflict:
            next(pauses)(conflict.trouble)


def _published(plan: Plan, repository: Repository, commit: str, difference: Difference, made: bool) -> Published:
    new = difference.of("add", "replace")
    return Published(
        repository=plan.repository,
        kind=plan.kind,
        where=repository.where,
        commit=commit if repository.has_commits else None,
        tag=plan.tag,
        uploaded=len(new),
        bytes=sum(change.bytes for change in new),
        same=len(difference.of("same")),
        deleted=len(difference.of("delete")),
        made=made,
    )
