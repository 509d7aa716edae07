"""A copy of the answers on the Hub, made while people rate. The Hub may fail: the answers are on the disk first."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from eval_harness.human.store import Store

EVERY = 60.0  # seconds; each copy is a commit


@contextlib.contextmanager
def backup(store: Store, repository: str | None, every: float = EVERY, **hub: Any) -> Iterator[None]:
    """Copy new answers to a private dataset as long as the block runs, and at its end.

    They go to the branch ``study-FINGERPRINT``, as JSON lines in ``answers/``; a piece of the journal is sent once.

    Args:
        store: the answers.
        repository: ``owner/name``; None: no copies.
        every: seconds between two copies.
        hub: of `idist.hub.HubTarget`.

    Raises:
        UserError: on entering, for a name that is not allowed or a missing token.
    """
    if repository is None:
        yield
        return
    from idist.hub import HubTarget, PartialPublisher

    def parts() -> dict[str, Callable[[], bytes]]:
        return {
            f"answers/{store.name}/{first:08}-{last:08}.jsonl": _piece(store, first, last)
            for first, last in store.cut()
        }

    mark = store.study.fingerprint
    target = HubTarget(private=True, **hub)
    with PartialPublisher(
        target, "dataset", repository, parts, every=1, branch=f"study-{mark}", interval=every, mark=mark
    ):
        yield


def _piece(store: Store, first: int, last: int) -> Callable[[], bytes]:
    def make() -> bytes:
        rows = store.journal(first, last)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

    return make
