"""A copy of the answers on the Hub, made while people rate. The Hub may fail: the answers are on the disk first."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from eval_harness.human.store import Store
from idist.errors import UserError

EVERY = 60.0  # seconds; each copy is a commit
FOLDER = "answers"


@contextlib.contextmanager
def backup(store: Store, repository: str | None, every: float = EVERY, **hub: Any) -> Iterator[None]:
    """Copy new answers to a private dataset as long as the block runs, and at its end.

    They go to the branch ``study-FINGERPRINT``, as JSON lines; a piece of the journal is sent once. A store without
    answers (of a server that lost its disk) is filled from there first.

    Args:
        store: the answers.
        repository: ``owner/name``; None: no copies.
        every: seconds between two copies.
        hub: of `idist.hub.HubTarget`.

    Raises:
        UserError: on entering, for a name that is not allowed, a missing token, or a copy that is damaged.
    """
    if repository is None:
        yield
        return
    from idist.hub import HubTarget, PartialPublisher

    mark = store.study.fingerprint
    branch = f"study-{mark}"

    def parts() -> dict[str, Callable[[], bytes]]:
        pieces = {f"{FOLDER}/{store.name}/{first:08}-{last:08}.jsonl": (first, last) for first, last in store.cut()}
        return {path: _piece(store, *ends) for path, ends in pieces.items()}

    target = HubTarget(private=True, **hub)
    publisher = PartialPublisher(target, "dataset", repository, parts, 1, branch, every, mark)
    with publisher:
        _restore(store, repository, branch, hub)
        yield


def _restore(store: Store, repository: str, branch: str, hub: dict[str, Any]) -> None:
    """Into a store without answers. A Hub that cannot be reached is told: its answers and the new ones fit together."""
    if store.journal(1, 1):
        return
    from idist.hub import download

    known = {key: hub[key] for key in ("endpoint", "token") if key in hub}
    try:
        folder = download("dataset", repository, branch, [f"{FOLDER}/*/*.jsonl"], **known)
    except UserError as error:
        print(f"No earlier answers were read from {repository}: {error}")
        return
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{FOLDER}/*/*.jsonl"))]
    lines = [line for text in texts for line in text.split("\n") if line]
    try:
        store.load([json.loads(line) for line in lines])
    except ValueError:
        raise UserError(f"The copy of the answers in {repository} is damaged: a line is not JSON.") from None
    print(f"{len(lines)} answers were read from {repository}.")


def _piece(store: Store, first: int, last: int) -> Callable[[], bytes]:
    def make() -> bytes:
        rows = store.journal(first, last)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

    return make
