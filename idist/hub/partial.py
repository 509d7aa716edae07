"""Publishing shards while their stage still runs: one commit per group of them, on a branch of its own.

The stage never waits for the Hub and never fails because of it. What is missing when the stage ends is sent then; what
is missing after that is sent by the next run, which finds what is there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType

from idist.errors import UserError
from idist.hub.names import check_kind
from idist.hub.releases import hash_bytes
from idist.hub.retries import Conflict, say
from idist.hub.target import Repository, Target

BRANCH = "partial"
INDEX = "partial.json"  # on the branch: what the parts were made with, and what each one is
GROUP = 8  # shards a commit

Parts = Mapping[str, Callable[[], bytes]]


class PartialPublisher:
    """Publishes new parts from a thread, as long as the ``with`` block runs.

    Args:
        target: where.
        kind: ``dataset``, ``model`` or ``space``.
        name: of the repository; it is made if need be.
        parts: gives, at any time, path in the repository -> maker of the content, for all parts finished so far. Called
            from the thread; a maker is called for what is not there yet only.
        every: so many new parts make a commit; when the block ends, the rest does.
        branch: where to.
        interval: seconds between two looks.
        mark: what the parts are made with. Parts of another mark on the branch are dropped first.

    Raises:
        UserError: on entering, for a name that is not allowed or a missing token.
    """

    def __init__(
        self,
        target: Target,
        kind: str,
        name: str,
        parts: Callable[[], Parts],
        every: int = GROUP,
        branch: str = BRANCH,
        interval: float = 60.0,
        mark: str = "",
    ) -> None:
        self.target, self.kind, self.name = target, check_kind(kind), name
        self.parts, self.every, self.branch = parts, every, branch
        self.interval, self.mark = interval, mark
        self.sent = 0  # parts that this publisher sent
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="partial results", daemon=True)
        self._repository: Repository | None = None
        self._told: str | None = None

    def __enter__(self) -> PartialPublisher:
        self._repository = self.target.open(self.kind, self.name)
        self._patient = self._repository.retries
        self._repository.retries = replace(self._patient, waits=())  # the next look is the next try
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send the rest; not after an error, where a person waits."""
        self._ended.set()
        self._thread.join()
        if error is None and self._repository is not None:
            self._repository.retries = self._patient
            self._try(rest=True)

    def _run(self) -> None:
        while not self._ended.wait(self.interval):
            self._try(rest=False)

    def _try(self, rest: bool) -> None:
        """Send what there is. Trouble is told once and left for the next look."""
        try:
            while self._send_group(rest):
                pass
            self._told = None
        except Exception as error:  # a stage that has run for hours must not end for this
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        what = str(error) if isinstance(error, UserError | Conflict) else f"{type(error).__name__}: {error}"
        if self._told is None:
            say(f"Partial results are not published for now, the stage goes on: {what.rstrip('.')}.")
        self._told = what

    def _send_group(self, rest: bool) -> bool:
        """One commit; False: there is nothing (more) to send now, or the stage ended meanwhile."""
        repository = self._repository
        if repository is None or (self._ended.is_set() and not rest):
            return False
        index = self._read_index(repository)
        new = {path: make for path, make in self.parts().items() if path not in index}
        if not new or (len(new) < self.every and not rest):
            return False
        contents = {path: make() for path, make in list(new.items())[: self.every]}
        index |= {path: _entry(content) for path, content in contents.items()}
        contents[INDEX] = _index(self.mark, index)
        repository.put_parts(self.branch, contents, f"Partial results: {len(index)} parts")
        self.sent += len(contents) - 1
        return True

    def _read_index(self, repository: Repository) -> dict[str, dict[str, str | int]]:
        """The parts on the branch that were made with the same; a branch of others is dropped."""
        held = repository.branch(self.branch)
        if held is None:
            return {}
        index = held.text(INDEX)
        try:
            found = json.loads(index) if index is not None else {}
            if found.get("mark") == self.mark:
                return {path: entry for path, entry in found["parts"].items() if held.files.get(path) == entry["bytes"]}
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # not written by us, or damaged: made anew
        repository.drop_branch(self.branch)
        return {}


def drop_partial(target: Target, kind: str, name: str, branch: str = BRANCH) -> bool:
    """Delete the branch of partial results, after the release; False: there was none.

    Raises:
        UserError: a name that is not allowed, access refused, the Hub out of reach.
    """
    return target.open(check_kind(kind), name).drop_branch(branch)


def _entry(content: bytes) -> dict[str, str | int]:
    entry = hash_bytes(content)
    return {"sha256": entry.sha256, "bytes": entry.bytes}


def _index(mark: str, parts: Mapping[str, Mapping[str, str | int]]) -> bytes:
    return (json.dumps({"mark": mark, "parts": dict(sorted(parts.items()))}, indent=2) + "\n").encode()
