"""Publishing to the Hugging Face Hub: one commit a release, its tag on that commit, every request tried again.

Large files are sent before the commit, one after another, so that memory stays flat and a second try finds them there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from idist.errors import UserError
from idist.hub._display import bar_of, quiet
from idist.hub._held import HubHeld
from idist.hub.changes import Difference, Held
from idist.hub.names import check_name
from idist.hub.releases import LINEAGE, Release
from idist.hub.retries import TOKEN_ADVICE, WAITS, Conflict, Retries
from idist.hub.target import Target

SENT_BEFORE = 1 << 20  # bytes; smaller files travel with the commit or in its batch

Answer = TypeVar("Answer")


class HubTarget(Target):
    """Publishes to the Hub.

    Args:
        endpoint: address of the Hub; None: ``HF_ENDPOINT``, else huggingface.co.
        token: None: from the ordinary places (``HF_TOKEN``, ``hf auth login``).
        private: create repositories as private ones; an existing public one is refused.
        waits: seconds between tries of one request.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        token: str | None = None,
        private: bool = False,
        waits: Sequence[float] = WAITS,
    ) -> None:
        self.endpoint, self.private, self.waits = endpoint, private, waits
        self._token = token

    def __repr__(self) -> str:
        """Without the token."""
        return f"HubTarget(endpoint={self.endpoint!r}, private={self.private})"

    @property
    def secret(self) -> str | None:
        """The token in use."""
        from huggingface_hub import get_token

        return self._token or get_token()

    def open(self, kind: str, name: str) -> HubRepository:
        """A repository by its full name, whether it exists or not.

        Raises:
            UserError: no such name, or no token.
        """
        check_name(name, with_owner=True)
        if not self.secret:
            raise UserError(f"Publishing {kind} {name} needs a token of the Hub: {TOKEN_ADVICE}.")
        return HubRepository(self, kind, name, self.secret)


class HubRepository:
    """One repository on the Hub; see `idist.hub.target.Repository`."""

    has_commits: bool = True

    def __init__(self, target: HubTarget, kind: str, name: str, token: str) -> None:
        from huggingface_hub import HfApi

        self.api = HfApi(endpoint=target.endpoint, token=token)
        self.private = target.private
        self.repo: dict[str, Any] = {"repo_id": name, "repo_type": kind}
        self.kind, self.name = kind, name
        self.where = f"{self.api.endpoint}/{'' if kind == 'model' else kind + 's/'}{name}"
        self.retries = Retries(f"{kind} {name} on {self.api.endpoint}", token, target.waits)
        self._held: dict[str, HubHeld] = {}  # a commit does not change

    def _ask(self, request: Callable[[], Answer]) -> Answer:
        with quiet():
            return self.retries.call(request)

    def _ask_once(self, request: Callable[[], Answer]) -> Answer:
        with quiet():
            return self.retries.once(request)

    def exists(self) -> bool:
        """Whether it is there and this token may see it.

        Raises:
            UserError: it is public and a private one is wanted.
        """
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        def look() -> Any:
            try:
                return self.api.repo_info(**self.repo)
            except GatedRepoError:
                raise
            except RepositoryNotFoundError:
                return None

        info = self._ask(look)
        if info is not None and self.private and not info.private:
            raise UserError(
                f"{self.kind} {self.name} exists and is public: --private is for new repositories, "
                "choose another name or make it private on its page."
            )
        return info is not None

    def tags(self) -> dict[str, str]:
        """Tag -> commit."""
        refs = self._ask(lambda: self.api.list_repo_refs(**self.repo))
        return {tag.name: tag.target_commit for tag in refs.tags}

    def at(self, commit: str | None) -> HubHeld | None:
        """A commit's files, by default those of main's head."""
        sha = commit or self._heads().get("main")
        if sha is None:
            return None
        if sha not in self._held:
            self._held[sha] = HubHeld(self, sha, self._tree(sha))
        return self._held[sha]

    def _heads(self) -> dict[str, str]:
        refs = self._ask(lambda: self.api.list_repo_refs(**self.repo))
        return {branch.name: branch.target_commit for branch in refs.branches}

    def _tree(self, sha: str) -> dict[str, Any]:
        items = self._ask(lambda: list(self.api.list_repo_tree(**self.repo, revision=sha, recursive=True)))
        return {item.path: item for item in items if hasattr(item, "blob_id")}

    def is_first(self, commit: str) -> bool:
        """Whether nothing was committed before."""
        return len(self._history(commit)) == 1

    def _history(self, commit: str | None) -> list[Any]:
        """Newest first."""
        return self._ask(lambda: self.api.list_repo_commits(**self.repo, revision=commit))

    def describe(self, commit: str) -> str:
        """Its short id, title and date."""
        info = self._history(commit)[0]
        return f"commit {commit[:7]} {info.title!r} of {info.created_at:%Y-%m-%d}"

    def mark_of(self, commit: str) -> str | None:
        """The git hash of its ``lineage.json``."""
        found = self._ask(lambda: self.api.get_paths_info(**self.repo, paths=[LINEAGE], revision=commit))
        return next((item.blob_id for item in found if hasattr(item, "blob_id")), None)

    def read(self, path: str, commit: str) -> bytes:
        """The content of a small file."""

        def fetch() -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                file = self.api.hf_hub_download(**self.repo, filename=path, revision=commit, local_dir=folder)
                return Path(file).read_bytes()

        return self._ask(fetch)

    def create(self, release: Release | None) -> None:
        """Create it; one that exists by now is taken."""
        sdk = _space_sdk(release) if self.kind == "space" else None
        self._ask(lambda: self.api.create_repo(**self.repo, private=self.private or None, exist_ok=True, space_sdk=sdk))

    def put(self, release: Release, difference: Difference, held: Held | None, title: str) -> str:
        """One commit on top of what was compared with; whoever was quicker wins, and we look again."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        new = difference.of("add", "replace")
        operations: list[Any] = [
            CommitOperationDelete(change.path, is_folder=False) for change in difference.of("delete")
        ]
        with bar_of(self.name, sum(change.bytes for change in new)) as bar:
            for change in new:
                addition = CommitOperationAdd(change.path, str(release.folder / change.path))
                if change.bytes >= SENT_BEFORE:
                    self._send(addition)
                    bar.update(change.bytes)
                operations.append(addition)
            commit = self._commit("main", operations, held.commit if held is not None else None, title)
            bar.update(bar.total - bar.n)
        return commit

    def _send(self, addition: Any) -> None:
        """A large file's content; what the Hub has already is not sent again."""
        self._ask(lambda: self.api.preupload_lfs_files(self.name, [addition], repo_type=self.kind, free_memory=False))

    def _commit(self, branch: str, operations: list[Any], parent: str | None, title: str) -> str:
        answer = self._ask_once(
            lambda: self.api.create_commit(
                **self.repo, operations=operations, commit_message=title, revision=branch, parent_commit=parent
            )
        )
        return str(answer.oid)

    def set_tag(self, tag: str, commit: str, replace: bool) -> None:
        """Tag this very commit; what tag there is, is looked up before each try."""
        pauses = self.retries.pauses()
        while True:
            try:
                there = self.tags().get(tag)
                if there == commit:
                    return
                if there is not None and not replace:
                    raise UserError(
                        f"{self.where}: tag {tag} was set meanwhile ({self.describe(there)}): "
                        "choose another --tag, or replace it with --overwrite."
                    )
                if there is not None:
                    self._ask_once(lambda: self.api.delete_tag(**self.repo, tag=tag))
                self._ask_once(lambda: self.api.create_tag(**self.repo, tag=tag, revision=commit))
                return
            except Conflict as conflict:
                next(pauses)(conflict.trouble)

    def branch(self, name: str) -> HubHeld | None:
        """The files of a branch; None: no repository or no such branch."""
        sha = self._heads().get(name) if self.exists() else None
        return self.at(sha) if sha is not None else None

    def put_parts(self, branch: str, contents: Mapping[str, bytes], title: str) -> None:
        """One commit on the branch."""
        from huggingface_hub import CommitOperationAdd

        if not self.exists():
            self.create(None)
        if branch not in (heads := self._heads()):
            first = self._history(None)[-1].commit_id
            self._ask(lambda: self.api.create_branch(**self.repo, branch=branch, revision=first, exist_ok=True))
        parent = heads.get(branch)
        additions = [CommitOperationAdd(path, content) for path, content in contents.items()]
        self._commit(branch, additions, parent, title)

    def drop_branch(self, branch: str) -> bool:
        """Delete a branch; its commits are not kept."""
        pauses = self.retries.pauses()
        existed = False
        while True:
            try:
                if not self.exists() or branch not in self._heads():
                    return existed
                existed = True
                self._ask_once(lambda: self.api.delete_branch(**self.repo, branch=branch))
                return True
            except Conflict as conflict:
                next(pauses)(conflict.trouble)


def _space_sdk(release: Release | None) -> str:
    """What the card's front matter names as ``sdk``; the Hub wants it when a space is created."""
    from huggingface_hub import RepoCard

    card = release.folder / "README.md" if release is not None else None
    sdk = RepoCard.load(card, ignore_metadata_errors=True).data.get("sdk") if card is not None else None
    if not isinstance(sdk, str):
        raise UserError(
            f"{card or 'README.md'} names no sdk in its front matter, expected 'sdk: gradio' or another one."
        )
    return sdk
